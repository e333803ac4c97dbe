"""Pull requests in which no test file differs, but what tests read does."""

import subprocess
import sys

import pytest

from git_world import git
from integration.loop.test_prove import codes, commit, prove
from loop_world import environment, make_project

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]
CASES = """import pathlib

import pytest

import app

HERE = pathlib.Path(__file__).parent / "cases"


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_case(path):
    name, value = path.read_text().split()
    assert getattr(app, name)() == int(value)
"""
IDLE = "import pytest\n\n\n@pytest.mark.skip\ndef test_later():\n    pass\n"


@pytest.fixture
def project(tmp_path):
    """A project whose tests are data."""
    folder = make_project(tmp_path / "project")
    commit(
        folder, {"tests/test_cases.py": CASES, "tests/test_idle.py": IDLE, "tests/cases/one.txt": "one 1\n"}
    )
    return folder


def code(project, text):
    return {"app.py": (project / "app.py").read_text() + text}


def test_a_case_that_is_data_turns_from_red_to_green(project):
    two = code(project, "\n\ndef two():\n    return 2\n")
    commit(project, {**two, "tests/cases/two.txt": "two 2\n"})
    exit_code, found, said = prove(project, "--base", "HEAD~1")
    assert exit_code == 0, (found, said)
    assert "tests/test_cases.py::test_case[two]" in found["proof"]["red"]["failing"]
    assert "tests/test_cases.py" in found["proof"]["tests"]
    assert "tests/test_idle.py" not in found["proof"]["tests"]
    assert "no test file differs, but this does: tests/cases/two.txt" in said


def test_data_that_changes_nothing_a_test_sees_shows_nothing(project):
    commit(project, {**code(project, "\n\ndef two():\n    return 2\n"), "tests/notes.md": "two\n"})
    exit_code, found, _ = prove(project, "--base", "HEAD~1")
    assert (exit_code, codes(found)) == (1, ["no-red"])


def test_a_test_file_that_is_gone_is_no_pull_request_without_tests(project):
    git(project, "rm", "-q", "tests/test_cases.py")
    commit(project, code(project, "\n\nTWO = 2\n"))
    exit_code, found, _ = prove(project, "--base", "HEAD~1")
    assert (exit_code, found["accepted"]) == (1, False), found


@pytest.mark.parametrize(
    ("changed", "exit_code", "said"),
    [
        ({"README.md": "# Tiny\n"}, 0, "no test file differs"),
        ({"tests/cases/one.txt": "one 2\n"}, 1, "not-green"),
        ({"tests/notes.md": "# Notes\n"}, 1, "no-red"),
        ({"elsewhere/spec/a.txt": "1\n", "tests": None}, 2, "no test file is known here"),
    ],
)
def test_a_pull_request_passes_without_tests_only_where_no_test_root_differs(
    project, tmp_path, changed, exit_code, said
):
    if "tests" in changed:
        git(project, "rm", "-q", "-r", changed.popitem()[0])
        commit(project, {}, "No tests at all")
    commit(project, changed)
    summary = tmp_path / "summary.md"
    given = {
        "INPUT_BASE": "HEAD~1", "INPUT_HEAD": "HEAD", "INPUT_WITHOUT-TESTS": "pass",
        "GITHUB_WORKSPACE": str(project), "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "autonomous_loop", "prove-in-ci"],
        env=environment("") | given, capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert said in summary.read_text()
