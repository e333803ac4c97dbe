"""Sorts errors into categories, with one recovery strategy for each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.feature import Attempt, AttemptOutcome
from autonomous_loop.errors import (
    ContextExhaustedError,
    DeadlineError,
    RefusalError,
    SandboxCallError,
    TransientError,
    UsageLimitError,
)

# Only outcomes that say something about the work use up a feature's attempts.
COUNTED = frozenset({AttemptOutcome.REFUSED, AttemptOutcome.GAVE_UP, AttemptOutcome.REVOKED})


class ErrorCategory(StrEnum):
    """The kind of error."""

    TRANSIENT = "transient"
    USAGE_LIMIT = "usage limit"
    CONTEXT = "context exhausted"
    VERIFICATION = "verification failed"
    ENVIRONMENT = "environment"
    UNRECOVERABLE = "unrecoverable"


class RecoveryStrategy(StrEnum):
    """The reaction to an error."""

    RETRY = "retry"  # try the same again, in the next session
    RETRY_BACKOFF = (
        "retry after a pause"  # done by the SDK and the conversation; hand off if that is not enough
    )
    FIX_AND_RETRY = "fix and retry"  # the reasons go back to the model, in the same conversation
    ROLLBACK = "roll back"  # a fresh attempt from the checkpoint
    SKIP = "skip"  # other features first
    ESCALATE = "escalate"  # a person


# The first match counts, so a narrower type comes before a wider one.
_CATEGORIES: tuple[tuple[tuple[type[Exception], ...], ErrorCategory], ...] = (
    ((UsageLimitError,), ErrorCategory.USAGE_LIMIT),
    ((ContextExhaustedError,), ErrorCategory.CONTEXT),
    ((RefusalError,), ErrorCategory.VERIFICATION),
    ((TransientError,), ErrorCategory.TRANSIENT),
    ((DeadlineError, SandboxCallError), ErrorCategory.ENVIRONMENT),
)


class ErrorRecoverer:
    """Chooses the strategy.

    Args:
        max_attempts: attempts that say something about the work, after which a feature is blocked.
        max_submissions: refusals allowed in one conversation.
    """

    def __init__(self, *, max_attempts: int, max_submissions: int) -> None:
        self._max_attempts = max_attempts
        self._max_submissions = max_submissions

    def categorize(self, error: Exception) -> ErrorCategory:
        """Return the category of an error that ended a conversation."""
        return next(
            (category for kinds, category in _CATEGORIES if isinstance(error, kinds)),
            ErrorCategory.UNRECOVERABLE,
        )

    def handoff_for(self, category: ErrorCategory) -> HandoffReason:
        """Return why the session ends if such an error outlasted the retries."""
        return {
            ErrorCategory.TRANSIENT: HandoffReason.OUTAGE,
            ErrorCategory.USAGE_LIMIT: HandoffReason.USAGE_LIMIT,
            ErrorCategory.CONTEXT: HandoffReason.CONTEXT,
            ErrorCategory.ENVIRONMENT: HandoffReason.ENVIRONMENT,
            ErrorCategory.VERIFICATION: HandoffReason.SESSION_DONE,
            ErrorCategory.UNRECOVERABLE: HandoffReason.FAILED,
        }[category]

    def after_refusal(self, refusals: int) -> RecoveryStrategy:
        """Choose, after a refused submission, between a fix in this conversation and a fresh start."""
        return (
            RecoveryStrategy.FIX_AND_RETRY if refusals < self._max_submissions else RecoveryStrategy.ROLLBACK
        )

    def after_attempt(self, attempts: Sequence[Attempt], *, others_ready: bool) -> RecoveryStrategy:
        """Choose a strategy after an attempt that did not pass.

        Args:
            attempts: all attempts at this feature, the newest last.
            others_ready: another feature is ready meanwhile.
        """
        counted = [attempt for attempt in attempts if attempt.outcome in COUNTED]
        if len(counted) >= self._max_attempts:
            return RecoveryStrategy.ESCALATE
        signatures = [attempt.signature for attempt in counted if attempt.signature]
        if len(signatures) >= 2 and signatures[-1] == signatures[-2]:
            # Two fresh starts ended in the same failure, so do not try the same way again.
            return RecoveryStrategy.SKIP if others_ready else RecoveryStrategy.ESCALATE
        return RecoveryStrategy.ROLLBACK
