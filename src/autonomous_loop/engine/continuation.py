"""Starts the next session, or says what the loop waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autonomous_loop.config import ContinuationMode
from autonomous_loop.domain.handoff import Handoff
from autonomous_loop.engine.ports import Clock, Forge

__all__ = ["Continuation", "ContinuationHandler", "ContinuationMode"]


@dataclass(frozen=True, slots=True)
class Continuation:
    """The decision about the next session.

    Attributes:
        started: the next session was dispatched, or may follow in this process.
        url: address of its run, if there is one.
        why: for people: what makes the loop go on, or what it waits for.
        not_before: the time the model's service gave, or else the end of the loop's own pause.
    """

    started: bool
    why: str
    url: str = ""
    not_before: datetime | None = None


_WAITS_FOR = {
    ContinuationMode.MANUAL: "continuation is manual: comment `/loop continue`",
    ContinuationMode.SCHEDULED: "the schedule starts the next session",
    ContinuationMode.EVENT: "the next event of the repository starts the next session",
}


class ContinuationHandler:
    """Starts the next session, or says what the loop waits for.

    Args:
        mode: continuation mode from the configuration.
        forge: None if sessions follow one another in one process.
        signed: the handoff is signed. An unsigned loop continues by itself only with `allow_unsigned`.
    """

    def __init__(
        self,
        mode: ContinuationMode,
        *,
        forge: Forge | None,
        clock: Clock,
        signed: bool,
        allow_unsigned: bool,
        max_sessions: int,
    ) -> None:
        self._mode = mode
        self._forge = forge
        self._clock = clock
        self._trusted = signed or allow_unsigned
        self._max_sessions = max_sessions

    def proceed(self, handoff: Handoff) -> Continuation:
        """Continue after the handoff. Call this last: push, write the handoff, then proceed."""
        if not handoff.reason.continues:
            return Continuation(started=False, why=f"the loop ended: {handoff.reason}")
        if handoff.generation >= self._max_sessions:
            return Continuation(
                started=False, why=f"all {self._max_sessions} sessions are used (max-sessions)"
            )
        if handoff.not_before and handoff.not_before > self._clock.now():
            # Never sleep on a paid runner. The schedule starts the loop again.
            when = handoff.not_before.strftime("%Y-%m-%d %H:%M UTC")
            return Continuation(
                started=False,
                why=f"the model's service is not to be asked before {when}",
                not_before=handoff.not_before,
            )
        if self._mode is ContinuationMode.AUTO:
            return self._auto(handoff)
        return Continuation(started=False, why=_WAITS_FOR[self._mode])

    def _auto(self, handoff: Handoff) -> Continuation:
        if self._forge is None:
            return Continuation(started=True, why="the next session follows")
        if not self._trusted:
            return Continuation(
                started=False,
                why="the handoff is unsigned: set `handoff-key` or `allow-unsigned: true` to go on by itself",
            )
        url = self._forge.dispatch(handoff)
        return Continuation(started=True, why="the next session was dispatched", url=url)
