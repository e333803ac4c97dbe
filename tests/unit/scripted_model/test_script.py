"""A script's author learns what is wrong, and where, when it is loaded."""

from pathlib import Path

import pytest

from scripted_model.errors import ScriptError
from scripted_model.script import Script, load_script

WHOLE = """
models:
  claude-small: {max_input_tokens: 20000, max_tokens: 4000}
planner:
  - turns:
      - tools: [{propose_features: {features: []}}]
features:
  entry-form:
    - turns:
        - text: "I write the test first."
          thinking: "Where do tests live?"
          tools:
            - bash: {command: "python -m pytest -q tests"}
            - str_replace_based_edit_tool: {command: create, path: app.py, file_text: !file files/app.py}
          usage: {input_tokens: 150000, output_tokens: 900}
          expect: "refused"
          delay_s: 1.5
          fault: {kind: rate_limit, times: 2, retry_after: 30}
        - text: done
          expect: [one, two]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "app.py").write_text("print('hällo')\n")
    (tmp_path / "turns.yaml").write_text(WHOLE)
    return tmp_path


def test_a_whole_script_loads_with_the_files_beside_it(folder: Path):
    script = load_script(folder)
    turn, last = script.features["entry-form"][0].turns
    assert [call.name for call in turn.tools] == ["bash", "str_replace_based_edit_tool"]
    assert turn.tools[1].input["file_text"] == "print('hällo')\n"
    assert turn.expected == ("refused",)
    assert last.expected == ("one", "two")
    assert turn.fault is not None
    assert (turn.fault.kind, turn.fault.times, turn.fault.retry_after) == ("rate_limit", 2, 30.0)
    assert script.models["claude-small"].max_input_tokens == 20_000


def test_the_example_models_serve_where_a_script_names_none(tmp_path: Path):
    (tmp_path / "turns.yaml").write_text("")
    assert sorted(load_script(tmp_path).models) == [
        "claude-haiku-5-5",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fetures: {}", "fetures: Extra inputs are not permitted"),
        (
            "features: {a: [{turns: [{txt: x}]}]}",
            "features.a[0].turns[0].txt: Extra inputs are not permitted",
        ),
        ("features: {a: [{turns: [{}]}]}", "features.a[0].turns[0]: a turn needs `text`, `tools` or both"),
        ("features: {a: [{turns: []}]}", "features.a[0].turns: "),
        ("features: {a: []}", "features.a: "),
        ("features: {A b: [{turns: [{text: x}]}]}", "features.A b.[key]: String should match pattern"),
        ("features: {a: [{turns: [{tools: [bash]}]}]}", "tools[0]: a tool call is a map of one key"),
        (
            "features: {a: [{turns: [{tools: [{a: {}, b: {}}]}]}]}",
            "tools[0]: a tool call is a map of one key",
        ),
        ("features: {a: [{turns: [{tools: [{bash: ls}]}]}]}", "tools[0].input: "),
        ("features: {a: [{turns: [{text: x, fault: {kind: nap}}]}]}", "turns[0].fault.kind: Input should be"),
        ("features: {a: [{turns: [{text: x, fault: {kind: cut, times: 0}}]}]}", "turns[0].fault.times: "),
        ("features: {a: [{turns: [{text: x, usage: {tokens: 1}}]}]}", "turns[0].usage.tokens: Extra inputs"),
        ("models: {}", "models: "),
        ("a: 1\na: 2", "line 2: the key 'a' stands twice in one map"),
        ("a: [", "line 1: "),
        ("a: !file missing.txt", "line 1: !file missing.txt: No such file"),
        ("a: !file ../outside.txt", "!file ../outside.txt: the path leads out of the script's folder"),
        ("a: !file /etc/hostname", "the path leads out of the script's folder"),
        ("a: !file link.txt", "the path leads out of the script's folder"),
        ("a: !file latin.txt", "it is not UTF-8 text"),
        ("a: !file [x]", "!file takes a relative path"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("[]", "the document: "),
    ],
)
def test_a_fault_in_a_script_is_named_with_its_place(tmp_path: Path, text: str, says: str):
    folder = tmp_path / "script"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "latin.txt").write_bytes(b"\xe4")
    (folder / "turns.yaml").write_text(text)
    with pytest.raises(ScriptError) as caught:
        load_script(folder)
    assert says in caught.value.message
    assert "turns.yaml" in caught.value.message
    assert "secret" not in str(caught.value)


def test_a_missing_script_says_which_file_was_looked_for(tmp_path: Path):
    with pytest.raises(ScriptError, match=r"turns\.yaml cannot be read"):
        load_script(tmp_path)


def test_a_script_can_be_made_without_a_file():
    script = Script.model_validate(
        {"features": {"a": [{"turns": [{"tools": [{"bash": {"command": "ls"}}]}]}]}}
    )
    assert script.features["a"][0].turns[0].tools[0].input == {"command": "ls"}
