from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autonomous_loop.ci.routing import nothing_new
from autonomous_loop.config import ContinuationMode
from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Claimant, LoopFacts
from autonomous_loop.domain.record import LoopRecord, SessionRecord
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.trigger import Checked, Pushed, Reviewed

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PUBLISHED, OTHER = "b" * 40, "c" * 40
AUTO, EVENT, MANUAL = ContinuationMode.AUTO, ContinuationMode.EVENT, ContinuationMode.MANUAL
REVIEW = Reviewed(loop="issue-1", number=2, actor="ann", kind="User")
PUSH = Pushed(loop="issue-1", head=OTHER, actor="ann", kind="User")
FAILED = Checked(loop="issue-1", head=PUBLISHED, workflow="ci.yml", failed=True)
PASSED = Checked(loop="issue-1", head=PUBLISHED, workflow="ci.yml", failed=False)


def why(what, reason=HandoffReason.COMPLETE, *, mode=AUTO, not_before=None):
    last = SessionRecord(
        number=1, kind="INIT", claimant=Claimant(nonce="n"), started=NOW, ended=NOW, reason=reason,
        not_before=not_before,
    )  # fmt: skip
    facts = LoopFacts(
        repository="o/r", loop="issue-1", base_branch="main", base="a" * 40, limits=Limits(sessions=3, usd=5),
        request=Request(title="t", body="b"), configuration_hash="h",
    )  # fmt: skip
    record = LoopRecord(
        facts=facts, sessions=(last,), checkpoint=PUBLISHED, published=PUBLISHED, pull_request=2
    )
    return nothing_new(what, record, mode=mode, own_workflow="loop.yml", own_login="the-app[bot]", now=NOW)


@pytest.mark.parametrize("what", [REVIEW, PUSH, FAILED])
@pytest.mark.parametrize("reason", [HandoffReason.COMPLETE, HandoffReason.TIME, HandoffReason.BLOCKED])
def test_what_happens_at_the_pull_request_starts_a_session(what, reason):
    assert why(what, reason) == ""


@pytest.mark.parametrize("what", [REVIEW, PUSH, FAILED])
def test_nothing_but_a_command_goes_on_with_a_loop_that_a_person_stopped(what):
    assert "stopped" in why(what, HandoffReason.STOPPED)


@pytest.mark.parametrize("what", [REVIEW, PUSH, FAILED])
def test_nobody_is_asked_before_the_time_the_service_named(what):
    later = NOW + timedelta(minutes=1)
    assert "not to be asked before" in why(what, HandoffReason.USAGE_LIMIT, not_before=later)
    assert why(what, HandoffReason.USAGE_LIMIT, not_before=NOW) == ""


def test_by_hand_only_people_who_ask_start_a_session():
    assert why(REVIEW, mode=MANUAL) == ""
    assert "manual" in why(PUSH, mode=MANUAL)
    assert "manual" in why(FAILED, mode=MANUAL)


def test_a_review_of_another_pull_request_is_not_the_loops():
    assert "#3" in why(Reviewed(loop="issue-1", number=3, actor="ann", kind="User"))


@pytest.mark.parametrize(("head", "actor"), [(PUBLISHED, "ann"), (OTHER, "the-app[bot]")])
def test_the_loops_own_push_starts_nothing(head, actor):
    assert "itself" in why(Pushed(loop="issue-1", head=head, actor=actor, kind="User"))


@pytest.mark.parametrize(("head", "workflow"), [(OTHER, "ci.yml"), (PUBLISHED, "loop.yml")])
def test_failures_elsewhere_start_nothing(head, workflow):
    assert "published" in why(Checked(loop="issue-1", head=head, workflow=workflow, failed=True))


def test_an_end_of_ci_that_did_not_fail_goes_on_with_a_loop_that_waits_for_an_event():
    assert why(PASSED, HandoffReason.TIME, mode=EVENT) == ""
    assert "did not fail" in why(PASSED, HandoffReason.COMPLETE, mode=EVENT)
    assert "did not fail" in why(PASSED, HandoffReason.TIME, mode=AUTO)
