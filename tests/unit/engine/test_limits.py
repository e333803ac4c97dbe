from datetime import UTC, datetime

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.budget import Limits, Spending, Tokens
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.work import Command
from autonomous_loop.engine.limits import SessionLimits


class Clock:
    seconds = 0.0

    def now(self):
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self):
        return self.seconds


class Inbox:
    """Gives each command once, as the real one does."""

    def __init__(self, *commands):
        self.commands = list(commands)

    def poll(self, *, consumed, at_once=False):
        given, self.commands = self.commands, []
        return [one for one in given if one.id not in consumed]


def limits(inbox=None, clock=None):
    made = SessionLimits(LoopConfig(), clock=clock or Clock(), inbox=inbox)
    made.begin(Limits(sessions=3, usd=1.0), Spending(), consumed=())
    return made


def test_what_broken_answers_cost_is_counted_but_is_no_answer():
    made = limits()
    made.spend(Spending(tokens=Tokens(input=900, output=5), usd=1.0), answered=False)
    assert not made.answered
    assert made.over() is HandoffReason.MONEY
    made.spend(Spending(), answered=True)
    made.spend(Spending(), answered=False)
    assert made.answered


def test_commands_met_while_looking_for_a_stop_are_not_lost():
    clock = Clock()
    retry, stop = Command("c-1", "ada", "retry", "two"), Command("c-2", "ada", "stop")
    made = limits(Inbox(retry, stop), clock)
    assert made.over() is None
    clock.seconds = 11.0
    assert made.over() is HandoffReason.STOPPED
    assert made.heard() == [retry, stop]
    assert made.heard() == []


def test_a_stop_that_was_taken_back_stops_nothing():
    clock = Clock()
    said = [Command(f"c-{number}", "ada", name) for number, name in enumerate(("stop", "add", "continue"))]
    made = limits(Inbox(*said), clock)
    clock.seconds = 11.0
    assert made.over() is None
    assert made.heard() == said
