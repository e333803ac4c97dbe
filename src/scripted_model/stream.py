"""Server-sent events as the API sends them, and the ways a stream can break."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from scripted_model.conversation import Json

CONNECTION = "scripted_model.connection"
# A block comes in this many deltas, so that a stream can break in the middle of one.
DELTAS = 8


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is reset."""


Step = bytes | Pause | Cut


def event(name: str, **data: Any) -> bytes:  # noqa: ANN401
    """One server-sent event."""
    document = json.dumps({"type": name, **data}, ensure_ascii=False)
    return f"event: {name}\ndata: {document}\n\n".encode()


def message_events(message: Json, *, partial_json: str | None = None) -> list[bytes]:
    """A message as its events.

    Args:
        message: the whole message.
        partial_json: what there is of the last tool call's input, where the answer was cut off in it.
    """
    usage = message["usage"]
    empty: Json = {"content": [], "stop_reason": None, "stop_details": None}
    begun = {name: count for name, count in usage.items() if name != "iterations"}
    start = {**message, **empty, "usage": {**begun, "output_tokens": min(1, usage["output_tokens"])}}
    events = [event("message_start", message=start)]
    last = len(message["content"]) - 1
    for index, block in enumerate(message["content"]):
        partial = partial_json if index == last else None
        opening, deltas = _opened(block, partial)
        events.append(event("content_block_start", index=index, content_block=opening))
        if index == 0:
            events.append(event("ping"))
        events += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
        events.append(event("content_block_stop", index=index))
    delta = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    counters = {name: usage[name] for name in usage if name not in {"service_tier", "cache_creation"}}
    events.append(event("message_delta", delta=delta, usage=counters))
    events.append(event("message_stop"))
    return events


def _opened(block: Json, partial_json: str | None) -> tuple[Json, Sequence[Json]]:
    """A block as it opens, and the deltas that fill it. A compaction block comes whole."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": t} for t in _pieces(block["text"])]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": t} for t in _pieces(block["thinking"])]
            sealed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*deltas, sealed]
        case "tool_use":
            text = json.dumps(block["input"], ensure_ascii=False) if partial_json is None else partial_json
            pieces = ["", *_pieces(text)]
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": t} for t in pieces]
        case _:
            return block, []


def _pieces(text: str) -> Iterator[str]:
    size = max(1, math.ceil(len(text) / DELTAS))
    return (text[at : at + size] for at in range(0, len(text), size))


def middle(events: Sequence[bytes]) -> int:
    """Where a stream breaks: inside its last block."""
    stops = [n for n, e in enumerate(events) if e.startswith(b"event: content_block_stop\n")]
    return max(1, stops[-1] - 2) if stops else 1


class EventStream(Response):
    """Sends steps: events, silences, and perhaps a reset in place of an end.

    Args:
        steps: what happens. A `Cut` before any event drops the connection before the status line.
        headers: the response's.
    """

    def __init__(self, steps: Sequence[Step], headers: Mapping[str, str]) -> None:
        super().__init__(None, headers=headers, media_type="text/event-stream; charset=utf-8")
        del self.headers["content-length"]
        self._steps = steps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the steps."""
        started = False
        for step in self._steps:
            if isinstance(step, Pause):
                if await client_left(receive, step.seconds):
                    return
            elif isinstance(step, Cut):
                await _reset(scope)
                return
            else:
                if not started:
                    await self._start(send)
                    started = True
                await send({"type": "http.response.body", "body": step, "more_body": True})
        if not started:
            await self._start(send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


class LateAnswer(JSONResponse):
    """A whole answer, after a silence of so many seconds."""

    def __init__(self, document: Json, headers: Mapping[str, str], seconds: float) -> None:
        super().__init__(document, headers=headers)
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then send it."""
        if not await client_left(receive, self._seconds):
            await super().__call__(scope, receive, send)


async def client_left(receive: Receive, seconds: float) -> bool:
    """Wait, but not for a client that is gone."""
    if seconds <= 0:
        return False
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _reset(scope: Scope) -> None:
    """Reset the connection as a dying proxy does; a server that shows no connection sees a fault instead."""
    transport: asyncio.Transport | None = scope.get(CONNECTION)
    if transport is None:
        raise ConnectionAbortedError("the script cuts the connection here")
    # What was sent shall arrive first: an abort throws away what still waits in the buffer.
    for _ in range(100):
        if not transport.get_write_buffer_size():
            break
        await asyncio.sleep(0.01)
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0.01)  # So that the server notices before this answer ends without an end.
