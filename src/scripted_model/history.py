"""The append-only rule: what a conversation has shown the model once stays as it was.

The real API binds each thinking block to the system prompt, tools and messages before it and refuses a
request where they differ. Here the server remembers what it answered, so that a client is held to the rule
in every turn, with or without thinking.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from scripted_model.conversation import Json, blocks, summary_block
from scripted_model.refusals import invalid

MAX_CONVERSATIONS = 1_000


@dataclass(slots=True)
class _Seen:
    prefixes: set[str] = field(default_factory=set)
    last: Sequence[str] = ()


class History:
    """Remembers, by hash, every prompt that was answered."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, _Seen] = OrderedDict()

    def check(self, conversation: str, body: Json) -> None:
        """Check that what came before the newest answer is what that answer was given to.

        A conversation this server never saw is taken as it is: it may have been started anew.

        Raises:
            ApiError: 400, system, tools or an earlier message changed.
        """
        parts = _parts(body)
        seen = self._conversations.get(_key(conversation, body))
        answered = [m for m, message in enumerate(body["messages"]) if message["role"] == "assistant"]
        if summary_block(body["messages"]) is not None:
            answered = [m for m in answered if m > 0]
        if seen is None or not answered:
            return
        prefix = parts[: answered[-1] + 2]
        if _digest("".join(prefix)) in seen.prefixes:
            return
        pairs = zip(prefix, seen.last, strict=False)
        differs = next((n for n, (now, then) in enumerate(pairs) if now != then), len(prefix) - 1)
        names = ["`system`", "`tools`", *(f"messages.{m}" for m in range(len(body["messages"])))]
        raise invalid(
            f"messages.{answered[-1]}.content.0: Invalid `signature` in `thinking` block."
            " The block is bound to a different conversation."
            f" Changed since the previous request: {names[differs]}."
        )

    def remember(self, conversation: str, body: Json) -> None:
        """Note a prompt that is being answered."""
        key = _key(conversation, body)
        seen = self._conversations.setdefault(key, _Seen())
        self._conversations.move_to_end(key)
        while len(self._conversations) > MAX_CONVERSATIONS:
            self._conversations.popitem(last=False)
        parts = _parts(body)
        seen.prefixes.add(_digest("".join(parts)))
        seen.last = parts


def canonical(value: object) -> str:
    """The text that stands for a part of a prompt: cache breakpoints may move, they are left out."""
    return json.dumps(_without_breakpoints(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _without_breakpoints(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_breakpoints(v) for k, v in value.items() if k != "cache_control"}
    if isinstance(value, list):
        return [_without_breakpoints(v) for v in value]
    return value


def _parts(body: Json) -> list[str]:
    """System, tools and each message, as digests."""
    system = body.get("system") or ""
    return [
        _digest(canonical([{"type": "text", "text": system}] if isinstance(system, str) else system)),
        _digest(canonical(body.get("tools") or [])),
        *(_digest(canonical({**m, "content": blocks(m)})) for m in body["messages"]),
    ]


def _key(conversation: str, body: Json) -> str:
    """A compacted conversation starts over from its summary."""
    summary = summary_block(body["messages"])
    return f"{conversation}/{_digest(summary['content']) if summary else ''}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
