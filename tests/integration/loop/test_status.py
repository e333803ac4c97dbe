import json
import subprocess

import pytest

from git_world import git
from loop_world import command, environment, honest, journal_events, listed, make_project, model, plan, run

pytestmark = pytest.mark.root


def status(project, *args):
    done = subprocess.run(
        command("status", "--project", project, *args),
        env=environment("http://127.0.0.1:9"), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_status_tells_where_every_loop_stands(tmp_path):
    project = make_project(tmp_path / "project")
    assert "no loop has run here yet" in status(project)
    request = tmp_path / "request.md"
    request.write_text("# A two\n")
    with model(plan(listed("two")), {"two": [honest("two", 2)]}) as (url, _):
        code, result, said = run(project, url, "--request", request)
    assert code == 0, said
    (found,) = json.loads(status(project, "--json"))
    assert (found["loop"], found["state"], found["features"]) == ("run-a-two", "complete", {"two": "passing"})
    assert found["total_tokens"] == result["total_tokens"]
    assert "1 of 1 features proved" in status(project)


def test_a_branch_that_cannot_be_moved_stops_the_loop_with_gits_reason_and_what_to_do(tmp_path):
    project = make_project(tmp_path / "project")
    request = tmp_path / "request.md"
    request.write_text("# Two numbers\n")
    features = {"two": [honest("two", 2)], "three": [honest("three", 3)]}
    with model(plan(listed("two", priority=1), listed("three", priority=2)), features) as (url, _):
        manual = ("--set", "continuation=manual", "--set", "session-features=1")
        code, result, said = run(project, url, "--request", request, *manual)
        assert (code, result["features_completed"]) == (3, 1), said
        git(project, "checkout", "-q", "autonomous-loop/run-two-numbers/pr")
        code, result, said = run(project, url, "--request", request)
        assert (code, result["handoff_reason"], result["features_completed"]) == (1, "failed", 2), said
        assert result["sessions_used"] == 2
        for shown in (said, status(project)):
            assert "autonomous-loop/run-two-numbers/pr" in shown
            assert "branch is currently checked out" in shown
            assert "check out another branch" in shown
        git(project, "checkout", "-q", "main")
        code, result, said = run(project, url, "--request", request)
    assert (code, result["handoff_reason"], result["sessions_used"]) == (0, "complete", 3), said
    types = [one["event"]["type"] for one in journal_events(project, "run-two-numbers")]
    assert types.count("clean-room") == 2
