from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autonomous_loop.config import ContinuationMode
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.report.status_line import standing


@pytest.mark.parametrize(
    ("reason", "state", "word", "needs_person"),
    [
        (None, "working", "working", False),
        (HandoffReason.COMPLETE, "ready", "ready for review", False),
        (HandoffReason.CONTEXT, "working", "working", False),
        (HandoffReason.TIME, "working", "working", False),
        (HandoffReason.MONEY, "stopped", "stopped by a limit", True),
        (HandoffReason.SESSIONS, "stopped", "stopped by a limit", True),
        (HandoffReason.TOKENS, "stopped", "stopped by a limit", True),
        (HandoffReason.MINUTES, "stopped", "stopped by a limit", True),
        (HandoffReason.NO_PROGRESS, "stopped", "needs you", True),
        (HandoffReason.BLOCKED, "stopped", "needs you", True),
        (HandoffReason.FAILED, "stopped", "needs you", True),
        (HandoffReason.STOPPED, "stopped", "stopped", False),
    ],
)
def test_how_the_last_session_ended_says_where_the_loop_stands(
    make_record, reason, state, word, needs_person
):
    found = standing(make_record(reason=reason))
    assert (found.state, found.word, found.needs_person) == (state, word, needs_person)


@pytest.mark.parametrize("reason", list(HandoffReason))
def test_every_ending_says_why_and_what_comes_next(make_record, reason):
    found = standing(make_record(reason=reason))
    assert found.why
    assert found.step.endswith(".")


def test_a_limit_names_the_setting_that_raises_it(make_record):
    assert "`max-sessions`" in standing(make_record(reason=HandoffReason.SESSIONS)).step
    assert "`token-budget`" in standing(make_record(reason=HandoffReason.TOKENS)).step


def test_a_usage_limit_is_a_pause_with_a_time_not_a_failure(make_record):
    record = make_record(reason=HandoffReason.USAGE_LIMIT)
    last = record.sessions[-1].model_copy(update={"not_before": datetime(2026, 3, 4, 18, 30, tzinfo=UTC)})
    found = standing(record.model_copy(update={"sessions": (*record.sessions[:-1], last)}))
    assert found.state == "paused"
    assert "2026-03-04 18:30 UTC" in found.step


def test_without_automatic_continuation_a_handoff_waits_for_a_person(make_record):
    record = make_record(reason=HandoffReason.TIME)
    found = standing(record, continuation=ContinuationMode.MANUAL)
    assert (found.state, found.needs_person) == ("paused", True)
    assert "/loop continue" in found.step
    assert standing(record, continuation=ContinuationMode.SCHEDULED).state == "paused"


def test_before_there_is_a_list_it_is_being_made(make_record):
    found = standing(make_record(reason=None, features=None, status={}, proofs={}))
    assert "feature list" in found.why
