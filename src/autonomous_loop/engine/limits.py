"""The session's limits: the loop's budget, the session's deadline, and a stop by a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.answers import wants_stop
from autonomous_loop.domain.budget import Exhausted, Limits, Spending, exhausted
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.work import Command
from autonomous_loop.engine.ports import Clock, Inbox

POLL_S = 10.0
OUTAGE_MINUTES = 10
_REASONS = {
    Exhausted.MONEY: HandoffReason.MONEY,
    Exhausted.TOKENS: HandoffReason.TOKENS,
    Exhausted.MINUTES: HandoffReason.MINUTES,
    Exhausted.SESSIONS: HandoffReason.SESSIONS,
}


class SessionLimits:
    """Implements `Watch`.

    Args:
        inbox: polled for a stop command, at most every ten seconds; None if there is no inbox.
    """

    def __init__(self, config: LoopConfig, *, clock: Clock, inbox: Inbox | None) -> None:
        self._clock = clock
        self._inbox = inbox
        self._started = clock.monotonic()
        self._deadline = self._started + config.session_minutes * 60
        self._most_features = config.session_features
        self._limits: Limits | None = None
        self._before = Spending()
        self._running = Spending()
        self._stopped = False
        self._polled = self._started
        self._heard: list[Command] = []
        self._consumed: tuple[str, ...] = ()
        self.kept = 0
        self.answered = False

    def begin(self, limits: Limits, spent: Spending, *, consumed: tuple[str, ...]) -> None:
        """Set the loop's budget after the journal is read.

        Args:
            limits: the limits the loop was started with.
            spent: what earlier sessions spent.
            consumed: ids of commands already acted on.
        """
        self._limits = limits
        self._before = spent
        self._consumed = consumed

    def set_usd(self, usd: float) -> None:
        """Set the loop's budget to the amount a person chose. Past spending still counts."""
        if self._limits is not None:
            self._limits = self._limits.with_usd(usd)

    @property
    def minutes(self) -> float:
        """Minutes of wall time this session has used so far."""
        return (self._clock.monotonic() - self._started) / 60

    @property
    def late(self) -> bool:
        """Whether the session's deadline has passed. If so, the deadline ends the session, not a person."""
        return self.seconds_left() <= 0

    def spend(self, spending: Spending, *, answered: bool) -> None:
        """See `Watch`."""
        self.answered = self.answered or answered
        self._running += spending

    def stop(self) -> None:
        """Ask the session to end, on behalf of a person."""
        self._stopped = True

    def over(self) -> HandoffReason | None:
        """See `Watch`."""
        if self._stopped or self._asked_to_stop():
            return HandoffReason.STOPPED
        if self._limits is not None:
            spent = self._before + self._running + Spending(minutes=self.minutes)
            reached = exhausted(self._limits, spent)
            if reached:
                return _REASONS[reached]
        if self.seconds_left() <= 0:
            return HandoffReason.TIME
        return None

    def heard(self) -> list[Command]:
        """Return commands found while polling for a stop, to journal and act on. Each is returned once."""
        heard, self._heard = self._heard, []
        return heard

    def after_outage(self, outages: int) -> datetime:
        """Return when to resume if the service gave no time for an outage or limit. The pause doubles.

        Args:
            outages: consecutive sessions before this one that ended the same way.
        """
        return self._clock.now() + timedelta(minutes=OUTAGE_MINUTES * 2**outages)

    def share_done(self) -> bool:
        """Whether this session has kept as many features as `session-features` allows."""
        return self._most_features is not None and self.kept >= self._most_features

    def seconds_left(self) -> float:
        """See `Watch`."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def _asked_to_stop(self) -> bool:
        if self._inbox is None or self._clock.monotonic() - self._polled < POLL_S:
            return False
        self._polled = self._clock.monotonic()
        commands = self._inbox.poll(consumed=self._consumed)
        self._heard.extend(commands)
        self._stopped = wants_stop(commands)
        return self._stopped
