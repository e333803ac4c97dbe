"""A push that is refused: somebody was faster, a lock is in the way, or the other side does not want it."""

import threading
from pathlib import Path

import pytest

from autonomous_loop.errors import RepositoryError, Superseded, TransientError
from autonomous_loop.git.checkpoints import CheckpointManager, why_refused
from autonomous_loop.git.repository import MOVED, Repository
from git_world import git

BRANCH = "refs/heads/loops/one"


def newer(repository, base):
    return repository.commit(repository.tree_of(base), [base], "newer\n")


@pytest.fixture
def left(project, repository, base):
    """The lock of a git that was killed while it moved the branch."""
    repository.push({BRANCH: base})
    lock = Path(project / ".git" / f"{BRANCH}.lock")
    lock.touch()
    return lock


def test_a_lock_that_was_left_behind_is_named_with_what_to_do(repository, base, left):
    with pytest.raises(RepositoryError) as told:
        repository.push({BRANCH: newer(repository, base)})
    assert str(left) in told.value.message
    assert "delete" in told.value.hint


def test_a_lock_that_another_process_holds_for_a_moment_is_waited_for(repository, base, left, project):
    commit = newer(repository, base)
    threading.Timer(0.2, left.unlink).start()
    repository.push({BRANCH: commit})
    assert git(project, "rev-parse", BRANCH) == commit


def test_a_lock_on_a_server_may_pass_by_itself(repository, base, left):
    # A server's folders are nobody's here to tidy up.
    served = Repository(repository.git, remote=f"file://{repository.remote}", identity=("l", "l@l.invalid"))
    with pytest.raises(TransientError, match="lock"):
        served.push({BRANCH: newer(repository, base)})
    served.close()


def test_a_branch_that_another_one_moved_is_no_lock(repository, base, project):
    repository.push({BRANCH: base})
    tree = repository.write_blob(repository.tree_of(base), "other.txt", b"other\n")
    repository.push({BRANCH: repository.commit(tree, [base], "other\n")})
    with pytest.raises(Superseded):
        repository.push({BRANCH: newer(repository, base)})


@pytest.mark.parametrize(
    "said",
    [
        "cannot lock ref 'refs/heads/x': is at 1111111 but expected 2222222",
        "cannot lock ref 'refs/heads/x': reference already exists",
        "cannot lock ref 'refs/heads/x': reference is missing but expected 2222222",
        "! [rejected] x -> x (fetch first)",
        "! [remote rejected] x -> x (incorrect old value provided)",
    ],
)
def test_what_git_says_of_a_branch_that_moved(said):
    assert MOVED.search(said)


@pytest.mark.parametrize(
    "said",
    [
        "cannot lock ref 'refs/heads/x': Unable to create '/r/refs/heads/x.lock': File exists.",
        "cannot lock ref 'refs/heads/a': 'refs/heads/a/b' exists; cannot create 'refs/heads/a'",
        "! [remote rejected] x -> x (branch is currently checked out)",
    ],
)
def test_what_it_says_of_one_that_did_not(said):
    assert not MOVED.search(said)


def test_what_a_server_refuses_by_a_rule_is_told_in_its_own_words():
    said = """To https://github.com/octo/guestbook.git
!	1111111:refs/heads/loops/one	[remote rejected] (push declined due to repository rule violations)
Done
remote: error: GH013: Repository rule violations found for refs/heads/loops/one.
remote:
remote: - Cannot update this protected ref.
remote:
error: failed to push some refs to 'https://github.com/octo/guestbook.git'
"""
    assert why_refused(said) == (
        "push declined due to repository rule violations (error: GH013: Repository rule violations found for"
        " refs/heads/loops/one. - Cannot update this protected ref.)"
    )


def test_a_branch_that_is_checked_out_is_not_moved_and_it_is_said_what_to_do(repository, base, project):
    checkpoints = CheckpointManager(repository, branches="loops")
    repository.push({"refs/heads/loops/pr": base})
    git(project, "checkout", "-q", "loops/pr")
    with pytest.raises(RepositoryError, match="branch is currently checked out") as told:
        checkpoints.publish(newer(repository, base), expected=base)
    assert "check out another branch" in told.value.hint
