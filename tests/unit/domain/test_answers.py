from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autonomous_loop.domain.answers import Rules, answer
from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import (
    Added,
    Approved,
    Blocked,
    BudgetSet,
    Claimant,
    Claimed,
    Consumed,
    Ended,
    LoopFacts,
    Reopened,
    RequestAdded,
)
from autonomous_loop.domain.feature import Feature, FeatureList, FeatureStatus
from autonomous_loop.domain.folding import fold
from autonomous_loop.domain.record import Entry
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import Command

AT = datetime(2026, 11, 28, tzinfo=UTC)
RULES = Rules(most_features=3, ceiling_usd=10.0, most_repeats=2)
FACTS = LoopFacts(
    repository="o/r", loop="issue-1", base_branch="main", base="a" * 40, limits=Limits(sessions=3, usd=5),
    request=Request(title="t", body="b"), configuration_hash="h",
)  # fmt: skip


def record(*events, features=("two",)):
    listed = FeatureList(features=tuple(Feature(id=one, description=one) for one in features))
    claimed = Claimed(session=1, kind="INIT", claimant=Claimant(nonce="n"))
    entries = [
        Entry(sequence=number, session=1, at=AT, event=event, mac="")
        for number, event in enumerate((claimed, *events), 1)
    ]
    return fold(FACTS, listed, entries)


def ask(name, argument="", *events, subject="", features=("two",)):
    command = Command(id="comment-7", actor="ann", name=name, argument=argument, subject=subject)
    made = answer(command, record(*events, features=features), RULES)
    assert isinstance(made.events[0], Consumed)
    assert made.events[0].id == "comment-7"
    return made, made.events[1:]


def ended(reason):
    return Ended(reason=reason, checkpoint="a" * 40, minutes=1, progressed=True)


def test_a_text_becomes_a_wish():
    made, (wish,) = ask("add", "three")
    assert (wish.source, wish.by, wish.text) == ("add", "ann", "three")
    assert made.work


@pytest.mark.parametrize("name", ["add", "review", "ci"])
def test_a_wish_that_is_one_too_many_is_refused(name):
    waiting = RequestAdded(id="x", source="add", text="x")
    made, events = ask(name, "more", waiting, features=("two", "three"))
    assert events == ()
    assert "max-features" in made.refused
    assert not made.work


def test_the_failure_of_one_workflow_is_work_only_so_often():
    def failed(sha, subject="ci.yml"):
        wish = RequestAdded(id=sha, source="ci", subject=subject, text="x")
        return [wish, Added(features=(), wishes=(sha,))]

    made, _ = ask("ci", "again", *failed("a"), *failed("b", "other.yml"), subject="ci.yml")
    assert made.work
    made, _ = ask("ci", "again", *failed("a"), *failed("b"), subject="ci.yml")
    assert not made.work
    assert "person" in made.refused


@pytest.mark.parametrize(("usd", "taken"), [("10", True), ("0.5", True), ("10.01", False)])
def test_a_budget_holds_up_to_the_ceiling(usd, taken):
    made, events = ask("budget", usd)
    assert events == ((BudgetSet(usd=float(usd), by="ann"),) if taken else ())
    assert bool(made.refused) is not taken


def test_the_newest_budget_is_the_loops_limit_and_nothing_spent_is_forgotten():
    now = record(BudgetSet(usd=9, by="ann"), BudgetSet(usd=2, by="ann"))
    assert now.limits.usd == 2
    assert now.limits.sessions == 3


def test_go_counts_only_once_the_list_was_posted():
    assert ask("go")[1] == ()
    assert ask("go", "", ended(HandoffReason.APPROVAL))[1] == (Approved(by="ann"),)


def test_retry_and_skip_name_a_feature_there_is():
    assert isinstance(ask("skip", "two")[1][0], Blocked)
    blocked = Blocked(feature_id="two", reason="r")
    assert isinstance(ask("retry", "two", blocked)[1][0], Reopened)
    made, events = ask("skip", "nine")
    assert events == ()
    assert "nine" in made.refused


def test_a_loop_with_a_wish_that_waits_is_not_complete():
    done = {"status": {"two": FeatureStatus.PASSING}}
    assert record().model_copy(update=done).complete
    assert not record(RequestAdded(id="x", source="add", text="x")).model_copy(update=done).complete
