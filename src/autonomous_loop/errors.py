"""Every error a person may meet.

LoopError                      what happened, why, and what to do next
+-- UsageError                 exit 2: a person must fix input, configuration or environment
|   +-- ConfigurationError     an unknown key, a value out of range
|   +-- RepositoryError        no git repository, no commit, a branch in the way
|   +-- FeatureListError       an empty, malformed or overlong feature list
|   +-- RequestError           the request is missing or empty
|   +-- CredentialError        a missing or rejected key or token
|   +-- ModelError             no such model, or its price is unknown
|   +-- SandboxError           the sandbox cannot be isolated from the loop
|   +-- AccessError            the person who asked has no permission
|       +-- AccessUnknown      or the permission is unknown
+-- StopLoop                   the loop must not go on by itself; a person decides
|   +-- JournalError           a chain that fails, a rewound or missing journal
|   +-- HandoffError           a handoff that is forged or from elsewhere
|   +-- SecretLeakError        data about to leave contains a known secret
+-- Superseded                 another session holds the claim: end, neutrally
+-- SandboxCallError           the sandbox's fault: an escaping path, a file too large or not regular
|   +-- DeadlineError          a call did not end in time
+-- ServiceError               the model or the forge does not answer as it should
    +-- TransientError         may pass by itself
    +-- UsageLimitError        a limit: hand off, resume when it ends, or after a pause
    +-- ContextExhaustedError  the conversation no longer fits
    +-- RefusalError           the model declined
    +-- ForgeError             GitHub refused or failed
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from traceback import extract_tb


class LoopError(Exception):
    """The root of all errors. Its text is written for a person.

    Args:
        message: what happened and why.
        hint: what to do next: the exact setting, command or place.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  What to do: {self.hint}" if self.hint else self.message


def explain(error: BaseException) -> str:
    """Return the text for a person; for an unexpected error, include where it happened. Not yet redacted."""
    if isinstance(error, LoopError):
        return str(error)
    places = [frame for frame in extract_tb(error.__traceback__) if "autonomous_loop" in frame.filename]
    where = f" ({Path(places[-1].filename).name}, line {places[-1].lineno})" if places else ""
    return f"unexpected: {type(error).__name__}: {error}{where}\n  What to do: report it with this line."


class UsageError(LoopError):
    """A person must fix input, configuration or environment."""

    exit_code = 2


class ConfigurationError(UsageError):
    """An unknown key, or a value out of range."""


class RepositoryError(UsageError):
    """The loop cannot work on this project's repository."""


class FeatureListError(UsageError):
    """The feature list is empty, malformed or too long."""


class RequestError(UsageError):
    """The request is missing or empty."""


class CredentialError(UsageError):
    """A key or token is missing or rejected."""


class ModelError(UsageError):
    """The model does not exist, or its price is unknown."""


class SandboxError(UsageError):
    """The sandbox cannot be isolated from the loop here."""


class AccessError(UsageError):
    """The person who asked has no write access, or their access is unknown."""


class AccessUnknown(AccessError):  # noqa: N818 - a kind of refusal: their access is unknown
    """GitHub did not report the person's access. The request is refused; nothing is undone."""


class StopLoop(LoopError):  # noqa: N818 - a decision, not a fault
    """The loop must not go on by itself."""


class JournalError(StopLoop):
    """The journal is missing or cannot be trusted."""


class HandoffError(StopLoop):
    """The handoff is forged, rewound or from elsewhere."""


class SecretLeakError(StopLoop):
    """Data about to leave contains a known secret."""


class Superseded(LoopError):  # noqa: N818 - the loser of a race did nothing wrong
    """Another session holds the claim."""


class SandboxCallError(LoopError):
    """The sandbox left or returned something that cannot be accepted."""


class DeadlineError(SandboxCallError):
    """A call did not end in time."""


class ServiceError(LoopError):
    """A service does not answer as it should."""


class TransientError(ServiceError):
    """The fault may pass by itself."""


class UsageLimitError(ServiceError):
    """The model's service reports a limit.

    Args:
        resume_at: when the API says the limit ends, in UTC; None if it does not say.
    """

    def __init__(self, message: str, *, resume_at: datetime | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.resume_at = resume_at


class ContextExhaustedError(ServiceError):
    """The conversation no longer fits the model's context."""


class RefusalError(ServiceError):
    """The model declined to go on."""


class ForgeError(ServiceError):
    """GitHub refused or failed.

    Args:
        status: the HTTP status, or 0 if there was none.
    """

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
