"""The rules between one message and the next."""

from __future__ import annotations

from collections.abc import Sequence

from scripted_model.conversation import Json, blocks
from scripted_model.refusals import ApiError, invalid
from scripted_model.seal import sealed_digest, sign


def check_tool_results(messages: Sequence[Json], *, compacting: bool) -> None:
    """Check that every tool call is answered once, in the very next message, and nothing else is.

    Raises:
        ApiError: 400, naming the message and block.
    """
    open_ids: list[str] = []
    ever: set[str] = set()
    for m, message in enumerate(messages):
        content = blocks(message)
        answered = _results(m, message["role"], content, open_ids)
        if missing := [identity for identity in open_ids if identity not in answered]:
            raise _unanswered(m - 1, missing)
        open_ids = [block["id"] for block in content if block["type"] == "tool_use"]
        if len(set(open_ids)) < len(open_ids) or ever & set(open_ids):
            raise invalid(f"messages.{m}: `tool_use` ids must be unique")
        ever.update(open_ids)
        _check_blocks(m, content)
    if open_ids and compacting:
        raise invalid(
            f"messages.{len(messages) - 1}: the last turn's tool calls have no results yet",
            code="compaction_incomplete_turn",
        )
    if open_ids:
        raise _unanswered(len(messages) - 1, open_ids)


def check_order(messages: Sequence[Json]) -> None:
    """Check that an operator's message follows a user's, and that no user's follows it.

    Raises:
        ApiError: 400, naming the message.
    """
    for m, message in enumerate(messages):
        if message["role"] != "system":
            continue
        before = messages[m - 1]["role"] if m else None
        after = messages[m + 1]["role"] if m + 1 < len(messages) else None
        if before not in {"user", "system"} or after == "user":
            raise invalid(f"messages.{m}: a system message must directly follow the newest user message")


def _results(m: int, role: str, content: Sequence[Json], open_ids: Sequence[str]) -> list[str]:
    answered: list[str] = []
    for b, block in enumerate(content):
        if block["type"] != "tool_result":
            continue
        place = f"messages.{m}.content.{b}"
        identity = block["tool_use_id"]
        if role != "user" or identity not in open_ids:
            raise invalid(
                f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {identity}. Each"
                " `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if identity in answered:
            raise invalid(
                f"{place}: each tool_use must have a single result. Found multiple `tool_result` blocks"
                f" with id: {identity}"
            )
        if b > len(answered):
            raise invalid(f"{place}: `tool_result` blocks must come first in the content of a message")
        answered.append(identity)
    return answered


def _unanswered(index: int, missing: Sequence[str]) -> ApiError:
    return invalid(
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after:"
        f" {', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the"
        " next message."
    )


def _check_blocks(m: int, content: Sequence[Json]) -> None:
    for b, block in enumerate(content):
        place = f"messages.{m}.content.{b}"
        if block["type"] == "text" and not block["text"]:
            raise invalid(f"{place}: text content blocks must be non-empty")
        if block["type"] == "thinking" and sealed_digest(block["signature"]) != _digest(block["thinking"]):
            raise invalid(f"{place}: Invalid `signature` in `thinking` block")


def _digest(text: str) -> bytes | None:
    return sealed_digest(sign(text))
