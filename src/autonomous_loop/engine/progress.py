"""Passes counts and events to every surface that shows progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.feature import FeatureStatus
from autonomous_loop.domain.record import LoopRecord


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The loop's progress, as far as a progress bar needs it.

    Attributes:
        session: number of the session; 0 before the claim.
        feature: the feature in work.
        step: the current step in one short line.
        spending: spending of the whole loop, including the running attempt.
    """

    session: int = 0
    passing: int = 0
    blocked: int = 0
    total: int = 0
    feature: str = ""
    step: str = ""
    spending: Spending = field(default_factory=Spending)
    recovered: int = 0


Observer = Callable[[Snapshot], None]


class ProgressTracker:
    """Implements `Progress`. The engine itself prints nothing.

    Args:
        observers: called on every change, in order.
        redact: removes secrets, because a step may quote the model.
    """

    def __init__(self, *observers: Observer, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._observers = observers
        self.snapshot = Snapshot()

    def step(self, text: str) -> None:
        """See `Progress`."""
        self._tell(replace(self.snapshot, step=self._redact(text)))

    def update(self, record: LoopRecord, running: Spending) -> None:
        """See `Progress`."""
        self._tell(
            replace(
                self.snapshot,
                session=record.generation,
                passing=record.passing,
                blocked=sum(status is FeatureStatus.BLOCKED for status in record.status.values()),
                total=record.total,
                feature=record.in_progress or "",
                spending=record.spending + running,
                recovered=record.recovered,
            )
        )

    def _tell(self, snapshot: Snapshot) -> None:
        if snapshot != self.snapshot:
            self.snapshot = snapshot
            for observer in self._observers:
                observer(snapshot)
