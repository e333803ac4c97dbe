"""Translates the SDK's exceptions into the loop's errors. No message contains a key, header or request."""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import anthropic
import httpx2
from anthropic.lib.credentials import WorkloadIdentityError

from autonomous_loop.errors import (
    ContextExhaustedError,
    CredentialError,
    LoopError,
    ModelError,
    ServiceError,
    TransientError,
    UsageLimitError,
)

_TOO_LONG = re.compile(r"prompt is too long|context (window|limit)|exceeds? .{0,40}context", re.IGNORECASE)
_NO_CREDIT = re.compile(r"credit balance|billing", re.IGNORECASE)
_RETRY_TYPES = frozenset({"overloaded_error", "api_error", "timeout_error"})
_SHOWN_CHARS = 300
_KEY_HINT = "set ANTHROPIC_API_KEY (the `anthropic-api-key` input) to a valid key of the Claude Console."


class CutStreamError(Exception):
    """The stream stopped before its end (no error, no `message_stop`), or cannot be read."""


_BROKEN = CutStreamError | json.JSONDecodeError | UnicodeDecodeError


def is_broken_stream(error: BaseException) -> bool:
    """Whether an answer broke off after it had started, which the SDK never retries.

    An error event arrives with status 200. A reset or a stall arrives as a bare transport error. An answer
    that is not streamed and not JSON arrives as a decoding error. Another ValueError is the request's.
    """
    if isinstance(error, anthropic.APIStatusError):
        return error.status_code == 200 and error.type in _RETRY_TYPES
    return isinstance(error, _BROKEN | httpx2.TransportError)


def translate(error: Exception, *, model: str) -> LoopError:  # noqa: PLR0911 - a table
    """Return the loop's error for an exception of the SDK.

    Args:
        error: raised by a call of the SDK.
        model: the model's id, for the message.
    """
    if isinstance(error, LoopError):
        return error
    if isinstance(error, anthropic.APIStatusError):
        return _by_status(error, model)
    if isinstance(error, WorkloadIdentityError):
        return _by_exchange(error)
    if isinstance(error.__cause__, httpx2.LocalProtocolError | UnicodeError):
        return CredentialError(
            "The API key holds a character that cannot be sent, such as a line break at its end.",
            hint=_KEY_HINT,
        )
    if isinstance(error, anthropic.CredentialsError) or (
        isinstance(error, TypeError) and "authentication" in str(error)
    ):
        return CredentialError("There is no key for the model's service.", hint=_KEY_HINT)
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException):
        return TransientError("The model's service did not answer in time.")
    if isinstance(error, anthropic.APIConnectionError | httpx2.TransportError):
        return TransientError(f"The model's service cannot be reached ({_cause(error)}).")
    if isinstance(error, _BROKEN):
        return TransientError("The model's answers keep breaking off before their end.")
    if isinstance(error, ValueError):
        return LoopError(
            f"The loop could not put together what it was to send to the model ({type(error).__name__}).",
            hint="this is a fault of the loop, not of the model's service: report it.",
        )
    return ServiceError(f"The model's service failed in an unknown way ({type(error).__name__}).")


def _by_exchange(error: WorkloadIdentityError) -> LoopError:
    """Explain a failed token exchange. The service's own words may echo the token, so leave them out."""
    status = error.status_code
    if status is None or status == 429 or status >= 500:
        said = f"HTTP {status}" if status else "no answer"
        return TransientError(f"The identity token could not be exchanged at the model's service ({said}).")
    return CredentialError(
        f"The model's service did not take this job's identity token (HTTP {status}).",
        hint="see that anthropic-federation-rule-id and anthropic-organization-id are right, and that the "
        "rule matches this repository, branch and audience; the Workload identity page of the Claude Console "
        "lists each try.",
    )


def resume_time(headers: Mapping[str, str]) -> datetime | None:
    """Return when a limit ends, in UTC: from `retry-after`, else the latest reset of a used-up limit.

    None if the API names no time, or only past ones.
    """
    now, wait = datetime.now(UTC), retry_after_s(headers)
    if wait is not None:
        try:
            return now + timedelta(seconds=wait) if wait > 0 else None
        except (OverflowError, ValueError):  # beyond the calendar's range
            return None
    resets = [
        _moment(headers[name])
        for name in headers
        if (match := re.fullmatch(r"(anthropic-ratelimit-.+)-reset", name.lower()))
        and headers.get(f"{match[1]}-remaining", "0") == "0"
    ]
    known = [reset for reset in resets if reset is not None and reset > now]
    return max(known, default=None)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait in seconds that the API asks for (`retry-after`: seconds or a date), or None."""
    given = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _by_status(error: anthropic.APIStatusError, model: str) -> LoopError:  # noqa: C901, PLR0911 - a table
    status, said = error.status_code, _said(error)
    kind = error.type or ""
    match status:
        case 401 | 403:
            return CredentialError(
                f"The model's service refused the key (HTTP {status}). {said}", hint=_KEY_HINT
            )
        case 402:
            return _no_credit(said)
        case 404:
            return ModelError(
                f"The model's service knows no model {model!r}. {said}",
                hint="set `model` to one your key can use, such as claude-opus-5-5.",
            )
        case 413:
            return ContextExhaustedError(f"The conversation is too large to be sent. {said}")
        case 429:
            return _limited(said, resume_time(error.response.headers))
    if status == 200 and kind == "rate_limit_error":
        return _limited(said, None)  # these headers date from when the request was still accepted
    if status == 400 and _TOO_LONG.search(said):
        return ContextExhaustedError(f"The conversation does not fit the model's context any more. {said}")
    if status == 400 and _NO_CREDIT.search(said):
        return _no_credit(said)
    if status in {408, 409} or status >= 500 or kind in _RETRY_TYPES:
        if retry_after_s(error.response.headers):
            return UsageLimitError(
                f"The model's service is overloaded (HTTP {status}). {said}",
                resume_at=resume_time(error.response.headers),
            )
        return TransientError(f"The model's service fails (HTTP {status}). {said}")
    return ServiceError(f"The model's service refused the request (HTTP {status}). {said}")


def _limited(said: str, resume_at: datetime | None) -> UsageLimitError:
    goes_on = (
        "the loop goes on when it ends"
        if resume_at
        else "it names no end: the loop tries again after a pause, longer each time, and stops where that "
        "does not help"
    )
    return UsageLimitError(
        f"A usage limit of the model's service is reached. {said}",
        resume_at=resume_at,
        hint=f"{goes_on}; to raise it, see the limits page of the Claude Console.",
    )


def _no_credit(said: str) -> CredentialError:
    return CredentialError(
        f"The account behind the key cannot pay for this. {said}",
        hint="add credit in the Claude Console (Billing), then run again.",
    )


def _said(error: anthropic.APIStatusError) -> str:
    """Return the API's own words and the request id, limited in length."""
    words = " ".join((error.api_message or "").split())[:_SHOWN_CHARS]
    parts = [f'It says: "{words}"' if words else "", f"[{error.request_id}]" if error.request_id else ""]
    return " ".join(part for part in parts if part)


def _cause(error: BaseException) -> str:
    """Return the type of a connection failure, without its text, which may quote a header."""
    return type(error.__cause__ or error).__name__
