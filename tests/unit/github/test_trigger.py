from __future__ import annotations

import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.trigger import (
    Asked,
    Checked,
    Continue,
    Ignore,
    Pushed,
    Queue,
    Reviewed,
    Start,
    StartFile,
)
from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.trigger import activity

CONFIG = LoopConfig()


def labelled(**issue) -> dict:
    return {
        "action": "labeled",
        "label": {"name": "autonomous-loop"},
        "issue": {"number": 12, "state": "open", **issue},
        "sender": {"login": "mona"},
    }


def commented(body: str, **issue) -> dict:
    return {
        "action": "created",
        "comment": {"id": 77, "body": body, "user": {"login": "mona"}},
        "issue": {"number": 12, **issue},
        "sender": {"login": "somebody-else"},
    }


def dispatched(**inputs) -> dict:
    return {"inputs": inputs, "sender": {"login": "github-actions[bot]"}}


def test_the_label_starts_a_loop():
    assert activity("issues", labelled(), CONFIG) == Start(issue=12, actor="mona")


def test_the_configured_label_counts():
    assert isinstance(activity("issues", labelled(), LoopConfig(label="robot")), Ignore)


@pytest.mark.parametrize("issue", [{"state": "closed"}, {"pull_request": {"url": "x"}}, {"number": "12"}])
def test_closed_issues_pull_requests_and_nonsense_start_nothing(issue):
    assert isinstance(activity("issues", labelled(**issue), CONFIG), Ignore)


def test_a_command_is_asked_by_the_comments_author():
    assert activity("issue_comment", commented("/loop retry reply"), CONFIG) == Asked(
        number=12, on_pull_request=False, name="retry", argument="reply", comment_id=77, actor="mona"
    )


def test_a_command_may_stand_on_a_pull_request():
    found = activity("issue_comment", commented("/loop stop", pull_request={"url": "x"}), CONFIG)
    assert isinstance(found, Asked)
    assert found.on_pull_request


def test_other_comments_ask_for_nothing():
    assert isinstance(activity("issue_comment", commented("nice /loop stop"), CONFIG), Ignore)


def test_a_dispatch_goes_on_with_a_loop():
    event = dispatched(loop="issue-12", generation="3", pin="a" * 40, issue="")
    assert activity("workflow_dispatch", event, CONFIG) == Continue(
        loop="issue-12", generation=3, pin="a" * 40, actor="github-actions[bot]"
    )


def test_a_person_may_dispatch_a_loop_without_generation_and_pin():
    found = activity("workflow_dispatch", dispatched(loop="issue-12", generation=None), CONFIG)
    assert found == Continue(loop="issue-12", generation=None, pin=None, actor="github-actions[bot]")


@pytest.mark.parametrize("issue", ["12", "#12", " 12 "])
def test_a_dispatch_may_start_an_issue(issue):
    found = activity("workflow_dispatch", dispatched(issue=issue), CONFIG)
    assert found == Start(issue=12, actor="github-actions[bot]")


def test_a_dispatch_may_start_a_request_file_where_it_names_no_issue():
    found = activity("workflow_dispatch", dispatched(request=" docs/wish.md ", issue=""), CONFIG)
    assert found == StartFile(path="docs/wish.md", actor="github-actions[bot]")
    assert isinstance(activity("workflow_dispatch", dispatched(request="a.md", issue="3"), CONFIG), Start)


@pytest.mark.parametrize(
    "inputs",
    [
        {"loop": "../../etc"},
        {"loop": "Issue 12"},
        {"loop": "issue-12", "generation": "0"},
        {"loop": "issue-12", "generation": "x"},
        {"loop": "issue-12", "pin": "main"},
        {"loop": "issue-12", "pin": "A" * 40},
        {"issue": "twelve"},
        {"issue": "-1"},
    ],
)
def test_a_dispatch_that_makes_no_sense_is_refused_with_the_inputs_name(inputs):
    with pytest.raises(ConfigurationError, match=f"input {list(inputs)[-1]} is"):
        activity("workflow_dispatch", dispatched(**inputs), CONFIG)


@pytest.mark.parametrize("event", [{}, {"inputs": None}, {"inputs": {"loop": ""}}])
def test_a_dispatch_of_nothing_asks_for_nothing(event):
    assert isinstance(activity("workflow_dispatch", event, CONFIG), Ignore)


def test_a_schedule_starts_what_waits():
    assert activity("schedule", {}, CONFIG) == Queue()


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("issues", {"action": "opened"}),
        ("issues", {"action": "unlabeled"}),
        ("issue_comment", {"action": "edited"}),
        ("push", {}),
        ("pull_request_target", {"action": "opened"}),
        ("issues", {"action": "labeled"}),
        ("issues", {"action": "labeled", "label": "autonomous-loop", "issue": []}),
        ("issue_comment", {"action": "created", "comment": None}),
    ],
)
def test_everything_else_is_ignored_with_a_reason(name, event):
    found = activity(name, event, CONFIG)
    assert isinstance(found, Ignore)
    assert found.reason


# --- what happens at a pull request ---

SHA = "b" * 40
HERE = {"full_name": "octo/numbers"}


def reviewed(
    state="changes_requested",
    *,
    action="submitted",
    repo=HERE,
    ref="autonomous-loop/issue-12/pr",
    pr_state="open",
):
    return {
        "action": action,
        "review": {"id": 5, "state": state, "user": {"login": "ann", "type": "User"}},
        "pull_request": {"number": 13, "state": pr_state, "head": {"ref": ref, "repo": repo}},
        "repository": HERE,
        "sender": {"login": "somebody-else", "type": "User"},
    }  # fmt: skip


def pushed(ref="refs/heads/autonomous-loop/issue-12/pr", **more):
    return {
        "ref": ref, "after": SHA, "deleted": False, "repository": HERE,
        "sender": {"login": "ann", "type": "User"}, **more,
    }  # fmt: skip


def checked(*, action="completed", **more):
    run = {
        "id": 9, "head_sha": SHA, "head_branch": "autonomous-loop/issue-12/pr", "conclusion": "failure",
        "path": ".github/workflows/ci.yml", "head_repository": HERE, **more,
    }  # fmt: skip
    return {"action": action, "workflow_run": run, "repository": HERE}


def test_a_review_that_asks_for_changes_is_its_reviewers_word():
    assert activity("pull_request_review", reviewed(), CONFIG) == Reviewed(
        loop="issue-12", number=13, actor="ann", kind="User"
    )


@pytest.mark.parametrize(
    "event",
    [
        reviewed("approved"),
        reviewed("commented"),
        reviewed("dismissed"),
        reviewed(action="edited"),
        reviewed(action="dismissed"),
        reviewed(repo={"full_name": "eve/numbers"}),
        reviewed(repo=None),
        reviewed(ref="main"),
        reviewed(ref="autonomous-loop/issue-12/state"),
        reviewed(pr_state="closed"),
        {"action": "submitted"},
        {"action": "submitted", "review": {"state": "changes_requested"}, "pull_request": []},
    ],
)
def test_other_reviews_ask_for_nothing(event):
    assert isinstance(activity("pull_request_review", event, CONFIG), Ignore)


def test_a_push_to_the_pull_requests_branch_is_seen():
    assert activity("push", pushed(), CONFIG) == Pushed(loop="issue-12", head=SHA, actor="ann", kind="User")


@pytest.mark.parametrize(
    "event",
    [
        pushed("refs/heads/main"),
        pushed("refs/heads/autonomous-loop/issue-12/state"),
        pushed("refs/tags/autonomous-loop/issue-12/pr"),
        pushed("autonomous-loop/issue-12/pr"),
        pushed(deleted=True, after="0" * 40),
        pushed(after="main"),
        pushed(ref=None),
    ],
)
def test_other_pushes_ask_for_nothing(event):
    assert isinstance(activity("push", event, CONFIG), Ignore)


@pytest.mark.parametrize(
    ("conclusion", "failed"),
    [("failure", True), ("timed_out", True), ("success", False), ("cancelled", False), ("skipped", False)],
)
def test_a_run_on_the_pull_requests_branch_failed_or_not(conclusion, failed):
    assert activity("workflow_run", checked(conclusion=conclusion), CONFIG) == Checked(
        loop="issue-12", head=SHA, workflow=".github/workflows/ci.yml", failed=failed
    )


@pytest.mark.parametrize(
    "event",
    [
        checked(action="requested"),
        checked(head_repository={"full_name": "eve/numbers"}),
        checked(head_repository=None),
        checked(head_branch="main"),
        checked(head_branch=None),
        checked(head_sha="main"),
        {"action": "completed"},
    ],
)
def test_other_runs_ask_for_nothing(event):
    assert isinstance(activity("workflow_run", event, CONFIG), Ignore)
