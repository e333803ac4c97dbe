"""What people ask of a running loop: heard, answered, journaled."""

from __future__ import annotations

from autonomous_loop.domain.answers import Rules, answer, wants_stop
from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.events import BudgetSet, Event
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Command
from autonomous_loop.engine.limits import SessionLimits
from autonomous_loop.engine.ports import Inbox, Journal, Progress


class UserCommands:
    """The session's ear.

    Args:
        inbox: None where there are no people to listen to.
        limits: carry a stop and a budget out.
        rules: of the configuration.

    Attributes:
        notes: what came to nothing, for people.
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
        """The loop's limits with the budget a person set, within what the configuration allows now."""
        usd = record.budget_usd
        return limits if usd is None else limits.with_usd(min(usd, self._rules.ceiling_usd))

    def hear(self, *, at_once: bool = False) -> None:
        """Ask what is new, and do nothing about it yet: no session is claimed."""
        if self._inbox is not None:
            consumed = self._journal.record().consumed
            known = {one.id for one in self._heard} | set(consumed)
            new = self._inbox.poll(consumed=consumed, at_once=at_once)
            self._heard += [one for one in new if one.id not in known]

    def asks_for(self, *names: str) -> bool:
        """Whether one of these commands waits."""
        return any(one.name in names for one in self._heard)

    def brings_work(self) -> bool:
        """Whether what waits is something to build."""
        record = self._journal.record()
        return any(answer(one, record, self._rules).work for one in self._heard)

    def budget_asked(self) -> float | None:
        """The money the newest waiting command asks for, if it may."""
        record = self._journal.record()
        events = [event for one in self._heard for event in answer(one, record, self._rules).events]
        return next((one.usd for one in reversed(events) if isinstance(one, BudgetSet)), None)

    def listen(self, *, at_once: bool = False) -> None:
        """Act on everything asked for since the last time; `at_once`: up to this very moment."""
        self.hear(at_once=at_once)
        self.act()

    def act(self) -> None:
        """Act on what was heard, also by the session's limits while they looked for a stop."""
        heard, self._heard = [*self._limits.heard(), *self._heard], []
        consumed = set(self._journal.record().consumed)
        # Each once, in the order in which it was heard first.
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
