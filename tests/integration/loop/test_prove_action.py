"""`prove/action.yml` on a pull request of the embedded GitHub, by the workflow that people copy."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from autonomous_loop.commands.prove_ci import question_of
from autonomous_loop.errors import ConfigurationError
from embedded_github.actions.workflow.reader import read_workflow
from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.models import Actor
from git_world import git
from loop_world import APP, TOOLS, make_project

ROOT = Path(__file__).parents[3]
WORKFLOW = ROOT / "examples" / "workflows" / "prove.yml"
REPO, OWNER = "octo/tiny", Actor("octo")
TWO = "\n\ndef two():\n    return 2\n"
TEST_TWO = "import app\n\n\ndef test_two():\n    assert app.two() == 2\n"


def entrypoint(action, stage):
    return [sys.executable, "-m", "autonomous_loop"] if stage == "main" else None


@pytest.fixture
def github(tmp_path):
    project = make_project(tmp_path / "project")
    (project / ".github" / "workflows").mkdir(parents=True)
    shutil.copy(WORKFLOW, project / ".github" / "workflows")
    shutil.rmtree(project / ".git")
    made = EmbeddedGitHub(
        tmp_path / "github",
        entrypoint=entrypoint,
        action_sources={"autonomous-loop/autonomous-loop": ROOT},
        secrets={},
        extra_env={"AUTONOMOUS_LOOP_TOOLS": str(TOOLS)} if TOOLS else {},
        path=os.environ["PATH"],
    )
    with made:
        made.store.create_repository(REPO, from_folder=project)
        yield made


def propose(github, tmp_path, files, title="Add two()"):
    """A pull request with these files, and what its run came to."""
    clone = tmp_path / "clone"
    token = github.store.create_token("octo")
    address = github.url.replace("://", f"://x-access-token:{token}@")
    git(tmp_path, "clone", "-q", f"{address}/{REPO}.git", str(clone))
    git(clone, "checkout", "-q", "-b", "change")
    for name, text in files.items():
        (clone / name).write_text(text)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", title)
    git(clone, "push", "-q", "origin", "change")
    github.store.pulls.create(REPO, title=title, body="", head="change", base="main", actor=OWNER)
    assert github.player.wait_idle(120)
    _, (run,) = github.player.runs.runs(REPO)
    (job,) = github.player.runs.jobs(run.id)
    return run, job.summary, Path(job.log).read_text()


@pytest.mark.root
def test_an_honest_pull_request_gets_its_receipt(github, tmp_path):
    title = "Add two() `::error::x` <b>"
    files = {"app.py": APP + TWO, "tests/test_two.py": TEST_TWO}
    run, summary, log = propose(github, tmp_path, files, title)
    assert run.conclusion == "success", log
    assert "\u2705 accepted: 1 test turns from red to green" in summary
    assert "| red | 1 failed" in summary
    assert "<b>" not in summary.replace("&lt;b", "")
    assert "autonomous-loop prove --base" in summary


@pytest.mark.root
def test_a_pull_request_whose_test_shows_nothing_fails(github, tmp_path):
    run, summary, log = propose(github, tmp_path, {"tests/test_two.py": "def test_two():\n    assert 2\n"})
    assert run.conclusion == "failure", log
    assert "\u274c refused: no-red" in summary


@pytest.mark.root
def test_a_pull_request_without_tests_has_no_verdict(github, tmp_path):
    run, summary, log = propose(github, tmp_path, {"README.md": "# Tiny\n"})
    assert run.conclusion == "success", log
    assert "no verdict" in summary
    assert "no test file differs" in summary


def test_the_example_has_least_permissions_and_leaves_no_token_behind():
    text = WORKFLOW.read_bytes()
    assert read_workflow(".github/workflows/prove.yml", text).problems == ()
    workflow = yaml.load(text, Loader=yaml.BaseLoader)
    assert workflow["permissions"] == {}
    assert set(workflow["on"]) == {"pull_request"}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    checkout, _ = job["steps"]
    assert checkout["with"] == {"fetch-depth": "0", "persist-credentials": "false"}
    assert "${{" not in str(job["steps"])  # nothing of the event is written into a command


def test_the_program_reads_every_input_that_the_action_has(tmp_path):
    inputs = yaml.safe_load((ROOT / "prove" / "action.yml").read_text())["inputs"]
    asked = []

    class Watched(dict):
        def get(self, name, default=None):
            asked.append(name)
            return super().get(name, default)

    question_of(Watched({"INPUT_BASE": "main"}))
    read = {name.removeprefix("INPUT_").lower() for name in asked if name.startswith("INPUT_")}
    assert read | {"without-tests"} == set(inputs)


def test_inputs_win_over_the_event_and_settings_are_lines(tmp_path):
    event = tmp_path / "event.json"
    event.write_text('{"pull_request": {"base": {"sha": "b1"}, "head": {"sha": "h1"}}}')
    environ = {"GITHUB_EVENT_PATH": str(event), "GITHUB_WORKSPACE": "/github/workspace", "GITHUB_SHA": "m1"}
    question = question_of(environ)
    assert (question.base, question.head, question.tests) == ("b1", "h1", ())
    assert str(question.folder) == "/github/workspace"
    given = {
        "INPUT_BASE": "main",
        "INPUT_TESTS": "tests/test_a.py\n\n tests/test_b.py\n",
        "INPUT_KIND": "refactor",
        "INPUT_SETUP": "make deps; x",
        "INPUT_SETTINGS": "runner-keys=true\ntest-timeout-s = 5",
    }
    question = question_of(environ | given)
    assert (question.base, question.head, question.kind) == ("main", "h1", "refactor")
    assert question.tests == ("tests/test_a.py", "tests/test_b.py")
    expected = {"runner-keys": "true", "test-timeout-s": "5", "setup": "make deps; x"}
    assert question.overrides == expected


@pytest.mark.parametrize(
    "given", [{}, {"INPUT_BASE": "b", "INPUT_KIND": "chore"}, {"INPUT_BASE": "b", "INPUT_SETTINGS": "x"}]
)
def test_inputs_that_say_nothing_are_told_what_to_do(given):
    with pytest.raises(ConfigurationError) as told:
        question_of(given)
    assert told.value.hint
