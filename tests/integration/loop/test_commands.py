"""Which command the loop proves with: the planner's counts where the guess from the files cannot work."""

import json

import pytest

from git_world import git
from loop_world import bash, create, journal_events, listed, make_project, model, run, running, submit

pytestmark = pytest.mark.root
LOOP = "run-two"
VENV_PYTEST = ".venv/bin/python -m pytest"
# Importable from `.venv` alone. Without a registry: it borrows the tools' pytest, and an editable install is
# a path file.
SETUP = """
python -m venv --without-pip .venv
echo '*' > .venv/.gitignore
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/borrowed.pth"
echo "$PWD/src" >> "$site/borrowed.pth"
"""
FILES = {
    "app.py": "",
    "tests/conftest.py": "",
    "tests/test_one.py": "from pkg import one\n\n\ndef test_one():\n    assert one() == 1\n",
    "src/pkg/__init__.py": "def one():\n    return 1\n",
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n',
}
TWO = "from pkg import two\n\n\ndef test_two():\n    assert two() == 2\n"
CODED = {
    "turns": [
        {"tools": [create("tests/test_two.py", TWO)]},
        {"tools": [bash(r"printf '\n\ndef two():\n    return 2\n' >> src/pkg/__init__.py")]},
        {"tools": [submit("two", "tests/test_two.py")]},
    ]
}


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project", FILES)


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.md"
    path.write_text("# Two\n\nI want two().\n")
    return path


def propose(setup=SETUP, test_command=VENV_PYTEST, **turn):
    proposal = {"setup": setup, "test_command": test_command, "features": [listed("two")]}
    return {"tools": [{"propose_features": proposal}], **turn}


def events_of(project, kind):
    return [one["event"] for one in journal_events(project, LOOP) if one["event"]["type"] == kind]


def kept_proof(project):
    return json.loads(git(project, "show", f"autonomous-loop/{LOOP}/state:proofs/two.json"))


def test_the_command_that_the_planner_tried_is_the_one_that_proves(project, request_file):
    told = f"runs tests with `{VENV_PYTEST}`"
    coded = {"turns": [CODED["turns"][0] | {"expect": told}, *CODED["turns"][1:]]}
    planner = [{"turns": [propose(expect="would run the tests with `python -m pytest`")]}]
    with model(planner, {"two": [coded]}) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert result["success"]
    proof = kept_proof(project)
    assert proof["green"]["command"] == f"{VENV_PYTEST} tests/test_two.py"
    assert proof["regression"]["command"] == VENV_PYTEST
    assert proof["marks"] == ["weak red", "model's command"]
    assert said.count("setting the project up") == 1  # what was tried is what the session works with


def test_every_later_session_proves_with_the_same_command(project, request_file):
    features = [listed("two"), listed("three", priority=2)]
    proposal = {"setup": SETUP, "test_command": VENV_PYTEST, "features": features}
    three = {
        "turns": [
            {"tools": [create("tests/test_three.py", TWO.replace("two", "three").replace("2", "3"))]},
            {"tools": [bash(r"printf '\n\ndef three():\n    return 3\n' >> src/pkg/__init__.py")]},
            {"tools": [submit("three", "tests/test_three.py")]},
        ]
    }
    planner = [{"turns": [{"tools": [{"propose_features": proposal}]}]}]
    with model(planner, {"two": [CODED], "three": [three]}) as (url, _):
        code, result, said = run(project, url, "--request", request_file, "--set", "session-features=1")
    assert code == 0, said
    assert result["sessions_used"] == 2
    three_kept = json.loads(git(project, "show", f"autonomous-loop/{LOOP}/state:proofs/three.json"))
    assert three_kept["green"]["command"] == f"{VENV_PYTEST} tests/test_three.py"
    assert len(events_of(project, "baseline")) == 1


def test_a_plan_whose_tests_cannot_run_goes_back_to_the_planner_with_the_output(project, request_file):
    turns = [
        propose(setup="", test_command="python -m pytest"),
        propose(setup="echo broken wheel >&2; exit 3", expect="No module named 'pkg'"),
        propose(expect="broken wheel"),
    ]
    with model([{"turns": turns}], {"two": [CODED]}) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert result["success"]
    (planned,) = events_of(project, "planned")
    assert planned["features"] == 1


def test_what_the_planner_made_by_hand_is_no_setup(project, request_file):
    by_hand = {"tools": [bash(SETUP)]}
    look = {"tools": [bash("test -e .venv || echo it is $(git status --short)gone")], "expect": "fresh clone"}
    turns = [by_hand, propose(setup=""), look, propose(expect="it is gone")]
    with model([{"turns": turns}], {"two": [CODED]}) as (url, _):
        code, _, said = run(project, url, "--request", request_file)
    assert code == 0, said


def test_a_plan_that_never_worked_is_not_kept_and_no_feature_is_paid_for(project, request_file):
    turns = [propose(setup="", test_command="python -m pytest")] * 3
    with model([{"turns": turns}], {"two": [CODED]}) as (url, _):
        code, _, said = run(project, url, "--request", request_file)
    assert code == 2
    assert "No module named 'pkg'" in said
    assert "What to do" in said
    assert events_of(project, "planned") == events_of(project, "baseline") == []
    assert events_of(project, "spent")
    with model([{"turns": [propose()]}], {"two": [CODED]}) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
    assert (code, result.get("success")) == (0, True), said


def test_a_kill_while_a_plan_is_tried_leaves_no_plan_without_its_baseline(project, request_file):
    slow = {"turns": [propose(setup="sleep 60")]}
    with model([slow, {"turns": [propose()]}], {"two": [CODED]}) as (url, _):
        with running(project, url, "--request", request_file) as process:
            for line in process.stderr:
                if "setting the project up" in line:
                    break
            process.kill()
        assert events_of(project, "planned") == events_of(project, "baseline") == []
        code, result, said = run(project, url, "--request", request_file)
    assert (code, result.get("success")) == (0, True), said
    kinds = [one["event"]["type"] for one in journal_events(project, LOOP)]
    assert kinds.count("planned") == kinds.count("baseline") == 1
    assert kinds.index("baseline") == kinds.index("planned") + 1


def test_where_the_configuration_says_all_a_person_mends_it_and_the_plan_is_kept(tmp_path, request_file):
    config = 'setup = "true"\ntest-command = "python -m pytest"\n'
    project = make_project(tmp_path / "project", FILES, config)
    told = "has the test command `python -m pytest`"
    with model([{"turns": [propose(expect=told)]}], {"two": [CODED]}) as (url, _):
        code, _, said = run(project, url, "--request", request_file)
    assert code == 2
    assert "No module named 'pkg'" in said
    assert len(events_of(project, "planned")) == 1  # nothing in it was at fault
    assert not events_of(project, "attempt-ended")


def test_a_command_that_works_by_the_projects_own_files_stays(tmp_path, request_file):
    project = make_project(tmp_path / "plain")
    narrow = "python -m pytest -k nothing"
    test = "from app import two\n\n\ndef test_two():\n    assert two() == 2\n"
    coded = {
        "turns": [
            {"tools": [create("tests/test_two.py", test)]},
            {"tools": [bash(r"printf '\n\ndef two():\n    return 2\n' >> app.py")]},
            {"tools": [submit("two", "tests/test_two.py")]},
        ]
    }
    with model([{"turns": [propose("", narrow)]}], {"two": [coded]}) as (url, _):
        code, _, said = run(project, url, "--request", request_file)
    assert code == 0, said
    proof = kept_proof(project)
    assert proof["green"]["command"] == "python -m pytest tests/test_two.py"
    assert "model's command" not in proof["marks"]
