"""Pure functions that decide how a running loop answers people's commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import (
    Approved,
    Blocked,
    BudgetSet,
    Consumed,
    Event,
    Reopened,
    RequestAdded,
)
from autonomous_loop.domain.feature import FeatureStatus
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Command

SOURCES = frozenset({"add", "review", "ci"})


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules from the configuration.

    Attributes:
        most_features: maximum features of the loop, later ones included.
        ceiling_usd: highest budget that a comment may set.
        most_repeats: how often the same workflow's failure becomes work.
    """

    most_features: int
    ceiling_usd: float
    most_repeats: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The consequences of a command.

    Attributes:
        events: events to journal; one of them marks the command as consumed.
        refused: why the command was refused; empty if it was not.
    """

    events: tuple[Event, ...]
    refused: str = ""

    @property
    def work(self) -> bool:
        """Whether it adds something new to build."""
        return any(isinstance(one, RequestAdded | Reopened) for one in self.events)


def wants_stop(commands: Iterable[Command]) -> bool:
    """Whether the last relevant command is a stop; a later command overrides an earlier one."""
    said = [one.name for one in commands if one.name in {"stop", "go", "continue"}]
    return said[-1:] == ["stop"]


def answer(command: Command, record: LoopRecord, rules: Rules) -> Answer:
    """Return the events of a command. A `stop` has only its own, since the session's limits carry it out."""
    taken = Consumed(id=command.id, actor=command.actor, name=command.name, argument=command.argument[:500])
    made = _made(command, record, rules)
    if isinstance(made, str):
        return Answer((taken,), refused=made)
    return Answer((taken, *made))


def _made(  # noqa: PLR0911 - one answer a command reads best
    command: Command, record: LoopRecord, rules: Rules
) -> tuple[Event, ...] | str:
    name, argument, by = command.name, command.argument, command.actor
    if name in {"retry", "skip"} and argument not in record.status:
        return f"/loop {name}: there is no feature {argument[:60]}"
    if name == "retry":
        if record.status[argument] is FeatureStatus.PASSING:
            return f"/loop retry: {argument} passes"
        return (Reopened(feature_id=argument, why=f"{by} asked to try again"),)
    if name == "skip":
        return (Blocked(feature_id=argument, reason=f"{by} asked to skip it"),)
    if name == "budget":
        usd = float(argument)
        if usd > rules.ceiling_usd:
            return (
                f"/loop budget {usd:g}: a comment may set ${rules.ceiling_usd:.2f} at most; raise max-usd or"
                " max-usd-ceiling in the workflow for more"
            )
        return (BudgetSet(usd=usd, by=by),)
    if name == "go":
        return (Approved(by=by),) if was_asked(record) else ()
    if name in SOURCES:
        return _wish(command, record, rules)
    return ()


def was_asked(record: LoopRecord) -> bool:
    """Whether the list was posted for approval. Before that, nobody can have approved it."""
    return any(one.reason is HandoffReason.APPROVAL for one in record.sessions)


def _wish(command: Command, record: LoopRecord, rules: Rules) -> tuple[Event, ...] | str:
    if record.total + len(record.waiting) >= rules.most_features:
        return (
            f"what was asked for by {command.name} was left out: the loop has {record.total} of"
            f" {rules.most_features} features (max-features)"
        )
    if command.name == "ci":
        same = ("ci", command.subject)
        before = sum((one.source, one.subject) == same for one in record.wishes.values())
        if before >= rules.most_repeats:
            return (
                f"CI failed again ({command.subject}), after {before} failures of it became work"
                " (max-attempts): a person must look at it"
            )
    source: Literal["add", "review", "ci"] = "add"
    if command.name == "review":
        source = "review"
    elif command.name == "ci":
        source = "ci"
    text = command.argument[:20_000]
    return (RequestAdded(id=command.id, source=source, by=command.actor, subject=command.subject, text=text),)
