from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomous_loop.config import CONFIG_FILE, LoopConfig
from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.action import (
    MOST_SUMMARY,
    append_summary,
    read_event,
    read_facts,
    read_inputs,
    write_outputs,
)
from autonomous_loop.wiring.environment import RuntimeEnvironment

RUN = {
    "GITHUB_REPOSITORY": "octo/guestbook",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "issues",
    "GITHUB_ACTOR": "mona",
    "GITHUB_TRIGGERING_ACTOR": "hubot",
    "GITHUB_WORKFLOW_REF": "octo/guestbook/.github/workflows/loop.yml@refs/heads/main",
    "GITHUB_JOB": "session",
    "GITHUB_API_URL": "http://127.0.0.1:1/api/v3",
    "GITHUB_SERVER_URL": "http://127.0.0.1:1",
}

FLOATS = [
    name.replace("_", "-")
    for name, field in LoopConfig.model_fields.items()
    if field.annotation in {float, float | None}
]


def runner_reads(text: str) -> dict[str, str]:
    """As the runner reads a file of outputs (actions/runner, FileCommandManager)."""
    lines, found, at = text.split("\n"), {}, 0
    while at < len(lines):
        name, _, delimiter = lines[at].partition("<<")
        if not delimiter:
            at += 1
            continue
        end = lines.index(delimiter, at + 1)
        found[name] = "\n".join(lines[at + 1 : end])
        at = end + 1
    return found


def test_inputs_keep_their_hyphens_and_become_a_configuration():
    given = read_inputs(
        {
            "INPUT_MAX-SESSIONS": "7",
            "INPUT_AUTO-CHECKPOINT": "false",
            "INPUT_MAX-USD": " 2.5 ",
            "INPUT_GATES": "ruff check\nmypy src\n",
            "INPUT_PRICES": '{"m": [3, 15]}',
            "INPUT_MODEL": "",
            "INPUT_MAX_MINUTES": "not ours: an underscore",
            "INPUT_SOMETHING-ELSE": "ignored",
            "MAX-TURNS": "ignored",
        }
    )
    config = LoopConfig.from_files({}, overrides=given.overrides)
    assert (config.max_sessions, config.auto_checkpoint, config.max_usd) == (7, False, 2.5)
    assert config.gates == ("ruff check", "mypy src")
    assert config.prices == {"m": (3.0, 15.0)}
    assert config.model == LoopConfig().model
    assert set(given.overrides) == {"max_sessions", "auto_checkpoint", "max_usd", "gates", "prices"}


@pytest.mark.parametrize("prices", ["3, 15", "[3]", "{"])
def test_prices_that_are_no_object_are_refused_with_an_example(prices):
    with pytest.raises(ConfigurationError, match="prices"):
        read_inputs({"INPUT_PRICES": prices})


def test_a_wrong_value_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="max-sessions"):
        LoopConfig.from_files({}, overrides=read_inputs({"INPUT_MAX-SESSIONS": "many"}).overrides)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999"])
@pytest.mark.parametrize("name", FLOATS)
def test_a_limit_without_end_or_sense_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"{name}: Input should be") as caught:
        LoopConfig.from_files({}, overrides=read_inputs({f"INPUT_{name.upper()}": value}).overrides)
    assert f"mend {name} in the inputs, or leave it out" in caught.value.hint


@pytest.mark.parametrize("prices", ['{"m": [3, NaN]}', '{"m": [Infinity, 15]}', '{"m": [3, 1e999]}'])
def test_a_price_without_end_or_sense_is_refused(prices):
    with pytest.raises(ConfigurationError, match=r"prices\.m"):
        LoopConfig.from_files({}, overrides=read_inputs({"INPUT_PRICES": prices}).overrides)


def test_a_file_cannot_say_infinity_either():
    with pytest.raises(ConfigurationError, match=r"autonomous-loop\.toml: max-usd: .*finite"):
        LoopConfig.from_files({CONFIG_FILE: b"max-usd = inf\n"})


def test_credentials_are_kept_apart_and_never_shown():
    given = read_inputs(
        {
            "INPUT_GITHUB-TOKEN": "ghs_secret",
            "INPUT_ANTHROPIC-API-KEY": "sk-secret",
            "INPUT_HANDOFF-KEY": "key-secret",
            "INPUT_ANTHROPIC-BASE-URL": "http://127.0.0.1:1",
        }
    )
    assert given.credentials.github_token == "ghs_secret"
    assert given.service["anthropic_base_url"] == "http://127.0.0.1:1"
    assert sorted(given.credentials.all()) == ["ghs_secret", "key-secret", "sk-secret"]
    assert "secret" not in repr(given)
    assert given.overrides == {}


def test_the_run_is_known_by_its_facts():
    facts = read_facts(RUN, {"repository": {"default_branch": "trunk"}})
    assert (facts.repository, facts.run_id, facts.run_attempt) == ("octo/guestbook", 42, 2)
    assert (facts.actor, facts.triggering_actor) == ("mona", "hubot")
    assert facts.workflow_path == ".github/workflows/loop.yml"
    assert facts.default_branch == "trunk"
    assert facts.run_url == "http://127.0.0.1:1/octo/guestbook/actions/runs/42/attempts/2"
    assert facts.graphql_url == "http://127.0.0.1:1/api/v3/graphql"


def test_a_workflow_of_another_repository_cannot_be_dispatched_from_here():
    elsewhere = {**RUN, "GITHUB_WORKFLOW_REF": "octo/guestbook-fork/.github/workflows/x.yml@main"}
    assert read_facts(elsewhere, {}).workflow_path == ""


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_EVENT_NAME"])
def test_outside_a_job_the_way_out_is_named(missing):
    environment = {name: value for name, value in RUN.items() if name != missing}
    with pytest.raises(ConfigurationError, match=f"{missing} is not set") as caught:
        read_facts(environment, {})
    assert "autonomous-loop run" in caught.value.hint


def test_a_run_id_that_is_no_number_is_refused():
    with pytest.raises(ConfigurationError, match="not a number"):
        read_facts({**RUN, "GITHUB_RUN_ID": "4\u00b2"}, {})


def test_the_event_is_read_from_its_file(tmp_path):
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"action": "labeled"}))
    assert read_event(str(path)) == {"action": "labeled"}
    assert read_event("") == {}


@pytest.mark.parametrize("content", ["[]", "{"])
def test_an_event_that_is_no_object_is_refused(tmp_path, content):
    path = tmp_path / "event.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="GITHUB_EVENT_PATH"):
        read_event(str(path))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_event(str(tmp_path / "missing"))


def test_outputs_are_appended_and_read_back(tmp_path):
    path = tmp_path / "out"
    write_outputs(path, {"pull-request": "13", "note": "one\ntwo"})
    write_outputs(path, {"status": "ready"})
    assert runner_reads(path.read_text()) == {"pull-request": "13", "note": "one\ntwo", "status": "ready"}


def test_a_value_cannot_set_another_output(tmp_path):
    path = tmp_path / "out"
    write_outputs(path, {"a": "x"})
    first = re.findall(r"a<<(\S+)", path.read_text())[0]
    hostile = f"x\n{first}\nstatus<<EOF\nforged\nEOF\nEOF"
    write_outputs(path, {"note": hostile})
    assert set(runner_reads(path.read_text())) == {"a", "note"}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200))
def test_any_value_arrives_as_it_is(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("out") / "file"
    write_outputs(path, {"note": value})
    assert runner_reads(path.read_bytes().decode()) == {"note": value}


@pytest.mark.parametrize("name", ["a<<b", "a b", "", "a\nb"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match="name of an output"):
        write_outputs(tmp_path / "out", {name: "x"})


def test_more_than_the_runner_takes_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="1 MB"):
        write_outputs(tmp_path / "out", {"note": "x" * 1_000_000})


def test_the_summary_is_appended_and_cut_at_a_line(tmp_path):
    path = tmp_path / "summary"
    append_summary(path, "first")
    append_summary(path, "\u00e9 line\n" * 200_000)
    data = path.read_bytes()
    assert data.startswith(b"first\n")
    assert len(data) <= MOST_SUMMARY + 20
    assert data.decode().endswith("\u00e9 line\n")


def test_the_actions_service_reaches_the_program_and_its_token_is_never_shown():
    given = {
        **RUN,
        "ACTIONS_RESULTS_URL": "https://results.test/",
        "ACTIONS_RUNTIME_TOKEN": "ey.secret.token",
    }
    facts = read_facts(given, {})
    assert (facts.results_url, facts.runtime_token) == ("https://results.test/", "ey.secret.token")
    assert "secret" not in repr(facts)
    runtime = replace(RuntimeEnvironment(), runtime_token=facts.runtime_token)
    assert "ey.secret.token" in runtime.secrets
    assert "secret" not in repr(runtime)
    assert read_facts(RUN, {}).runtime_token == ""
