"""Folds the journal's events into the record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.events import (
    Added,
    Approved,
    AttemptEnded,
    AttemptStarted,
    BaselineTaken,
    Blocked,
    BudgetSet,
    Claimed,
    CleanRoomHeld,
    Closed,
    Conflicted,
    Consumed,
    Ended,
    Kept,
    LoopFacts,
    Planned,
    Published,
    PullRequestOpened,
    PutOff,
    Remembered,
    Reopened,
    RequestAdded,
    Revoked,
    Spent,
    SuiteHeld,
    TakenIn,
)
from autonomous_loop.domain.feature import Attempt, AttemptOutcome, FeatureList, FeatureStatus
from autonomous_loop.domain.proof import Baseline, Proof
from autonomous_loop.domain.record import PLANNING, Entry, LoopRecord, SessionRecord


def fold(facts: LoopFacts, features: FeatureList | None, entries: Iterable[Entry]) -> LoopRecord:
    """Return the record that the entries add up to.

    An attempt that was started but never ended is settled at its reservation when a later session is claimed,
    because its session died.
    """
    state = _Folding(facts, features)
    for entry in entries:
        state.take(entry)
    return state.record()


class _Folding:
    """The state of `fold`, with one method per event that does more than set a field."""

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
        self.wishes: dict[str, RequestAdded] = {}
        self.waiting: list[str] = []
        self.plans = 0
        self.merges: dict[str, Conflicted] = {}
        self.spending = Spending()
        self.recovered = 0
        self.open: AttemptStarted | None = None
        self.in_progress: str | None = None
        self.count = 0
        self.mac = ""
        self.last_at: datetime | None = None
        if features:
            self.status = {feature.id: FeatureStatus.PENDING for feature in features.features}

    def take(self, entry: Entry) -> None:  # noqa: C901, PLR0912, PLR0915 - one flat line an event reads best
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
                self.plans += 1
            case RequestAdded() as event:
                self.wishes[event.id] = event
                self.waiting.append(event.id)
            case Added(wishes=granted):
                self.plans += bool(granted)
                self.waiting = [one for one in self.waiting if one not in granted]
            case Conflicted() as event:
                self.merges[event.feature_id] = event
            case BudgetSet(usd=usd):
                self.values["budget_usd"] = usd
            case Approved():
                self.values["approved"] = True
        self.last_at = entry.at

    def _claimed(self, event: Claimed, entry: Entry) -> None:
        self.values.pop("closed", None)
        if self.open is not None:  # the previous session died during an attempt
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
        """Minutes of a session that has not ended, up to its last event."""
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
            # If no patch was made, the patch that the attempt started from is still the newest.
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
            # From now on, this run lists the tests that passed before.
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
                "note": event.note,
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
                "wishes": self.wishes,
                "waiting": tuple(self.waiting),
                "plans": self.plans,
                "merges": self.merges,
                "recovered": self.recovered,
                "entries": self.count,
                "last_mac": self.mac,
                **self.values,
            }
        )
