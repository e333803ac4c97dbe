"""Limits how long the agent waits for the model's service before the session hands off instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from anthropic import APIRequest, AsyncAPIResponse

from autonomous_loop.agent.faults import resume_time, retry_after_s
from autonomous_loop.errors import UsageLimitError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on waiting.

    Attributes:
        retries: how often an answer that broke off is requested again.
        first_wait_s: seconds before the first retry; doubled each time, with jitter.
        longest_wait_s: longest single wait. If the API asks for more, the session hands off, because a
            sleeping runner costs money and a new one starts in about this time.
        stall_s: silence after which a stream counts as broken; the API pings more often than that.
    """

    retries: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    stall_s: float = 180.0


class Attempts:
    """SDK middleware that counts the SDK's own retries, and stops them if they would wait too long.

    The SDK obeys `retry-after` without a limit (`BaseClient._calculate_retry_timeout`). It passes errors
    from middleware to the caller at once.

    Args:
        patience: the limits.
        seconds_left: until the session's deadline.
    """

    def __init__(self, patience: RetryPolicy, seconds_left: Callable[[], float]) -> None:
        self._patience = patience
        self._seconds_left = seconds_left
        self.retried = 0

    async def __call__(
        self, request: APIRequest, call_next: Callable[[APIRequest], Awaitable[AsyncAPIResponse[Any]]]
    ) -> AsyncAPIResponse[Any]:
        """Make one attempt of the SDK.

        Raises:
            UsageLimitError: the API asks to wait longer than the policy or the session allows.
        """
        if request.retries_taken:
            self.retried += 1
        response = await call_next(request)
        if response.status_code >= 400:
            wait = retry_after_s(response.headers)
            if wait is not None and wait > min(self._patience.longest_wait_s, self._seconds_left()):
                await response.close()
                raise UsageLimitError(
                    f"The model's service asks to wait {wait:.0f} s (HTTP {response.status_code}).",
                    resume_at=resume_time(response.headers),
                    hint="the loop hands off and goes on at that time; nothing needs to be done.",
                )
        return response
