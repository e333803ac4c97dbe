"""The journal's events. Each records one thing that happened, on one line."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from autonomous_loop.domain.budget import Limits, Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.feature import Attempt
from autonomous_loop.domain.model import CommitSha, FeatureId, LoopId, Model
from autonomous_loop.domain.proof import Baseline, Proof, TestRun
from autonomous_loop.domain.request import Request

JOURNAL_SCHEMA: Literal[1] = 1


class Claimant(Model):
    """The holder of a session's claim: a CI run, or a process of one boot of one host.

    Attributes:
        nonce: random, so that two claimants never write the same commit.
    """

    nonce: str
    run_id: str = ""
    run_attempt: int = 1
    host: str = ""
    boot: str = ""
    pid: int = 0
    started: float = 0.0


class LoopFacts(Model):
    """The content of `loop.json`: facts of the whole loop, written once.

    Attributes:
        base_branch: target branch of the pull request.
        base: the commit the loop started from; its configuration was read there.
        configuration_hash: hash of that configuration.
    """

    schema_version: Literal[1] = JOURNAL_SCHEMA
    repository: str
    loop: LoopId
    base_branch: str
    base: CommitSha
    limits: Limits
    request: Request
    configuration_hash: str


class Claimed(Model):
    """A session began."""

    type: Literal["claimed"] = "claimed"
    session: int
    kind: Literal["INIT", "CONTINUE"]
    claimant: Claimant


class Planned(Model):
    """A feature list was accepted (its text is `features.json`, which has this `digest`)."""

    type: Literal["planned"] = "planned"
    features: int
    imported: bool = False
    digest: str = ""


class BaselineTaken(Model):
    """The project's suite was run on untouched code."""

    type: Literal["baseline"] = "baseline"
    baseline: Baseline


class AttemptStarted(Model):
    """An attempt began. If the session dies, the attempt is settled at the cost `reserved`.

    Attributes:
        feature_id: the feature's id, or `PLANNING`.
    """

    type: Literal["attempt-started"] = "attempt-started"
    feature_id: str
    number: int
    reserved: Spending


class Spent(Model):
    """Money and tokens that belong to no attempt, but to planning."""

    type: Literal["spent"] = "spent"
    what: str
    spending: Spending
    recovered: int = 0


class AttemptEnded(Model):
    """An attempt ended; its real spending replaces the reservation.

    Attributes:
        patch: unfinished work is kept at `attempts/<feature>/<number>.patch`.
        recovered: errors recovered on the way.
    """

    type: Literal["attempt-ended"] = "attempt-ended"
    attempt: Attempt
    spending: Spending
    patch: bool = False
    recovered: int = 0


class Kept(Model):
    """A feature passes; its proof is `proofs/<feature>.json`.

    Attributes:
        proof: in brief, so that a journal of many features stays small.
        digest: SHA-256 of that file, so that the signed chain covers it.
    """

    type: Literal["kept"] = "kept"
    proof: Proof
    digest: str = ""


class Blocked(Model):
    """A feature waits for a person."""

    type: Literal["blocked"] = "blocked"
    feature_id: FeatureId
    reason: str
    question: str = ""


class PutOff(Model):
    """A feature is skipped for now."""

    type: Literal["put-off"] = "put-off"
    feature_id: FeatureId


class Reopened(Model):
    """A person asked to try again, or a person's commit broke the proof."""

    type: Literal["reopened"] = "reopened"
    feature_id: FeatureId
    why: str


class Remembered(Model):
    """A note for later sessions."""

    type: Literal["remembered"] = "remembered"
    note: str


class Consumed(Model):
    """A command of the inbox was acted on."""

    type: Literal["consumed"] = "consumed"
    id: str
    actor: str
    name: str
    argument: str = ""


class RequestAdded(Model):
    """A request made while the loop ran. It is frozen here; the next planning turns it into features.

    Attributes:
        id: id of its source, such as `comment-7`, `review-12`, `ci-30-4f2a...` or `pushed-4f2a...`.
        source: a `/loop add`, a review, a failed run of CI, or tests that a person's commits broke.
        by: login of the person who asked; empty if there is none.
        subject: identifies the same source when it comes again, such as the path of a CI workflow.
        text: cleaned of hidden text.
    """

    type: Literal["wished"] = "wished"
    id: str
    source: Literal["add", "review", "ci", "push"]
    by: str = ""
    subject: str = ""
    text: str = Field(min_length=1, max_length=20_000)


class Added(Model):
    """Features were added to the list (its text is `features.json`, which has this `digest`).

    Attributes:
        wishes: ids of the late requests they stand for; none: the loop's own feature, such as a merge.
    """

    type: Literal["added"] = "added"
    features: tuple[FeatureId, ...]
    wishes: tuple[str, ...] = ()
    digest: str = ""


class Conflicted(Model):
    """A feature is a merge that git could not make by itself.

    Attributes:
        theirs: the commit to merge in.
        branch: the branch it came from.
        paths: files in conflict.
    """

    type: Literal["conflicted"] = "conflicted"
    feature_id: FeatureId
    theirs: CommitSha
    branch: str
    paths: tuple[str, ...] = ()


class BudgetSet(Model):
    """A person set the loop's budget, within the ceiling; past spending still counts."""

    type: Literal["budget"] = "budget"
    usd: float = Field(gt=0)
    by: str


class Approved(Model):
    """A person approved the feature list (`plan-approval`)."""

    type: Literal["approved"] = "approved"
    by: str


class TakenIn(Model):
    """A person's commits were merged into the checkpoint."""

    type: Literal["taken-in"] = "taken-in"
    commit: CommitSha
    checkpoint: CommitSha


class PullRequestOpened(Model):
    """The loop opened its pull request."""

    type: Literal["pull-request"] = "pull-request"
    number: int


class Published(Model):
    """The pull request's branch was moved."""

    type: Literal["published"] = "published"
    commit: CommitSha


class SuiteHeld(Model):
    """The whole suite was run between features.

    Attributes:
        run: None if there is no suite, or it did not hold.
    """

    type: Literal["suite"] = "suite"
    commit: CommitSha
    accepted: bool
    run: TestRun | None = None
    reasons: tuple[str, ...] = ()


class Revoked(Model):
    """A feature's proof was taken back, because its checkpoint broke the suite unnoticed.

    Attributes:
        commit: that checkpoint.
        tests: the tests it broke, at most 100 ids.
        why: text for the next attempt.
    """

    type: Literal["revoked"] = "revoked"
    feature_id: FeatureId
    commit: CommitSha
    tests: tuple[str, ...]
    why: str


class CleanRoomHeld(Model):
    """Everything was proved once more in a fresh clone."""

    type: Literal["clean-room"] = "clean-room"
    commit: CommitSha
    accepted: bool
    reasons: tuple[str, ...] = ()


class Ended(Model):
    """A session ended."""

    type: Literal["ended"] = "ended"
    reason: HandoffReason
    checkpoint: CommitSha
    minutes: float
    progressed: bool
    model_answered: bool = True
    not_before: datetime | None = None
    note: str = ""


class Bundle(Model):
    """The copy of a loop's branches that was kept at its end.

    Attributes:
        artifact_id: GitHub's artifact id; 0 if there is none.
        sha256: digest of the bundle file itself.
    """

    run_id: int
    artifact_id: int
    name: str
    sha256: str


class Closed(Model):
    """The pull request was closed, or the issue of a loop without a pull request.

    Attributes:
        how: merged, or closed without a merge.
    """

    type: Literal["closed"] = "closed"
    how: Literal["merged", "closed"]
    pull_request: int | None = None
    bundle: Bundle | None = None


Event = Annotated[
    Claimed
    | Planned
    | BaselineTaken
    | AttemptStarted
    | Spent
    | AttemptEnded
    | Kept
    | Blocked
    | PutOff
    | Reopened
    | Remembered
    | Consumed
    | RequestAdded
    | Added
    | Conflicted
    | BudgetSet
    | Approved
    | TakenIn
    | PullRequestOpened
    | Published
    | SuiteHeld
    | Revoked
    | CleanRoomHeld
    | Ended
    | Closed,
    Field(discriminator="type"),
]
