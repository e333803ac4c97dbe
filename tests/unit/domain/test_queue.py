from datetime import UTC, date, datetime, timedelta

import pytest

from autonomous_loop.domain.budget import Limits, Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import (
    AttemptEnded,
    AttemptStarted,
    Claimant,
    Claimed,
    Closed,
    Ended,
    LoopFacts,
    Spent,
)
from autonomous_loop.domain.feature import Attempt, AttemptOutcome
from autonomous_loop.domain.folding import fold
from autonomous_loop.domain.queue import (
    Room,
    Stand,
    Standing,
    Turn,
    Waiting,
    asked_again,
    matrix,
    must_wait,
    spent_on,
    stand,
)
from autonomous_loop.domain.record import PLANNING, Entry
from autonomous_loop.domain.request import Request

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LIMITS = Limits(sessions=10, usd=10.0)
FACTS = LoopFacts(
    repository="octo/numbers", loop="issue-1", base_branch="main", base="a" * 40, limits=LIMITS,
    request=Request(title="Two", body="", requester="octo"), configuration_hash="c",
)  # fmt: skip
CLAIMED = Claimed(session=1, kind="INIT", claimant=Claimant(nonce="n", run_id="7"))


def ended(reason, **more):
    given = {"checkpoint": "a" * 40, "minutes": 1.0, "progressed": True}
    return Ended(reason=reason, **{**given, **more})


def started(usd, feature="two"):
    return AttemptStarted(feature_id=feature, number=1, reserved=Spending(usd=usd))


def over(usd):
    attempt = Attempt(feature_id="two", number=1, session=1, outcome=AttemptOutcome.PROVED)
    return AttemptEnded(attempt=attempt, spending=Spending(usd=usd))


def entries(*events, at=NOW, signed=True):
    mac = "k1:00" if signed else "none:00"
    return [
        Entry(sequence=number, session=1, at=event[0] if isinstance(event, tuple) else at,
              event=event[1] if isinstance(event, tuple) else event, mac=mac)
        for number, event in enumerate(events, 1)
    ]  # fmt: skip


def stands(*events, signed=True, **more):
    given = {
        "alive": False, "cancelled": False, "by_itself": True, "allow_unsigned": False, "limits": LIMITS,
        "now": NOW,
    }  # fmt: skip
    return stand(fold(FACTS, None, entries(*events, signed=signed)), **{**given, **more})


# --- one loop ---------------------------------------------------------------------------------------------


def test_a_session_that_is_alive_is_left_alone():
    assert stands(CLAIMED, alive=True) is Stand.WORKING


def test_a_loop_that_lost_its_head_is_due():
    assert stands(CLAIMED) is Stand.DUE


def test_a_loop_whose_successor_never_came_is_due():
    assert stands(CLAIMED, ended(HandoffReason.TIME)) is Stand.DUE


def test_a_killed_session_that_its_post_step_ended_is_due():
    assert stands(CLAIMED, ended(HandoffReason.DIED)) is Stand.DUE


@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_nothing_goes_on_before_the_time_the_api_named(minutes):
    last = ended(HandoffReason.USAGE_LIMIT, not_before=NOW + timedelta(minutes=minutes))
    assert stands(CLAIMED, last) is (Stand.LATER if minutes > 0 else Stand.DUE)


@pytest.mark.parametrize(
    "reason",
    [HandoffReason.STOPPED, HandoffReason.COMPLETE, HandoffReason.BLOCKED, HandoffReason.FAILED,
     HandoffReason.MONEY, HandoffReason.NO_PROGRESS],
)  # fmt: skip
def test_what_a_person_or_a_limit_stopped_is_never_restarted(reason):
    assert stands(CLAIMED, ended(reason)) is Stand.OVER


def test_a_list_that_waits_for_a_persons_go_is_neither_restarted_nor_over():
    assert stands(CLAIMED, ended(HandoffReason.APPROVAL)) is Stand.PERSON
    assert not HandoffReason.APPROVAL.ends
    assert HandoffReason.BLOCKED.ends


def test_a_session_whose_job_a_person_cancelled_waits_for_a_person_although_it_could_not_say_so():
    assert stands(CLAIMED, cancelled=True) is Stand.PERSON
    # What it did say holds, whatever became of its run afterwards.
    assert stands(CLAIMED, ended(HandoffReason.TIME), cancelled=True) is Stand.DUE


@pytest.mark.parametrize("last", [[], [ended(HandoffReason.TIME)]])
def test_under_manual_or_event_only_a_person_goes_on_even_after_a_death(last):
    assert stands(CLAIMED, *last, by_itself=False) is Stand.PERSON


def test_an_unsigned_journal_goes_on_by_itself_only_where_that_is_allowed():
    assert stands(CLAIMED, signed=False) is Stand.PERSON
    assert stands(CLAIMED, signed=False, allow_unsigned=True) is Stand.DUE


def test_a_loop_that_could_only_say_that_its_limits_are_reached_is_over():
    assert stands(CLAIMED, ended(HandoffReason.TIME), limits=Limits(sessions=1, usd=10.0)) is Stand.OVER
    # Money that a dead session set aside counts.
    assert stands(CLAIMED, started(10.0)) is Stand.OVER
    assert stands(CLAIMED, started(9.0)) is Stand.DUE


def test_a_closed_loop_is_over_until_a_later_session_opens_it_again():
    closed = [CLAIMED, ended(HandoffReason.TIME), Closed(how="closed", pull_request=2)]
    assert stands(*closed) is Stand.OVER
    again = Claimed(session=2, kind="CONTINUE", claimant=Claimant(nonce="m", run_id="8"))
    assert stands(*closed, again, ended(HandoffReason.TIME)) is Stand.DUE


# --- a day's money ----------------------------------------------------------------------------------------

TODAY, YESTERDAY = date(2026, 3, 4), NOW - timedelta(days=1)


def test_a_days_money_is_what_was_spent_that_day():
    plan = Spent(what=PLANNING, spending=Spending(usd=0.5))
    made = entries(
        (YESTERDAY, CLAIMED), (YESTERDAY, started(3.0)), (YESTERDAY, over(2.0)),
        CLAIMED, started(3.0, PLANNING), plan, started(3.0), over(1.25),
    )  # fmt: skip
    assert spent_on(TODAY, made) == pytest.approx(1.75)
    assert spent_on(YESTERDAY.date(), made) == pytest.approx(2.0)


def test_what_is_set_aside_counts_as_spent_until_the_real_figure_is_known():
    assert spent_on(TODAY, entries(CLAIMED, started(3.0))) == pytest.approx(3.0)


def test_what_a_dead_session_set_aside_stays_spent():
    assert spent_on(TODAY, entries(CLAIMED, started(3.0), CLAIMED, started(2.0), over(0.5))) == pytest.approx(
        3.5
    )


def test_a_day_is_a_utc_day():
    east = datetime(2026, 3, 5, 1, 0, tzinfo=UTC).astimezone(tz=None).replace(tzinfo=None).astimezone()
    assert spent_on(date(2026, 3, 5), entries((east, over(1.0)))) == pytest.approx(1.0)


# --- the repository's limits ------------------------------------------------------------------------------


def loop(number, standing=Stand.DUE, minutes=0):
    return Standing(f"issue-{number}", number, standing, NOW - timedelta(minutes=minutes))


def issue(number, minutes=0):
    return Waiting(f"issue-{number}", number, NOW - timedelta(minutes=minutes))


def made(standings, waiting=(), *, spent=0.0, loops=3):
    turns, wait = matrix(standings, waiting, spent_today=spent, room=Room(usd=30.0, loops=loops), now=NOW)
    return [turn.loop for turn in turns], wait


def test_open_loops_go_first_then_issues_each_oldest_first():
    standings = [loop(4, minutes=1), loop(3, minutes=5), loop(1, Stand.OVER), loop(2, Stand.OVER)]
    turns, wait = matrix(
        standings, [issue(8, 1), issue(9, 3)], spent_today=0.0, room=Room(usd=30.0, loops=9), now=NOW
    )
    assert turns == [Turn("issue-3", 3), Turn("issue-4", 4), Turn("issue-9", 9), Turn("issue-8", 8)]
    assert wait is None


def test_issues_start_only_while_there_is_room_for_another_open_loop():
    standings = [loop(1, Stand.WORKING, 9), loop(2, Stand.PERSON, 8)]
    turns, wait = made(standings, [issue(5, 2), issue(6, 1)])
    assert turns == ["issue-5"]
    assert "max-open-loops is 3" in wait.why
    assert wait.until is None


def test_with_a_lowered_limit_the_oldest_open_loops_go_on():
    turns, wait = made([loop(1, minutes=9), loop(2, minutes=8)], loops=1)
    assert turns == ["issue-1"]
    assert wait.key.startswith("loops-")


def test_loops_that_wait_for_a_time_or_work_already_start_nothing():
    assert made([loop(1, Stand.LATER), loop(2, Stand.WORKING), loop(3, Stand.PERSON)]) == ([], None)


def test_once_the_days_money_is_spent_nothing_starts_until_the_next_utc_day():
    turns, wait = made([loop(1)], [issue(2)], spent=30.0)
    assert turns == []
    assert wait.until == datetime(2026, 3, 5, tzinfo=UTC)
    assert "max-usd-per-day" in wait.why
    assert made([loop(1)], [issue(2)], spent=29.99)[0] == ["issue-1", "issue-2"]


def test_a_loop_that_is_open_already_needs_no_other_place():
    room = Room(usd=30.0, loops=2)
    standings = [loop(1, Stand.DUE, 9), loop(2, Stand.DUE, 8)]
    assert must_wait("issue-2", standings, spent_today=0.0, room=room, now=NOW) is None
    assert must_wait("issue-3", standings, spent_today=0.0, room=room, now=NOW) is not None


def test_a_label_that_an_ended_loop_heard_already_asks_for_nothing():
    one = fold(FACTS, None, entries(CLAIMED, ended(HandoffReason.COMPLETE)))
    assert asked_again({}, NOW)
    assert asked_again({"issue-1": one}, NOW + timedelta(seconds=1))
    assert not asked_again({"issue-1": one}, NOW)
    assert not asked_again({"issue-1": fold(FACTS, None, entries(CLAIMED))}, NOW + timedelta(days=1))
