"""Ends a session: last journal event, handoff, published texts, next session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Ended, Event
from autonomous_loop.engine.continuation import Continuation, ContinuationHandler
from autonomous_loop.engine.handoff import HandoffCoordinator
from autonomous_loop.engine.ports import Checkpoints, Journal, Progress, Reporter
from autonomous_loop.engine.publisher import Publisher
from autonomous_loop.errors import Superseded

MOST_NOTE = 4_000


@dataclass(frozen=True, slots=True)
class SessionCloser:
    """Ends a session. It needs neither a model nor a sandbox, so the post step can use it too.

    Attributes:
        keep_checkpoints: number of checkpoint branches to keep.
    """

    journal: Journal
    checkpoints: Checkpoints
    handoff: HandoffCoordinator
    continuation: ContinuationHandler
    publisher: Publisher
    reporter: Reporter
    progress: Progress
    keep_checkpoints: int

    def journal_end(self, events: Sequence[Event], ended: Ended) -> Continuation:
        """Journal the end, then hand off.

        Args:
            events: other events to journal in the same push.

        Raises:
            Superseded: another session holds the claim.
        """
        self.journal.append([*events, ended])
        return self.hand_off(ended.reason, ended.note)

    def hand_off(self, reason: HandoffReason, note: str) -> Continuation:
        """Finish a session whose end is journaled: write the handoff, publish, start the next session.

        Raises:
            Superseded: another session holds the claim.
        """
        record, state = self.journal.record(), self.journal.tip()
        assert state is not None
        self.progress.step(f"session {record.generation} ended: {reason}")
        handoff = self.handoff.prepare(
            record, state=state, reason=reason, run_id=record.sessions[-1].claimant.run_id, note=note
        )
        self.require_claim()
        self.publisher.describe(record)
        self.handoff.write(handoff, human=self.reporter.sticky(record))
        self.publisher.finish(record, reason)
        self.checkpoints.prune(keep=self.keep_checkpoints)
        return self.continuation.proceed(handoff)

    def require_claim(self) -> None:
        """Check the claim again before publishing anything, because REST has no compare-and-swap.

        Raises:
            Superseded: another session holds the claim.
        """
        if not self.journal.holds():
            raise Superseded("another session holds the claim")

    def redacted(self, *notes: str) -> str:
        """Join the notes, one per line, with secrets removed."""
        return self.reporter.redact("\n".join(note for note in notes if note))
