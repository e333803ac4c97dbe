"""Every error a person may meet.

LoopError                      what happened, why, and what to do next
+-- UsageError                 exit 2: input, configuration or environment a person must mend
|   +-- ConfigurationError     an unknown key, a value out of range
|   +-- RepositoryError        no git repository, no commit, a branch in the way
|   +-- FeatureListError       an empty, malformed or overlong feature list
|   +-- RequestError           the request cannot be found or is empty
|   +-- CredentialError        a missing or refused key or token
|   +-- ModelError             no such model, or its price is not known
|   +-- SandboxError           the hands cannot be kept apart from the loop
|   +-- AccessError            the person who asked may not
|       +-- AccessUnknown      or nobody could say
+-- StopLoop                   the loop must not go on by itself; a person decides
|   +-- JournalError           a chain that fails, a rewound or missing journal
|   +-- HandoffError           a handoff that is forged or from elsewhere
|   +-- SecretLeakError        a known secret was found in something about to leave
+-- Superseded                 another session holds the claim: end, neutrally
+-- SandboxCallError           something the sandbox did: an escaping path, a file too large or not regular
|   +-- DeadlineError          it did not end in time
+-- ServiceError               the model or the forge does not answer as it should
    +-- TransientError         may pass by itself
    +-- UsageLimitError        a limit: hand off, resume when it ends, or after a pause
    +-- ContextExhaustedError  the conversation does not fit any more
    +-- RefusalError           the model declined
    +-- ForgeError             GitHub refused or failed
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from traceback import extract_tb


class LoopError(Exception):
    """The root: its text is meant for a person.

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
    """What a person is told of an error; of one that nobody foresaw, where it happened. Not yet redacted."""
    if isinstance(error, LoopError):
        return str(error)
    places = [frame for frame in extract_tb(error.__traceback__) if "autonomous_loop" in frame.filename]
    where = f" ({Path(places[-1].filename).name}, line {places[-1].lineno})" if places else ""
    return f"unexpected: {type(error).__name__}: {error}{where}\n  What to do: report it with this line."


class UsageError(LoopError):
    """A person must mend input, configuration or environment."""

    exit_code = 2


class ConfigurationError(UsageError):
    """An unknown key, or a value out of range."""


class RepositoryError(UsageError):
    """The project is not a repository a loop can work on."""


class FeatureListError(UsageError):
    """A feature list that is empty, malformed or too long."""


class RequestError(UsageError):
    """No request, or an empty one."""


class CredentialError(UsageError):
    """A key or token is missing or refused."""


class ModelError(UsageError):
    """A model that does not exist or whose price is unknown."""


class SandboxError(UsageError):
    """The hands cannot be kept apart from the loop here."""


class AccessError(UsageError):
    """Whoever asked has no write access, or nobody could say so."""


class AccessUnknown(AccessError):  # noqa: N818 - a kind of refusal: whether they may ask could not be told
    """GitHub did not say whether they may: refused now, and nothing is taken away for it."""


class StopLoop(LoopError):  # noqa: N818 - a decision, not a fault
    """The loop must not go on by itself."""


class JournalError(StopLoop):
    """The journal cannot be trusted or is missing."""


class HandoffError(StopLoop):
    """A handoff that is forged, rewound or from elsewhere."""


class SecretLeakError(StopLoop):
    """A known secret stood in something about to leave."""


class Superseded(LoopError):  # noqa: N818 - the loser of a race did nothing wrong
    """Another session holds the claim."""


class SandboxCallError(LoopError):
    """Something on the hands' side cannot be taken."""


class DeadlineError(SandboxCallError):
    """It did not end in time."""


class ServiceError(LoopError):
    """A service does not answer as it should."""


class TransientError(ServiceError):
    """It may pass by itself."""


class UsageLimitError(ServiceError):
    """A limit of the model's service.

    Args:
        resume_at: when the API says it ends, in UTC; None when it does not say.
    """

    def __init__(self, message: str, *, resume_at: datetime | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.resume_at = resume_at


class ContextExhaustedError(ServiceError):
    """The conversation does not fit the model's context any more."""


class RefusalError(ServiceError):
    """The model declined to go on."""


class ForgeError(ServiceError):
    """GitHub refused or failed.

    Args:
        status: the HTTP status, 0 where there was none.
    """

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
