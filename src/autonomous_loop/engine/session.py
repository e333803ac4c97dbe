"""One session: restore, claim, limits, end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from autonomous_loop.domain.answers import was_asked
from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Approved, Claimed, Ended, LoopFacts
from autonomous_loop.domain.feature import AttemptOutcome
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.continuation import Continuation
from autonomous_loop.engine.ending import MOST_NOTE, SessionCloser
from autonomous_loop.engine.limits import SessionLimits
from autonomous_loop.engine.ports import Claimants, Inbox
from autonomous_loop.engine.upstream import UpstreamMerger
from autonomous_loop.engine.user_commands import UserCommands
from autonomous_loop.errors import JournalError, RequestError, Superseded, explain

OUTAGES = 5
WITHOUT_PROGRESS = 2


class SessionType(StrEnum):
    """Kind of a session. The first session of a loop makes the feature list."""

    INIT = "INIT"
    CONTINUE = "CONTINUE"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended, and what follows."""

    reason: HandoffReason
    note: str
    continuation: Continuation
    record: LoopRecord


@dataclass(frozen=True, slots=True)
class SessionStart:
    """The values a session starts from.

    Attributes:
        facts: the loop's facts if this is its first session. Its limits hold for every session: they come
            from the base commit and the workflow's inputs, which only people with write access can change.
        claimants: tells who this process is, and whether others are alive.
        plan_approval: the feature list waits for a person's approval.
        pin: the generation before the one the dispatch names; None when a person or event started this.
        pin_state: the journal commit that the dispatch saw; the journal must contain it.
    """

    facts: LoopFacts
    claimants: Claimants
    plan_approval: bool
    pin: int | None = None
    pin_state: CommitSha | None = None


@dataclass(frozen=True, slots=True)
class SessionInputs:
    """Sources outside that reach a running session.

    Attributes:
        inbox: None if there is no inbox for commands.
        people: applies people's commands.
        taking_in: merges people's commits.
        limits: decide when to stop.
    """

    inbox: Inbox | None
    people: UserCommands
    upstream: UpstreamMerger
    limits: SessionLimits


class SessionManager:
    """Opens and closes a session around the feature loop.

    Args:
        start: the values the session starts from.
        inputs: the sources that reach it while it runs.
        closer: ends it.
    """

    def __init__(self, start: SessionStart, inputs: SessionInputs, closer: SessionCloser) -> None:
        self._start = start
        self._facts = start.facts
        self._inbox = inputs.inbox
        self._people = inputs.people
        self._taking_in = inputs.upstream
        self._limits = inputs.limits
        self._closer = closer
        self._journal = closer.journal
        self._publisher = closer.publisher
        self._progress = closer.progress
        self._progressed = False
        self.type = SessionType.INIT
        self.notes: list[str] = []

    # --- restore and claim --------------------------------------------------------------------------------

    def restore(self) -> LoopRecord | None:
        """Read the handoff and the journal, check one against the other, and fetch every branch.

        Returns:
            The record, or None before the loop's first session.

        Raises:
            StopLoop: something was rewound, forged or lost. A person must look; the loop never starts over.
            Superseded: another session is at work, or already did this session's part.
            RequestError: the loop was started with a different request.
        """
        self._progress.step("reading the handoff and the journal")
        handoff = self._closer.handoff.read()
        record = self._journal.read()
        if record is None:
            if handoff is not None or self._start.pin:
                raise JournalError(
                    "the loop's journal is missing although sessions ran",
                    hint="restore its state branch; or label the issue anew to start another loop.",
                )
            self._journal.begin(self._facts)
            self._limits.begin(self._facts.limits, self._journal.record().spending, consumed=())
            return None
        if record.facts.request.hash != self._facts.request.hash:
            raise RequestError(
                f"{self._facts.loop} was started with another request, and a loop's request is frozen",
                hint="put the old text back to go on; a request file with another title starts another loop.",
            )
        self.type = SessionType.CONTINUE
        if handoff is None:
            self.notes.append("the handoff was missing; everything was rebuilt from the journal")
        else:
            self._closer.handoff.check(handoff.state, tip=self._journal.tip())
        if self._start.pin_state is not None:
            self._closer.handoff.check(self._start.pin_state, tip=self._journal.tip())
        if self._start.pin is not None and self._start.pin < record.generation:
            raise Superseded(f"session {self._start.pin + 1} was already claimed")
        last = record.sessions[-1] if record.sessions else None
        if last and last.ended is None and self._start.claimants.is_alive(last.claimant):
            raise Superseded(f"session {last.number} is at work")
        self._closer.checkpoints.fetch_all()
        # The next claim settles a dead session's reservation, but it counts from now on.
        spent = record.spending + record.unsettled
        allowed = self._people.allowed(record, self._facts.limits)
        self._limits.begin(allowed, spent, consumed=record.consumed)
        self._progress.update(record, Spending())
        return record

    def spent_before(self, record: LoopRecord | None) -> HandoffReason | None:
        """Return the reason to exit before claiming, or None if there is work.

        Newer commands may bring work to a complete loop, or a budget to one that has spent its own.
        """
        if record is None:
            return None
        if record.generation >= self._facts.limits.sessions:
            last = record.sessions[-1].reason
            return last if last is HandoffReason.COMPLETE else HandoffReason.SESSIONS
        self._people.hear()
        if record.sessions and record.sessions[-1].reason is HandoffReason.COMPLETE:
            more = record.waiting or self._people.brings_work() or self._taking_in.is_due()
            if not more:
                return HandoffReason.COMPLETE
        asked = self._inbox is not None and self.awaits_go(record) and was_asked(record)
        if asked and not self._people.asks_for("go"):
            return HandoffReason.APPROVAL
        if (usd := self._people.budget_asked()) is not None:
            self._limits.set_usd(usd)
        return self._limits.over()

    def awaits_go(self, record: LoopRecord) -> bool:
        """Whether the feature list waits for a person's approval."""
        return self._start.plan_approval and record.features is not None and not record.approved

    def claim(self) -> int:
        """Append "session N" by compare-and-swap.

        Returns:
            N.

        Raises:
            Superseded: another session was faster.
        """
        number = self._journal.record().generation + 1
        self._progress.step(f"claiming session {number}")
        event = Claimed(session=number, kind=self.type.value, claimant=self._start.claimants.me())
        self._journal.append([event])
        self._publisher.take_up(self._journal.record())
        self._publisher.describe(self._journal.record())
        record = self._journal.record()
        if self._inbox is None and self.awaits_go(record) and was_asked(record):
            # Nobody can comment here, so running the loop again counts as approval.
            self._journal.append([Approved(by="whoever ran it again")])
        return number

    def nothing_to_do(self, reason: HandoffReason) -> Ending:
        """End before a claim, because the loop is complete or has reached a limit."""
        record = self._journal.record()
        if reason is HandoffReason.COMPLETE:
            # The last session may have been killed before it published this. Repeating it does no harm.
            self._publisher.describe(record)
            self._publisher.finish(record, reason)
        return Ending(
            reason=reason,
            note="\n".join(self._publisher.notes),
            continuation=Continuation(started=False, why=f"the loop ended: {reason}"),
            record=record,
        )

    def record(self) -> LoopRecord:
        """Return the journal's record."""
        return self._journal.record()

    def complete(self) -> bool:
        """Whether every feature passes."""
        return self._journal.record().complete

    def kept_here(self) -> int:
        """Return how many features this session kept."""
        record = self._journal.record()
        here = [one for one in record.attempts if one.session == record.generation]
        return sum(one.outcome is AttemptOutcome.PROVED for one in here)

    # --- the end ------------------------------------------------------------------------------------------

    def progressed(self) -> None:
        """Note progress: a feature passes or is blocked for the first time, or a list was accepted."""
        self._progressed = True

    def reason_at_end(self, over: HandoffReason | None) -> HandoffReason:
        """Return why the session ends, taking the loop's own limits into account."""
        record = self._journal.record()
        if over is None:
            over = HandoffReason.BLOCKED
        if not over.continues:
            return over
        if not self._came_to_something():
            if not self._limits.answered and record.outages + 1 >= OUTAGES:
                return HandoffReason.NO_PROGRESS
            if self._limits.answered and record.sessions_without_progress + 1 >= WITHOUT_PROGRESS:
                return HandoffReason.NO_PROGRESS
        if record.generation >= self._facts.limits.sessions:
            return HandoffReason.SESSIONS
        return over

    def end(self, reason: HandoffReason, *, note: str = "", not_before: datetime | None = None) -> Ending:
        """End the session: push, then write the handoff, then dispatch."""
        self._closer.require_claim()
        last = self._journal.record().sessions[-1]
        if last.reason is not None:
            # The end is already journaled, by a push whose answer was lost.
            return self._hand_off(last.reason, last.note)
        self._journal.flush()
        self._people.listen(at_once=True)
        reason = self._heard_meanwhile(reason)
        record = self._journal.record()
        events = self._publisher.publish()
        reason = self._publisher.ending(reason)
        late = reason is HandoffReason.BLOCKED and record.waiting
        if late or (reason is HandoffReason.COMPLETE and (self._publisher.behind or not record.complete)):
            # Commits pushed meanwhile are not proved yet, or late requests are not built.
            reason = self.reason_at_end(HandoffReason.SESSION_DONE)
        if reason in {HandoffReason.OUTAGE, HandoffReason.USAGE_LIMIT} and not_before is None:
            # Sessions started at once would use up all sessions before the outage or limit ends.
            not_before = self._limits.after_outage(record.outages)
        said = self._closer.redacted(*self.notes, note, *self._people.notes, *self._publisher.notes)
        ended = Ended(
            reason=reason,
            checkpoint=record.checkpoint,
            minutes=round(self._limits.minutes, 3),
            progressed=self._came_to_something(),
            model_answered=self._limits.answered,
            not_before=not_before,
            note=said[:MOST_NOTE],
        )
        self._journal.append([*events, ended])
        return self._hand_off(reason, said)

    def _heard_meanwhile(self, reason: HandoffReason) -> HandoffReason:
        """Adjust the reason to commands that arrived in the session's last moments."""
        now = self._limits.over()
        if now is HandoffReason.STOPPED and reason.continues:
            return now
        if reason is HandoffReason.MONEY and now is not reason:  # the next session spends the new budget
            return self.reason_at_end(now or HandoffReason.SESSION_DONE)
        return reason

    def _hand_off(self, reason: HandoffReason, note: str) -> Ending:
        """Do what follows the last journal event. A failure here becomes a note and does not end it twice."""
        try:
            continuation = self._closer.hand_off(reason, note)
        except Superseded:
            raise
        except Exception as error:  # noqa: BLE001 - a second end would be worse
            # The journal is pushed, so nothing is lost. The next session starts from it.
            why = self._closer.redacted(explain(error))
            note = f"{note}\n{why}".strip()
            continuation = Continuation(started=False, why=why)
        return Ending(reason, note, continuation, self._journal.record())

    def failed(self, error: Exception, reason: HandoffReason = HandoffReason.FAILED) -> Ending:
        """End with a note on what happened. A person must act, unless `reason` lets the loop continue."""
        self._journal.settle()  # a feature kept just now counts as progress
        return self.end(self.reason_at_end(reason), note=explain(error))

    def _came_to_something(self) -> bool:
        return self._progressed or self.kept_here() > 0
