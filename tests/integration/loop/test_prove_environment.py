"""Where the tests cannot be run there is no verdict, and people hear what to do: that is no refusal."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from autonomous_loop.commands.prove_ci import prove_in_ci
from autonomous_loop.errors import LoopError
from autonomous_loop.wiring.environment import RuntimeEnvironment
from git_world import git
from loop_world import APP, CONFTEST, make_project
from prove_world import TEST_TWO, TWO, codes, commit, prove, started

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]
CHANGE = {"app.py": APP + TWO, "tests/test_two.py": TEST_TWO}
MISSING = "import not_installed_anywhere\n"


def changed(folder, files=None, config="", change=CHANGE):
    project = make_project(folder, files, config)
    commit(project, change)
    return project


@pytest.fixture
def project(tmp_path):
    return changed(tmp_path / "project")


def no_verdict(project, *args):
    """What it said instead of a verdict."""
    code, found, said = prove(project, "--base", "HEAD~1", *args)
    assert code == 2, (found, said)
    assert "accepted" not in found
    assert found["hint"]
    return found["error"]


def test_a_setup_that_fails(project):
    assert "no such package" in no_verdict(project, "--setup", "echo no such package; exit 3")


def test_a_setup_that_fails_the_second_time(project):
    """As one does whose server is gone: by then the place is emptied, and nothing can be told."""
    asked = []

    class Once(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(200 if len(asked) == 1 else 503, "gone away")

    with HTTPServer(("127.0.0.1", 0), Once) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        fetch = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{server.server_port}')"
        assert "gone away" in no_verdict(project, "--setup", f'python -c "{fetch}"')
        server.shutdown()
    assert len(asked) == 2


def test_a_module_of_somebody_elses_that_is_missing_to_all_of_the_tests(tmp_path):
    test = MISSING + TEST_TWO
    project = changed(tmp_path / "project", change=CHANGE | {"tests/test_two.py": test})
    assert "not_installed_anywhere" in no_verdict(project)


def test_a_module_that_the_new_code_needs(tmp_path):
    code = APP + TWO.replace("return 2", "import not_installed_anywhere\n    return 2")
    project = changed(tmp_path / "project", change=CHANGE | {"app.py": code})
    assert "not_installed_anywhere" in no_verdict(project)


def test_a_suite_that_cannot_be_run(tmp_path):
    project = changed(tmp_path / "project", {"tests/conftest.py": MISSING + CONFTEST})
    assert "not_installed_anywhere" in no_verdict(project)


@pytest.mark.parametrize(
    "command", ["no-such-runner", "python -m no_such_runner", "python -m pytest -p no_such"]
)
def test_a_runner_that_is_not_there(project, command):
    assert "no" in no_verdict(project, "--test-command", command)


def test_a_runner_that_is_not_there_for_the_first_tests_of_a_project(tmp_path):
    """There is no suite before that could tell."""
    project = make_project(tmp_path / "project")
    git(project, "rm", "-q", "-r", "tests")
    commit(project, {"app.py": APP}, "no tests yet")
    commit(project, CHANGE | {"tests/conftest.py": CONFTEST})
    assert "no_such_runner" in no_verdict(project, "--test-command", "python -m no_such_runner")
    assert "no-such-runner" in no_verdict(project, "--test-command", "no-such-runner --all")
    done = started(project, "--json", "--base", "HEAD~1", AUTONOMOUS_LOOP_TOOLS=str(tmp_path / "none"))
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "exit code 127" in done.stdout  # as a shell says that there is no such command


def test_a_person_reads_what_to_do(project):
    done = started(project, "--base", "HEAD~1", "--setup", "exit 3")
    assert done.returncode == 2
    assert "refused" not in done.stdout + done.stderr
    assert "What to do: " in done.stderr


def test_hands_that_cannot_be_kept_apart(project, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = started(project, "--json", "--base", "HEAD~1", TMPDIR=str(closed))
    assert done.returncode == 2, done.stderr
    assert "other users cannot enter" in done.stdout


def test_a_change_that_breaks_its_own_runner_is_refused_all_the_same(project):
    """Base's suite runs here: that head's does not is head's doing."""
    commit(project, {"tests/conftest.py": CONFTEST + "import os\nos._exit(0)\n"})
    code, found, said = prove(project, "--base", "HEAD~2")
    assert (code, codes(found)) == (1, ["no-report"]), said


def test_the_action_has_no_verdict_either(project, tmp_path, monkeypatch):
    summary, output = tmp_path / "summary", tmp_path / "output"
    given = {
        "INPUT_BASE": "HEAD~1", "INPUT_HEAD": "HEAD", "INPUT_SETUP": "echo broken; exit 3",
        "GITHUB_WORKSPACE": str(project), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output),
    }  # fmt: skip
    with pytest.raises(LoopError) as told:
        asyncio.run(prove_in_ci(RuntimeEnvironment.from_environment(), given, say=print))
    assert told.value.exit_code == 2
    assert "no verdict" in summary.read_text()
    assert "broken" in summary.read_text()
    assert "What to do" in summary.read_text()
    assert "none" in output.read_text()
