"""A running scripted model, and the real SDK as its client, with strict checks of every answer."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import anthropic

from scripted_model.log import RequestLog

MODEL = "claude-opus-5-5"
BETA = "compact-2026-09-04"
SYSTEM = [{"type": "text", "text": "Be brief. " * 600, "cache_control": {"type": "ephemeral"}}]
TOOLS = [{"type": "bash_20250124", "name": "bash"}]
FIRST = 'Build it.\n```json\n{"feature": {"id": "form", "attempt": 1}}\n```'
TWO_CALLS = {
    "thinking": "First the tests.",
    "text": "I write the test first.",
    "tools": [{"bash": {"command": "python -m pytest -q"}}, {"bash": {"command": "git status --short"}}],
}
ONE_CALL = {"tools": [{"bash": {"command": "echo a line that is long enough to be cut off in the middle"}}]}
END = {"text": "Done."}


@dataclass
class Bench:
    """A running model and a client of it."""

    client: anthropic.AsyncAnthropic
    log: RequestLog
    url: str

    async def ask(self, messages: list[Any], *, stream: bool = True, **more: Any) -> Any:
        request = _request(messages) | more
        if not stream:
            return await self.client.messages.create(**request)
        async with self.client.messages.stream(**request) as answer:
            return await answer.get_final_message()

    async def ask_beta(self, messages: list[Any], **more: Any) -> Any:
        request = _request(messages) | {"betas": [BETA]} | more
        async with self.client.beta.messages.stream(**request) as answer:
            return await answer.get_final_message()


def _request(messages: list[Any]) -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": 4_000,
        "system": SYSTEM,
        "tools": TOOLS,
        "messages": messages,
        "cache_control": {"type": "ephemeral"},
    }


Model = Callable[..., AbstractAsyncContextManager[Bench]]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def reply(message: Any, text: str = "ok") -> list[Any]:
    """What a client appends: the answer as it came, and a result for each of its tool calls."""
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": text}
        for block in message.content
        if block.type == "tool_use"
    ]
    return [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
