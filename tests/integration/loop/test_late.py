"""What joins a loop on a plain git directory: an approval, and commits in conflict."""

import signal

import pytest

from git_world import git
from loop_world import (
    bash,
    honest,
    journal_events,
    listed,
    make_project,
    model,
    plan,
    run,
    running,
    submit,
)
from waiting import wait_for

pytestmark = pytest.mark.root
LOOP = "run-two-numbers"
TWO = plan(listed("two", priority=1), listed("three", priority=2))


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.md"
    path.write_text("# Two numbers\n\nI want two() and three().\n")
    return path


def events_of(project, kind):
    return [one["event"] for one in journal_events(project, LOOP) if one["event"]["type"] == kind]


def test_without_a_forge_running_again_is_the_go(project, request_file):
    asking = ("--request", request_file, "--set", "plan-approval=true")
    with model(TWO, {"two": [honest("two", 2)], "three": [honest("three", 3)]}) as (url, _):
        code, result, said = run(project, url, *asking)
        assert (code, result["handoff_reason"], result["features_total"]) == (3, "approval", 2), said
        assert events_of(project, "kept") == []
        code, result, said = run(project, url, *asking)
    assert (code, result["handoff_reason"]) == (0, "complete"), said
    assert len(events_of(project, "approved")) == 1


def test_pushed_commits_in_conflict_are_merged_by_the_agent(project, request_file):
    slow = honest("three", 3, before=[{"tools": [bash("true")]}], delay_s=60)
    solve = "python3 - <<'E'\nimport re\nt = open('app.py').read()\nassert '<<<<<<<' in t\n"
    solve += "open('app.py', 'w').write(re.sub(r'(?m)^(<{7}|={7}|>{7}).*\\n', '\\n', t))\nE\n"
    untouched = {"tools": [submit("merge-pull-request")]}
    merging = {"turns": [untouched, {"tools": [bash(solve)]}, {"tools": [submit("merge-pull-request")]}]}
    features = {
        "two": [honest("two", 2)],
        "three": [slow, honest("three", 3)],
        "merge-pull-request": [merging],
    }
    with model(TWO, features) as (url, log):
        with running(project, url, "--request", request_file) as process:
            wait_for(lambda: any(one.conversation == "three#1" for one in log.records), seconds=120)
            process.send_signal(signal.SIGKILL)
            process.wait()
        # Nothing was published yet; a person begins the branch with something of their own.
        git(project, "checkout", "-q", "-b", f"autonomous-loop/{LOOP}/pr", "main")
        with (project / "app.py").open("a") as file:
            file.write("\n\ndef nine():\n    return 9\n")
        git(project, "commit", "-q", "-am", "by hand")
        head = git(project, "rev-parse", "HEAD")
        git(project, "checkout", "-q", "main")
        code, result, said = run(project, url, "--request", request_file)
        assert code == 0, said
    kept = [one["proof"] for one in events_of(project, "kept")]
    assert [one["feature_id"] for one in kept] == [
        "two",
        "three",
        "merge-pull-request",
    ]  # what was in progress comes first
    (conflicted,) = events_of(project, "conflicted")
    assert (conflicted["theirs"], conflicted["paths"]) == (head, ["app.py"])
    (taken,) = events_of(project, "taken-in")
    assert (taken["commit"], taken["checkpoint"]) == (head, kept[2]["before"])
    assert result["errors_recovered"] >= 1  # the first submission still held the markers
    pr = f"autonomous-loop/{LOOP}/pr"
    merged = git(project, "show", f"{pr}:app.py")
    assert all(name in merged for name in ("nine", "two", "three"))
    assert "<<<<" not in merged
    assert git(project, "merge-base", head, pr) == head
