"""A turn of the script as the API's message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripted_model.accounting import Usage, tokens
from scripted_model.conversation import Json, Place, tool_id
from scripted_model.script import Turn
from scripted_model.seal import sign


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, before it has an id and a price.

    `partial_json` is the beginning of the last tool call's input, where the answer was cut off in it.
    """

    content: Sequence[Json]
    stop_reason: str
    partial_json: str | None = None
    stop_details: Json | None = None

    @property
    def output_tokens(self) -> int:
        """What saying it costs, in tokens; the real API never counts none."""
        whole = [block for block in self.content if block["type"] != "tool_use"]
        inputs = [json.dumps(b["input"]) + b["name"] for b in self.content if b["type"] == "tool_use"]
        return tokens(json.dumps(whole) + "".join(inputs) + (self.partial_json or ""))

    def message(self, *, identity: str, model: str, usage: Usage) -> Json:
        """The API's message."""
        return {
            "id": identity,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": list(self.content),
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "stop_details": self.stop_details,
            "usage": {**self._usage(usage), "service_tier": "standard"},
        }

    def _usage(self, usage: Usage) -> Json:
        """A compaction is billed in `iterations` alone: the counters on top stay zero."""
        if self.stop_reason != "compaction":
            return usage.as_json()
        return {**Usage().as_json(), "iterations": [{"type": "compaction", **usage.as_json()}]}


def answer_turn(turn: Turn, place: Place, *, thinking: bool) -> Answer:
    """A whole turn.

    Args:
        turn: what the script says.
        place: where it says so, which gives the tool calls their ids.
        thinking: whether the request allows thinking blocks.
    """
    content: list[Json] = []
    if turn.thinking and thinking:
        content.append({"type": "thinking", "thinking": turn.thinking, "signature": sign(turn.thinking)})
    if turn.text:
        content.append({"type": "text", "text": turn.text})
    for index, call in enumerate(turn.tools):
        identity = tool_id(place, index)
        content.append({"type": "tool_use", "id": identity, "name": call.name, "input": call.input})
    return Answer(content, "tool_use" if turn.tools else "end_turn")


def compacted(summary: str) -> Answer:
    """The answer to a compaction request: the signed block, alone."""
    block = {"type": "compaction", "content": summary, "signature": sign(summary)}
    return Answer([block], "compaction")


def script_over(place: Place, turns: int) -> Answer:
    """What the model says once the script has nothing more."""
    text = f"The script for {place.conversation} is over: all of its {turns} turns were given."
    return Answer([{"type": "text", "text": text}], "end_turn")


def cut_off(answer: Answer, place: Place, stop_reason: str, *, nth: int) -> Answer:
    """An answer that ends half way in its last block.

    Args:
        answer: the whole one.
        place: where it stands in the script.
        stop_reason: why it ends.
        nth: how often this turn was cut before; tool ids stay unique when it is asked for again.
    """
    *before, last = answer.content
    before = [_renamed(block, tool_id(place, n, cut=nth + 1)) for n, block in enumerate(before)]
    if last["type"] == "tool_use":
        whole = json.dumps(last["input"], ensure_ascii=False)
        cut = {**_renamed(last, tool_id(place, len(before), cut=nth + 1)), "input": {}}
        return Answer([*before, cut], stop_reason, partial_json=whole[: max(1, len(whole) // 2)])
    text = last["text"]
    return Answer([*before, {**last, "text": text[: max(1, len(text) // 2)]}], stop_reason)


def _renamed(block: Json, identity: str) -> Json:
    return {**block, "id": identity} if block["type"] == "tool_use" else block


def refusal() -> Answer:
    """The model declines."""
    details: dict[str, Any] = {
        "type": "refusal",
        "category": None,
        "explanation": "The script has the model decline here.",
    }
    return Answer([], "refusal", stop_details=details)


def within(answer: Answer, place: Place, max_tokens: int) -> Answer:
    """The answer, cut off where it is longer than the request allows."""
    if max_tokens == 0:
        return replace(answer, content=[], stop_reason="max_tokens")
    too_long = answer.output_tokens > max_tokens
    return cut_off(answer, place, "max_tokens", nth=0) if too_long and answer.content else answer
