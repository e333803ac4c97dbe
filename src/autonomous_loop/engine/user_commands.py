"""Reads, answers and journals what people ask of a running loop."""

from __future__ import annotations

from autonomous_loop.domain.answers import Rules, answer, wants_stop
from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.events import BudgetSet, Event
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Command
from autonomous_loop.engine.limits import SessionLimits
from autonomous_loop.engine.ports import Inbox, Journal, Progress


class UserCommands:
    """Polls for user commands and applies them.

    Args:
        inbox: None if there is no inbox to poll.
        limits: apply a stop and a new budget.
        rules: the rules of the configuration.

    Attributes:
        notes: commands that were refused, for people.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        inbox: Inbox | None,
        limits: SessionLimits,
        progress: Progress,
        rules: Rules,
    ) -> None:
        self._journal = journal
        self._inbox = inbox
        self._limits = limits
        self._progress = progress
        self._rules = rules
        self._heard: list[Command] = []
        self.notes: list[str] = []

    def allowed(self, record: LoopRecord, limits: Limits) -> Limits:
        """Apply the budget a person set to the loop's limits, up to what the configuration allows now."""
        usd = record.budget_usd
        return limits if usd is None else limits.with_usd(min(usd, self._rules.ceiling_usd))

    def hear(self, *, at_once: bool = False) -> None:
        """Poll for new commands but do not act on them, because no session is claimed yet."""
        if self._inbox is not None:
            consumed = self._journal.record().consumed
            known = {one.id for one in self._heard} | set(consumed)
            new = self._inbox.poll(consumed=consumed, at_once=at_once)
            self._heard += [one for one in new if one.id not in known]

    def asks_for(self, *names: str) -> bool:
        """Whether one of these commands waits."""
        return any(one.name in names for one in self._heard)

    def brings_work(self) -> bool:
        """Whether a waiting command asks for something to build."""
        record = self._journal.record()
        return any(answer(one, record, self._rules).work for one in self._heard)

    def budget_asked(self) -> float | None:
        """Return the budget that the newest permitted command asks for, or None."""
        record = self._journal.record()
        events = [event for one in self._heard for event in answer(one, record, self._rules).events]
        return next((one.usd for one in reversed(events) if isinstance(one, BudgetSet)), None)

    def listen(self, *, at_once: bool = False) -> None:
        """Act on all commands since the last call. With `at_once`, poll again even after a recent poll."""
        self.hear(at_once=at_once)
        self.act()

    def act(self) -> None:
        """Act on commands polled so far, including those `SessionLimits` found while polling for a stop."""
        heard, self._heard = [*self._limits.heard(), *self._heard], []
        consumed = set(self._journal.record().consumed)
        # Keep each command once, in the order in which it was first read.
        new = list({one.id: one for one in heard if one.id not in consumed}.values())
        if wants_stop(new):
            self._limits.stop()
        for command in new:
            made = answer(command, self._journal.record(), self._rules)
            events: list[Event] = list(made.events)
            self._journal.append(events)
            for event in events:
                if isinstance(event, BudgetSet):
                    self._limits.set_usd(min(event.usd, self._rules.ceiling_usd))
            if made.refused:
                self.notes.append(made.refused)
                self._progress.step(made.refused)
                if self._inbox is not None:
                    self._inbox.refuse(command)
