"""Receives a streamed answer, and estimates its cost if it breaks off."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, cast

from anthropic.lib.streaming import BetaAsyncMessageStream, ParsedBetaMessageStreamEvent
from anthropic.types.beta import BetaMessage, BetaUsage

from autonomous_loop.agent.faults import CutStreamError

# The API reports an answer's cost at its end. Without that report it is estimated, rather too high than
# too low: English has about four bytes of UTF-8 per token, code and JSON three to four, and other scripts
# have more bytes per character.
BYTES_A_TOKEN = 3
# Thinking is billed whether shown or not. Until it ends there may be nothing to count but its time; this
# guess is above the speed of such models. Once it is over, its signature holds it, encrypted.
THINKING_TOKENS_A_SECOND = 100


class StreamUsage:
    """Collects the events of an answer as the SDK passes them on.

    Args:
        most_tokens: the request's limit; no answer costs more.
        now: seconds, from any start.
    """

    def __init__(self, *, most_tokens: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most_tokens = most_tokens
        self._now = now
        self._told: BetaUsage | None = None
        self._ended = False
        self._bytes = 0
        self._thinking_since: float | None = None

    async def message(self, stream: BetaAsyncMessageStream[Any]) -> BetaMessage:
        """Return the whole message.

        Raises:
            CutStreamError: it is incomplete or cannot be read.
            The SDK's errors for a connection, or for an error sent by the service.
        """
        try:
            async for event in stream:
                self.look_at(event)
        except ValueError:  # an event or a tool input that is not JSON or not UTF-8
            raise CutStreamError from None
        # To the SDK, a connection that closes cleanly half-way is no error.
        if self._told is None or stream.current_message_snapshot.stop_reason is None:
            raise CutStreamError
        return cast("BetaMessage", stream.current_message_snapshot)

    def usage(self) -> BetaUsage | None:
        """Return the cost so far, the higher of reported and estimated; None before the answer began."""
        if self._told is None or self._ended:
            return self._told
        estimate = self._bytes / BYTES_A_TOKEN
        if self._thinking_since is not None:
            estimate += (self._now() - self._thinking_since) * THINKING_TOKENS_A_SECOND
        output = max(self._told.output_tokens, min(math.ceil(estimate), self._most_tokens))
        return self._told.model_copy(update={"output_tokens": output})

    def look_at(self, event: ParsedBetaMessageStreamEvent[Any]) -> None:
        """Count the content of an event; skip the events that the SDK derives from others."""
        match event.type:
            case "message_start":
                self._told = event.message.usage.model_copy()
            case "content_block_start":
                # Some blocks arrive whole.
                self._bytes += _size(event.content_block.to_json(indent=None))
                self._thinking_since = self._now() if event.content_block.type == "thinking" else None
            case "content_block_delta":
                said = [value for name, value in event.delta if name != "type" and isinstance(value, str)]
                self._bytes += sum(map(_size, said))
            case "content_block_stop":
                self._thinking_since = None
            case "message_delta" if self._told is not None:
                # These are totals; values that are missing stay as they were.
                totals = {name: value for name, value in event.usage if value is not None}
                self._told = self._told.model_copy(update=totals)
            case "message_stop":
                self._ended = True


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
