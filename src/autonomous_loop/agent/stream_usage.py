"""What arrives of one streamed answer, and what it costs where it breaks off."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, cast

from anthropic.lib.streaming import BetaAsyncMessageStream, ParsedBetaMessageStreamEvent
from anthropic.types.beta import BetaMessage, BetaUsage

from autonomous_loop.agent.faults import CutStreamError

# What an answer cost is told at its end. Where that does not come it is estimated, rather too high than too
# low: English has about four bytes of UTF-8 a token, code and JSON three to four, and other scripts have more
# bytes a character.
BYTES_A_TOKEN = 3
# Thinking is paid for whether it is shown or not. While it lasts there may be nothing of it to count but its
# time, at a guess above the speed of such models. Once it is over, its signature holds it, encrypted.
THINKING_TOKENS_A_SECOND = 100


class StreamUsage:
    """The events of an answer as the SDK passes them on.

    Args:
        most_tokens: what the request allows; no answer costs more.
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
        """The whole message.

        Raises:
            CutStreamError: it is not whole, or cannot be read.
            What the SDK raises of a connection, and of an error the service sends.
        """
        try:
            async for event in stream:
                self.look_at(event)
        except ValueError:  # an event or a tool input that is no JSON, or no UTF-8
            raise CutStreamError from None
        # A connection that closes cleanly half-way is no error to the SDK.
        if self._told is None or stream.current_message_snapshot.stop_reason is None:
            raise CutStreamError
        return cast("BetaMessage", stream.current_message_snapshot)

    def usage(self) -> BetaUsage | None:
        """What it has cost so far, as told or, where that is more, estimated; None before it began."""
        if self._told is None or self._ended:
            return self._told
        estimate = self._bytes / BYTES_A_TOKEN
        if self._thinking_since is not None:
            estimate += (self._now() - self._thinking_since) * THINKING_TOKENS_A_SECOND
        output = max(self._told.output_tokens, min(math.ceil(estimate), self._most_tokens))
        return self._told.model_copy(update={"output_tokens": output})

    def look_at(self, event: ParsedBetaMessageStreamEvent[Any]) -> None:
        """Count what it brings; what the SDK makes of others is left out."""
        match event.type:
            case "message_start":
                self._told = event.message.usage.model_copy()
            case "content_block_start":
                # Some blocks come whole.
                self._bytes += _size(event.content_block.to_json(indent=None))
                self._thinking_since = self._now() if event.content_block.type == "thinking" else None
            case "content_block_delta":
                said = [value for name, value in event.delta if name != "type" and isinstance(value, str)]
                self._bytes += sum(map(_size, said))
            case "content_block_stop":
                self._thinking_since = None
            case "message_delta" if self._told is not None:
                # These are totals; what is left out stays as it was.
                totals = {name: value for name, value in event.usage if value is not None}
                self._told = self._told.model_copy(update=totals)
            case "message_stop":
                self._ended = True


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
