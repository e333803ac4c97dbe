"""Pure functions that decide what to do next from what is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from autonomous_loop.domain.feature import Feature, FeatureList, FeatureStatus


class HandoffReason(StrEnum):
    """Why a session ended."""

    COMPLETE = "complete"
    CONTEXT = "context"  # the conversation no longer fit
    TIME = "time"  # the session's own deadline
    SESSION_DONE = "session-done"  # the session completed its share of features
    USAGE_LIMIT = "usage-limit"  # a limit of the API: until the time it named, or for a pause
    OUTAGE = "outage"  # the service did not answer
    ENVIRONMENT = "environment"  # disk, memory, setup
    MONEY = "money"
    TOKENS = "tokens"
    MINUTES = "minutes"
    SESSIONS = "sessions"
    NO_PROGRESS = "no-progress"
    DIED = "died"  # killed without a signal; its job completed it
    STOPPED = "stopped"  # stopped by a person
    BLOCKED = "blocked"  # only blocked features are left
    APPROVAL = "approval"  # the list waits for approval by `/loop go`
    FAILED = "failed"  # an error stopped it that a person must look at

    @property
    def continues(self) -> bool:
        """Whether a next session may start by itself."""
        return self in _CONTINUES

    @property
    def ends(self) -> bool:
        """Whether the loop has ended: it neither continues by itself nor waits for a person's approval."""
        return not self.continues and self is not HandoffReason.APPROVAL

    @property
    def by_limit(self) -> bool:
        """Whether a limit of the loop ended it with work left."""
        return self in {
            HandoffReason.MONEY,
            HandoffReason.TOKENS,
            HandoffReason.MINUTES,
            HandoffReason.SESSIONS,
            HandoffReason.NO_PROGRESS,
        }


_CONTINUES = frozenset(
    {
        HandoffReason.CONTEXT,
        HandoffReason.TIME,
        HandoffReason.SESSION_DONE,
        HandoffReason.USAGE_LIMIT,
        HandoffReason.OUTAGE,
        HandoffReason.ENVIRONMENT,
        HandoffReason.DIED,
    }
)


class NextStep(StrEnum):
    """The instruction to a conversation between two turns."""

    GO_ON = "go on"
    COMPACT = "compact"
    HAND_OFF = "hand off"


def ready_features(features: FeatureList, status: Mapping[str, FeatureStatus]) -> list[Feature]:
    """Return pending features whose dependencies all pass, in the list's order."""
    return [
        feature
        for feature in features.features
        if status.get(feature.id, FeatureStatus.PENDING) is FeatureStatus.PENDING
        and all(status.get(need) is FeatureStatus.PASSING for need in feature.depends_on)
    ]


def next_feature(
    features: FeatureList,
    status: Mapping[str, FeatureStatus],
    *,
    in_progress: str | None = None,
    put_off: Collection[str] = (),
) -> Feature | None:
    """Return the next ready feature: in progress first, then by priority, then by the list's order.

    Args:
        features: the loop's list.
        status: by id; a missing id is pending.
        in_progress: the feature that an interrupted session worked on.
        put_off: features skipped for now, taken only if nothing else is ready.
    """
    ready = ready_features(features, status)
    ready.sort(key=lambda one: (one.id in put_off, one.id != in_progress, one.priority))
    return ready[0] if ready else None


def is_complete(features: FeatureList, status: Mapping[str, FeatureStatus]) -> bool:
    """Whether every feature passes, computed from proofs alone."""
    return all(status.get(feature.id) is FeatureStatus.PASSING for feature in features.features)
