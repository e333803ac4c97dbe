"""The record that the journal's events fold into. Status and spending are stored nowhere else."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from autonomous_loop.domain.budget import Limits, Spending
from autonomous_loop.domain.decision import HandoffReason, is_complete
from autonomous_loop.domain.events import (
    AttemptStarted,
    Blocked,
    Claimant,
    CleanRoomHeld,
    Closed,
    Conflicted,
    Event,
    LoopFacts,
    RequestAdded,
    Revoked,
    SuiteHeld,
)
from autonomous_loop.domain.feature import Attempt, FeatureList, FeatureStatus
from autonomous_loop.domain.model import CommitSha, Model
from autonomous_loop.domain.proof import Baseline, ModelCommand, Proof

# Stands for planning in place of a feature id. No list can contain it, since ids consist of [a-z0-9-].
PLANNING = "PLANNING"


class Entry(Model):
    """One line of `sessions/<n>.jsonl`: an event at its place in the chain.

    Attributes:
        sequence: from 1, over the whole loop.
        mac: over the previous mac, repository, loop, session and the event.
    """

    sequence: int
    session: int
    at: datetime
    event: Event
    mac: str


class SessionRecord(Model):
    """One session, folded from its events."""

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
    note: str = ""


class LoopRecord(Model):
    """The whole journal, folded.

    Attributes:
        open_attempt: an attempt that was started but never ended, because its session died.
        proofs: brief proofs of the features that pass, in the order in which they were kept.
        digests: SHA-256 of each proof's file.
        checkpoint: the newest proved commit.
        revoked: pending features whose proof was taken back.
        suite: the last run of the whole suite between features.
        held: the newest commit on which the suite is known to hold.
        wishes: all later requests, by the id of their source.
        waiting: ids of those that no feature stands for yet.
        merges: features that are merges with conflicts.
        approved: a person approved the list.
        budget_usd: the budget a person set by `/loop budget`; None: the configured limit.
        recovered: errors recovered over the whole loop.
        closed: its pull request (or issue) was closed; a later session opens it again.
        unsettled: what a dead session spent without reporting it; the next claim settles it.
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
    wishes: dict[str, RequestAdded] = Field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    plans: int = 0
    merges: dict[str, Conflicted] = Field(default_factory=dict)
    approved: bool = False
    budget_usd: float | None = None
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
        """Number of the newest session; 0 before the first claim."""
        return self.sessions[-1].number if self.sessions else 0

    @property
    def passing(self) -> int:
        """Number of features that pass."""
        return sum(status is FeatureStatus.PASSING for status in self.status.values())

    @property
    def total(self) -> int:
        """Number of features; 0 before there is a list."""
        return len(self.features.features) if self.features else 0

    @property
    def limits(self) -> Limits:
        """The limits the loop was started with, except for a budget that a person set."""
        return self.facts.limits.with_usd(self.budget_usd)

    @property
    def complete(self) -> bool:
        """Whether every feature passes and no request waits to become one, computed from proofs alone."""
        return self.features is not None and not self.waiting and is_complete(self.features, self.status)

    @property
    def taken_up_after_done(self) -> bool:
        """Whether the newest session continues a loop that was complete."""
        return len(self.sessions) > 1 and self.sessions[-2].reason is HandoffReason.COMPLETE

    @property
    def model_command(self) -> ModelCommand:
        """The model's test command, as every session after the baseline must use it."""
        if self.baseline is not None and self.baseline.model_command is not None:
            return ModelCommand(self.baseline.model_command, tried=True)
        return ModelCommand(self.features.test_command if self.features else "")

    def attempts_at(self, feature_id: str) -> tuple[Attempt, ...]:
        """Return the attempts at one feature, in order."""
        return tuple(attempt for attempt in self.attempts if attempt.feature_id == feature_id)

    @property
    def sessions_without_progress(self) -> int:
        """Number of consecutive sessions, up to the newest ended one, that made no progress."""
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
        """Number of consecutive sessions that ended before any answer of the model."""
        count = 0
        for session in reversed(self.sessions):
            if session.ended is None:
                continue
            if session.model_answered:
                break
            count += 1
        return count
