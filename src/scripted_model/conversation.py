"""Which conversation a request belongs to, and how far it has come: read from its messages alone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripted_model.refusals import ApiError, invalid
from scripted_model.script import Script, Turn

Json = dict[str, Any]

_FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*(?:json)?[ \t]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!-- scripted-model (\{.*?\}) -->")
_LAST_MESSAGE_CHARS = 1_500


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the script: whose conversation, which attempt (from 1), which turn comes next (from 0)."""

    feature: str | None
    attempt: int
    turn: int = 0

    @property
    def conversation(self) -> str:
        """A short name: `entry-form#1`, or `planner#1`."""
        return f"{self.feature or 'planner'}#{self.attempt}"

    def __str__(self) -> str:
        whose = f"features.{self.feature}" if self.feature else "planner"
        return f"{whose}, attempt {self.attempt}, turn {self.turn + 1}"


def locate(messages: Sequence[Json], script: Script) -> Place:
    """The place a conversation has reached.

    Raises:
        ApiError: 400, the script has nothing for this conversation.
    """
    start = _start(messages)
    turns = turns_of(start, script)
    reached = start.turn
    for message in messages:
        if message["role"] == "assistant" and reached < len(turns):
            reached += _gave(turns[reached], Place(start.feature, start.attempt, reached), blocks(message))
    return Place(start.feature, start.attempt, reached)


def turns_of(place: Place, script: Script) -> Sequence[Turn]:
    """The turns scripted for a conversation.

    Raises:
        ApiError: 400, there are none.
    """
    attempts = script.planner if place.feature is None else script.features.get(place.feature)
    if attempts is None and place.feature is None:
        raise invalid(
            "scripted model: the first user message holds no fenced JSON block"
            ' {"feature": {"id": ...}}, so this is the planner, and the script has no `planner`'
        )
    if attempts is None:
        known = ", ".join(sorted(script.features)) or "none"
        raise invalid(f"scripted model: the script has no feature {place.feature!r} (it has: {known})")
    return attempts[min(place.attempt, len(attempts)) - 1].turns


def tool_id(place: Place, index: int, *, cut: int = 0) -> str:
    """The id of a turn's tool call: the same for the same place, another for a call that was cut off."""
    seed = f"{place.conversation}/{place.turn}/{index}/{cut}"
    return "toolu_01" + hashlib.sha256(seed.encode()).hexdigest()[:22]


def blocks(message: Json) -> list[Json]:
    """A message's content as blocks: a string is short for one text block."""
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def text_of(message: Json) -> str:
    """Everything a message says in words, tool results included."""
    parts: list[str] = []
    for block in blocks(message):
        if block["type"] == "text":
            parts.append(block["text"])
        elif block["type"] == "compaction":
            parts.append(block.get("content") or "")
        elif block["type"] == "tool_result":
            parts.append(text_of(block))
    return "\n".join(parts)


def summary_block(messages: Sequence[Json]) -> Json | None:
    """The compaction block a conversation starts with, if it does."""
    first = blocks(messages[0]) if messages else []
    return first[0] if first and first[0]["type"] == "compaction" and first[0].get("content") else None


def summarize(place: Place, messages: Sequence[Json]) -> str:
    """A short summary that carries the place, so that the server need not remember it."""
    mark = json.dumps({"feature": place.feature, "attempt": place.attempt, "turn": place.turn})
    last = next((m for m in reversed(messages) if m["role"] == "user"), None)
    said = text_of(last)[-_LAST_MESSAGE_CHARS:] if last else ""
    return (
        f"Summary: the work on {place.conversation} has come to turn {place.turn + 1} of its script.\n"
        f"The last message was:\n{said}\n<!-- scripted-model {mark} -->"
    )


def _start(messages: Sequence[Json]) -> Place:
    summary = summary_block(messages)
    if summary is not None:
        mark = _MARK.findall(summary["content"])  # The last is ours: what stands before it is quoted.
        if not mark:
            raise invalid("messages.0.content.0: this summary was not made by the scripted model")
        found = json.loads(mark[-1])
        return Place(found["feature"], int(found["attempt"]), int(found["turn"]))
    first = next((m for m in messages if m["role"] == "user"), None)
    for block in _FENCE.finditer(text_of(first)) if first else ():
        try:
            document = json.loads(block.group(2))
        except ValueError:
            continue
        if isinstance(document, dict) and isinstance(document.get("feature"), dict):
            feature = document["feature"]
            return Place(str(feature.get("id")), _attempt(feature))
        if isinstance(document, dict) and isinstance(document.get("request"), dict):
            return Place(None, _attempt(document["request"]))
    return Place(None, 1)


def _attempt(document: Json) -> int:
    attempt = document.get("attempt", 1)
    if not isinstance(attempt, int) or attempt < 1:
        raise _bad_attempt(attempt)
    return attempt


def _bad_attempt(attempt: object) -> ApiError:
    return invalid(f"scripted model: `attempt` in the first user message must be 1 or more, not {attempt!r}")


def _gave(turn: Turn, place: Place, said: Sequence[Json]) -> bool:
    """Whether an assistant message is this turn, whole: one cut off half way does not count."""
    if turn.tools:
        wanted = {tool_id(place, index) for index in range(len(turn.tools))}
        return wanted <= {block["id"] for block in said if block["type"] == "tool_use"}
    return any(block["type"] == "text" and block["text"] == turn.text for block in said)
