"""The record the journal's events fold into. Status and spending are kept nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import Field

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import (
    AttemptEnded,
    AttemptStarted,
    BaselineTaken,
    Blocked,
    Claimant,
    Claimed,
    CleanRoomHeld,
    Closed,
    Consumed,
    Ended,
    Event,
    Kept,
    LoopFacts,
    Planned,
    Published,
    PullRequestOpened,
    PutOff,
    Remembered,
    Reopened,
    Revoked,
    Spent,
    SuiteHeld,
    TakenIn,
)
from autonomous_loop.domain.feature import Attempt, AttemptOutcome, FeatureList, FeatureStatus
from autonomous_loop.domain.model import CommitSha, Model
from autonomous_loop.domain.proof import Baseline, Proof

# What planning is called where a feature's id stands: no list can hold it, since ids are made of [a-z0-9-].
PLANNING = "PLANNING"


class Entry(Model):
    """One line of `sessions/<n>.jsonl`: an event in its place in the chain.

    Attributes:
        sequence: from 1, over the whole loop.
        mac: over the mac before it, repository, loop, session and the event.
    """

    sequence: int
    session: int
    at: datetime
    event: Event
    mac: str


class SessionRecord(Model):
    """One session, folded."""

    number: int
    kind: Literal["INIT", "CONTINUE"]
    claimant: Claimant
    started: datetime
    ended: datetime | None = None
    reason: HandoffReason | None = None
    progressed: bool = False
    model_answered: bool = True
    minutes: float = 0.0
    not_before: datetime | None = None


class LoopRecord(Model):
    """Everything the journal says, folded.

    Attributes:
        open_attempt: an attempt that was started and never ended: its session died.
        proofs: of the features that pass, in brief, in the order in which they were kept.
        digests: SHA-256 of each file of a proof.
        checkpoint: the newest proved commit.
        revoked: pending features whose proof was taken back.
        suite: the whole suite between features, when it last ran.
        held: the newest commit it is known to hold on.
        recovered: errors recovered over the whole loop.
        closed: its pull request (or issue) was closed; a later session opens it again.
        unsettled: what a session that died has spent and not said; the next claim settles it.
    """

    facts: LoopFacts
    features: FeatureList | None = None
    baseline: Baseline | None = None
    sessions: tuple[SessionRecord, ...] = ()
    status: dict[str, FeatureStatus] = Field(default_factory=dict)
    proofs: dict[str, Proof] = Field(default_factory=dict)
    digests: dict[str, str] = Field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    patches: dict[str, int] = Field(default_factory=dict)
    blocked: dict[str, Blocked] = Field(default_factory=dict)
    revoked: dict[str, Revoked] = Field(default_factory=dict)
    put_off: tuple[str, ...] = ()
    in_progress: str | None = None
    open_attempt: AttemptStarted | None = None
    spending: Spending = Spending()
    unsettled: Spending = Spending()
    notes: tuple[str, ...] = ()
    consumed: tuple[str, ...] = ()
    checkpoint: CommitSha
    published: CommitSha | None = None
    pull_request: int | None = None
    clean_room: CleanRoomHeld | None = None
    closed: Closed | None = None
    suite: SuiteHeld | None = None
    held: CommitSha = CommitSha("")
    recovered: int = 0
    entries: int = 0
    last_mac: str = ""

    @property
    def generation(self) -> int:
        """The number of the newest session; 0 before the first claim."""
        return self.sessions[-1].number if self.sessions else 0

    @property
    def passing(self) -> int:
        """How many features pass."""
        return sum(status is FeatureStatus.PASSING for status in self.status.values())

    @property
    def total(self) -> int:
        """How many features there are; 0 before there is a list."""
        return len(self.features.features) if self.features else 0

    def attempts_at(self, feature_id: str) -> tuple[Attempt, ...]:
        """The attempts at one feature, in order."""
        return tuple(attempt for attempt in self.attempts if attempt.feature_id == feature_id)

    @property
    def sessions_without_progress(self) -> int:
        """How many sessions in a row, up to the newest ended one, came to nothing."""
        count = 0
        for session in reversed(self.sessions):
            if session.ended is None or not session.model_answered:
                continue
            if session.progressed:
                break
            count += 1
        return count

    @property
    def outages(self) -> int:
        """How many sessions in a row ended before any answer of the model."""
        count = 0
        for session in reversed(self.sessions):
            if session.ended is None:
                continue
            if session.model_answered:
                break
            count += 1
        return count


def fold(facts: LoopFacts, features: FeatureList | None, entries: Iterable[Entry]) -> LoopRecord:
    """The record the entries add up to.

    An attempt that was started and never ended is settled at its reservation as soon as a later session
    is claimed: its session died.
    """
    state = _Folding(facts, features)
    for entry in entries:
        state.take(entry)
    return state.record()


class _Folding:
    """The accumulator of `fold`: a method an event that does more than set a field."""

    def __init__(self, facts: LoopFacts, features: FeatureList | None) -> None:
        self.facts = facts
        self.features = features
        self.sessions: list[SessionRecord] = []
        self.status: dict[str, FeatureStatus] = {}
        self.values: dict[str, object] = {"checkpoint": facts.base, "held": facts.base}
        self.proofs: dict[str, Proof] = {}
        self.attempts: list[Attempt] = []
        self.patches: dict[str, int] = {}
        self.blocked: dict[str, Blocked] = {}
        self.digests: dict[str, str] = {}
        self.revoked: dict[str, Revoked] = {}
        self.baseline: Baseline | None = None
        self.put_off: list[str] = []
        self.notes: list[str] = []
        self.consumed: list[str] = []
        self.spending = Spending()
        self.recovered = 0
        self.open: AttemptStarted | None = None
        self.in_progress: str | None = None
        self.count = 0
        self.mac = ""
        self.last_at: datetime | None = None
        if features:
            self.status = {feature.id: FeatureStatus.PENDING for feature in features.features}

    def take(self, entry: Entry) -> None:  # noqa: C901, PLR0912 - one flat line an event reads best
        self.count, self.mac = entry.sequence, entry.mac
        match entry.event:
            case Claimed() as event:
                self._claimed(event, entry)
            case AttemptStarted() as event:
                self._attempt_started(event)
            case AttemptEnded() as event:
                self._attempt_ended(event)
            case Kept() as event:
                self._kept(event.proof)
                self.digests[event.proof.feature_id] = event.digest
            case Blocked() as event:
                self.status[event.feature_id] = FeatureStatus.BLOCKED
                self.blocked[event.feature_id] = event
                self.in_progress = None
            case PutOff(feature_id=one):
                self.put_off.append(one)
                self.in_progress = None
            case Reopened(feature_id=one):
                self.status[one] = FeatureStatus.PENDING
                self.blocked.pop(one, None)
                self.proofs.pop(one, None)
            case Spent() as event:
                self._spent(event)
            case BaselineTaken(baseline=baseline):
                self.baseline = baseline
            case SuiteHeld() as event:
                self._suite_held(event)
            case Revoked() as event:
                self._take_back(event)
            case Remembered(note=note):
                self.notes.append(note)
            case Consumed(id=one):
                self.consumed.append(one)
            case TakenIn(checkpoint=commit):
                self.values["checkpoint"] = commit
            case PullRequestOpened(number=number):
                self.values["pull_request"] = number
            case Published(commit=commit):
                self.values["published"] = commit
            case CleanRoomHeld() as event:
                self.values["clean_room"] = event
            case Ended() as event:
                self._ended(event, entry)
            case Closed() as event:
                self.values["closed"] = event
            case Planned():
                pass
        self.last_at = entry.at

    def _claimed(self, event: Claimed, entry: Entry) -> None:
        self.values.pop("closed", None)
        if self.open is not None:  # the session before died in the middle of an attempt
            self._close(
                Attempt(
                    feature_id=self.open.feature_id,
                    number=self.open.number,
                    session=self.sessions[-1].number if self.sessions else 1,
                    outcome=AttemptOutcome.INTERRUPTED,
                    lesson="The session died in the middle of this attempt.",
                ),
                self.open.reserved,
            )
        minutes = self._unsaid_minutes()
        if minutes:
            self.sessions[-1] = self.sessions[-1].model_copy(update={"minutes": minutes})
            self.spending += Spending(minutes=minutes)
        self.sessions.append(
            SessionRecord(number=event.session, kind=event.kind, claimant=event.claimant, started=entry.at)
        )

    def _unsaid_minutes(self) -> float:
        """Of a session that has not ended: up to its last sign of life."""
        last = self.sessions[-1] if self.sessions else None
        if last is None or last.ended is not None or self.last_at is None:
            return 0.0
        return max(0.0, (self.last_at - last.started).total_seconds() / 60)

    def _attempt_started(self, event: AttemptStarted) -> None:
        self.open = event
        if event.feature_id != PLANNING:
            self.in_progress = event.feature_id

    def _spent(self, event: Spent) -> None:
        self.spending += event.spending
        self.recovered += event.recovered
        if event.what == PLANNING:
            self.open = None

    def _attempt_ended(self, event: AttemptEnded) -> None:
        self._close(event.attempt, event.spending)
        self.recovered += event.recovered
        if event.patch:
            self.patches[event.attempt.feature_id] = event.attempt.number
        elif event.attempt.outcome not in {AttemptOutcome.INTERRUPTED, AttemptOutcome.FAULT}:
            # Where nothing could be taken, the patch it started from is still the newest.
            self.patches.pop(event.attempt.feature_id, None)

    def _close(self, attempt: Attempt, spending: Spending) -> None:
        self.attempts.append(attempt)
        self.spending += spending
        self.open = None

    def _kept(self, proof: Proof) -> None:
        self.status[proof.feature_id] = FeatureStatus.PASSING
        self.proofs[proof.feature_id] = proof
        self.revoked.pop(proof.feature_id, None)
        self.put_off = [one for one in self.put_off if one != proof.feature_id]
        self.in_progress = None
        if proof.after is not None:
            self.values["checkpoint"] = proof.after

    def _suite_held(self, event: SuiteHeld) -> None:
        self.values["suite"] = event
        if event.accepted:
            self.values["held"] = event.commit
        if event.run is not None:
            # From here on, this is what passed before.
            self.baseline = (self.baseline or Baseline()).model_copy(update={"last": event.run})

    def _take_back(self, event: Revoked) -> None:
        self.status[event.feature_id] = FeatureStatus.PENDING
        self.revoked[event.feature_id] = event
        self.proofs.pop(event.feature_id, None)
        for at in range(len(self.attempts) - 1, -1, -1):
            one = self.attempts[at]
            if one.feature_id == event.feature_id and one.outcome is AttemptOutcome.PROVED:
                changed = {"outcome": AttemptOutcome.REVOKED, "lesson": event.why}
                self.attempts[at] = one.model_copy(update=changed)
                break

    def _ended(self, event: Ended, entry: Entry) -> None:
        if not self.sessions:
            return
        self.sessions[-1] = self.sessions[-1].model_copy(
            update={
                "ended": entry.at,
                "reason": event.reason,
                "progressed": event.progressed,
                "model_answered": event.model_answered,
                "minutes": event.minutes,
                "not_before": event.not_before,
            }
        )
        self.spending += Spending(minutes=event.minutes)

    def record(self) -> LoopRecord:
        return LoopRecord.model_validate(
            {
                "facts": self.facts,
                "features": self.features,
                "sessions": tuple(self.sessions),
                "status": self.status,
                "proofs": self.proofs,
                "attempts": tuple(self.attempts),
                "patches": self.patches,
                "blocked": self.blocked,
                "digests": self.digests,
                "revoked": self.revoked,
                "baseline": self.baseline,
                "put_off": tuple(self.put_off),
                "in_progress": self.in_progress,
                "open_attempt": self.open,
                "spending": self.spending,
                "unsettled": Spending(minutes=self._unsaid_minutes())
                + (self.open.reserved if self.open else Spending()),
                "notes": tuple(self.notes),
                "consumed": tuple(self.consumed),
                "recovered": self.recovered,
                "entries": self.count,
                "last_mac": self.mac,
                **self.values,
            }
        )
