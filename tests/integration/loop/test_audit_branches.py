"""What people would merge is what an audit is about: branches that do not stand where the journal says."""

import shutil
import subprocess

import pytest

from audit_world import BRANCHES, LOOP, audit, finish
from git_world import git
from loop_world import command, environment

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def project(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "project")


def at(project, branch):
    return git(project, "rev-parse", f"refs/heads/{BRANCHES}/{branch}")


def move(project, branch, to):
    git(project, "update-ref", f"refs/heads/{BRANCHES}/{branch}", git(project, "rev-parse", to))


def delete(project, branch):
    git(project, "update-ref", "-d", f"refs/heads/{BRANCHES}/{branch}")


def commits(project, start, *messages):
    """Commits on top of one, each with a file of its own; the last one."""
    there = project.parent / f"there-{messages[0].split()[0]}"
    git(project, "worktree", "add", "-q", "--detach", str(there), start)
    for message in messages:
        (there / f"{message.split()[0]}.txt").write_text(message)
        git(there, "add", "-A")
        git(there, "commit", "-q", "-m", message)
    return git(there, "rev-parse", "HEAD")


def findings(project, *args):
    """What speaks against it, and nothing else does: the proofs themselves hold."""
    code, found, said = audit(project, *args)
    assert (code, found["holds"]) == (1, False), said
    return found["findings"], found


def test_a_pull_request_moved_back_to_main(project):
    move(project, "pr", "main")
    (said,), found = findings(project)
    main = git(project, "rev-parse", "main")
    assert said == (
        f"the branch pr was moved back: it stands at {main[:12]}, and the journal moved it to"
        f" {at(project, 'checkpoint/1')[:12]}; whoever merges it does not get: two, three"
    )
    assert found["pr"] == main


def test_a_pull_request_moved_back_by_one_feature(project):
    move(project, "pr", f"{BRANCHES}/pr^")
    (said,), _ = findings(project)
    assert "moved back" in said
    assert said.endswith("does not get: three")


def test_a_pull_request_without_its_branch(project):
    delete(project, "pr")
    (said,), found = findings(project)
    assert said.startswith("the branch pr is missing")
    assert at(project, "checkpoint/1")[:12] in said
    assert found["pr"] is None


def test_a_pull_request_with_commits_after_the_last_proof(project):
    last = at(project, "pr")
    move(project, "pr", commits(project, last, "tidy up a little", "notes on it"))
    (said,), found = findings(project)
    assert said.startswith(f"the branch pr has 2 commits after the last proof ({last[:12]})")
    assert "tidy up a little" in said
    assert "notes on it" in said
    assert at(project, "pr")[:12] in said
    assert found["commit"] == found["pr"] == at(project, "pr")
    assert {one["verdict"] for one in found["features"]} == {"holds"}


def test_a_pull_request_forced_to_another_history(project):
    move(project, "pr", commits(project, "main", "other work"))
    said, found = findings(project)
    stands = f"the branch pr stands at {at(project, 'pr')[:12]}"
    lost = "whoever merges it does not get: two, three"
    assert said == [f"{stands}, which does not contain what was proved; {lost}"]
    assert found["commit"] == at(project, "pr")


def test_a_missing_checkpoint(project):
    delete(project, "checkpoint/1")
    (said,), _ = findings(project)
    assert said == (
        f"the branch checkpoint/1 is missing: session 1 left it at {at(project, 'pr')[:12]}"
        " (deleted, or not fetched)"
    )


@pytest.mark.parametrize("where", ["ahead", "behind", "elsewhere"])
def test_a_checkpoint_that_points_elsewhere(project, where):
    to = {"behind": f"{BRANCHES}/pr^", "ahead": "", "elsewhere": ""}[where]
    start = f"{BRANCHES}/pr" if where == "ahead" else "main"
    move(project, "checkpoint/1", to or commits(project, start, "slipped in"))
    (said,), _ = findings(project)
    here = at(project, "checkpoint/1")[:12]
    assert said == f"checkpoint/1 stands at {here}, the record at {at(project, 'pr')[:12]}"


def test_a_checkpoint_of_a_session_that_the_journal_does_not_know(project):
    move(project, "checkpoint/2", f"{BRANCHES}/pr")
    (said,), _ = findings(project)
    assert said.startswith(
        "the branch checkpoint/2 is there, and the journal knows no session 2: its end is missing"
    )


def cut_before(project, event):
    """The journal as it was before the first commit that brought such an event."""
    state = f"{BRANCHES}/state"
    for commit in git(project, "rev-list", "--reverse", state).split():
        if f'"type":"{event}"' in git(project, "show", f"{commit}:sessions/1.jsonl").replace('": "', '":"'):
            move(project, "state", f"{commit}^")
            return
    raise AssertionError(event)


def test_a_journal_cut_to_before_the_last_proof(project):
    state = at(project, "state")
    while git(project, "show", f"{BRANCHES}/state:sessions/1.jsonl").count('"kept"') == 2:
        move(project, "state", f"{BRANCHES}/state^")
    assert at(project, "state") != state
    said, found = findings(project)
    two = git(project, "rev-parse", f"{BRANCHES}/pr^")[:12]
    assert said[0] == f"checkpoint/1 stands at {at(project, 'pr')[:12]}, the record at {two}"
    assert "1 commit after the last proof" in said[1]
    assert "three" in said[1]
    assert [one["verdict"] for one in found["features"]] == ["holds", "no proof"]


def test_a_journal_cut_to_before_the_pull_request_was_moved(project):
    """Every proof is in it. That the branch stands where the journal never moved it, tells."""
    cut_before(project, "published")
    (said,), _ = findings(project)
    assert said.startswith(
        f"the branch pr stands at {at(project, 'pr')[:12]}, and the journal never moved it"
    )


def test_a_journal_cut_to_before_any_proof(project):
    cut_before(project, "kept")
    code, found, said = audit(project)
    assert code == 1, said
    assert "its end is missing" in found["error"]


def test_a_proof_whose_file_is_gone(project):
    there = project.parent / "there"
    git(project, "worktree", "add", "-q", "--detach", str(there), f"{BRANCHES}/state")
    git(there, "rm", "-q", "proofs/two.json")
    git(there, "commit", "-q", "-m", "session 1: less")
    move(project, "state", git(there, "rev-parse", "HEAD"))
    said, found = findings(project)
    assert said == []
    assert [one["findings"] for one in found["features"]] == [["proofs/two.json is missing"], []]


def test_a_person_reads_what_would_be_merged(project):
    done = subprocess.run(
        command("audit", LOOP, "--project", project),
        env=environment(""), capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    pr = at(project, "pr")[:12]
    assert f"  what people would merge: {BRANCHES}/pr at {pr}" in done.stdout.splitlines()
    assert "every proof holds" in done.stdout
    delete(project, "pr")
    done = subprocess.run(
        command("audit", LOOP, "--project", project),
        env=environment(""), capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    assert "  what people would merge: nothing" in done.stdout
    assert "not every proof holds" not in done.stdout.splitlines()[0]
    assert "the proofs hold, but" in done.stdout.splitlines()[0]
    assert done.returncode == 1


def test_a_clean_room_that_cannot_be_made_shows_nothing(project):
    code, found, said = audit(project, "--setup", "echo no such package; exit 3")
    assert code == 2, said
    assert {one["verdict"] for one in found["features"]} == {"not shown"}
    assert "no such package" in found["reasons"][0]["text"]
