"""Describes a loop's state in the few words that every surface uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autonomous_loop.config import ContinuationMode
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.record import LoopRecord

State = Literal["working", "paused", "ready", "stopped"]

_ENDINGS: dict[HandoffReason, str] = {
    HandoffReason.CONTEXT: "the conversation no longer fitted the model's context",
    HandoffReason.TIME: "its own time limit was near",
    HandoffReason.SESSION_DONE: "it had done its share of features",
    HandoffReason.USAGE_LIMIT: "the API's usage limit was reached",
    HandoffReason.OUTAGE: "the API did not answer",
    HandoffReason.ENVIRONMENT: "the job's environment failed",
    HandoffReason.DIED: "its job was killed half-way",
    HandoffReason.MONEY: "the loop's money is spent",
    HandoffReason.TOKENS: "the loop's token budget is spent",
    HandoffReason.MINUTES: "the loop's runner minutes are spent",
    HandoffReason.SESSIONS: "the loop has used all its sessions",
    HandoffReason.NO_PROGRESS: "two sessions in a row came to nothing",
    HandoffReason.STOPPED: "a person stopped it",
    HandoffReason.BLOCKED: "only blocked features are left",
    HandoffReason.APPROVAL: "the feature list waits for your go",
    HandoffReason.FAILED: "an error needs a person",
    HandoffReason.COMPLETE: "every feature is proved",
}

_LIMIT = "stopped by a limit"
_YOU = "needs you"
_KEYS: dict[HandoffReason, str] = {
    HandoffReason.MONEY: "max-usd",
    HandoffReason.TOKENS: "token-budget",
    HandoffReason.MINUTES: "max-minutes",
    HandoffReason.SESSIONS: "max-sessions",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a loop, in words.

    Attributes:
        state: the state, as in the second label.
        icon: one emoji.
        word: for a heading.
        why: half a sentence, without capital and full stop.
        step: what happens next, or what a person can do next; Markdown.
        needs_person: nothing continues without a person.
    """

    state: State
    icon: str
    word: str
    why: str
    step: str
    needs_person: bool = False


def standing(record: LoopRecord, *, continuation: ContinuationMode = ContinuationMode.AUTO) -> Standing:
    """Derive the state from the record alone.

    Args:
        continuation: how a next session starts; a handoff under MANUAL or EVENT waits for a person.
    """
    last = record.sessions[-1] if record.sessions else None
    if last is None or last.ended is None or last.reason is None:
        return _working(record)
    why = _ENDINGS[last.reason]
    if last.reason.continues:
        return _between(record, why, continuation)
    return _ended(last.reason, why)


def _ended(reason: HandoffReason, why: str) -> Standing:
    match reason:
        case HandoffReason.COMPLETE:
            return Standing("ready", "\u2705", "ready for review", why, "Review it and merge it.")
        case HandoffReason.APPROVAL:
            step = (
                "`/loop go` starts the work. What you `/loop skip FEATURE` or `/loop add TEXT` before it is"
                " taken in with it."
            )
            return Standing("paused", "\u270b", _YOU, why, step, needs_person=True)
        case HandoffReason.STOPPED:
            return Standing("stopped", "\u23f9\ufe0f", "stopped", why, "`/loop continue` takes it up again.")
        case HandoffReason.MONEY | HandoffReason.TOKENS | HandoffReason.MINUTES | HandoffReason.SESSIONS:
            word = _LIMIT
            step = f"Raise `{_KEYS[reason]}` in the workflow, then `/loop continue`; or merge what is proved."
        case HandoffReason.BLOCKED:
            word, step = _YOU, "Answer below, then `/loop retry FEATURE` or `/loop skip FEATURE`."
        case _:
            word, step = _YOU, "Look at the run's log, then `/loop continue`."
    icon = "\u23f9\ufe0f" if word == _LIMIT else "\u270b"
    return Standing("stopped", icon, word, why, step, needs_person=True)


def _working(record: LoopRecord) -> Standing:
    if record.features is None:
        return Standing("working", "\U0001f6e0\ufe0f", "working", "the feature list is being made", "")
    if record.complete:
        return Standing("working", "\U0001f6e0\ufe0f", "working", "the clean room proves all once more", "")
    return Standing("working", "\U0001f6e0\ufe0f", "working", "a session is at it", "")


def _between(record: LoopRecord, why: str, continuation: ContinuationMode) -> Standing:
    last = record.sessions[-1]
    if last.not_before is not None:
        when = f"{last.not_before:%Y-%m-%d %H:%M} UTC"
        return Standing("paused", "\u23f8\ufe0f", "paused", why, f"It goes on at {when}.")
    if continuation is ContinuationMode.AUTO:
        step = f"Session {last.number + 1} starts by itself."
        return Standing("working", "\U0001f6e0\ufe0f", "working", f"the last session handed off: {why}", step)
    if continuation is ContinuationMode.SCHEDULED:
        return Standing("paused", "\u23f8\ufe0f", "paused", why, "The next scheduled run goes on with it.")
    step = "`/loop continue` goes on with it."
    return Standing("paused", "\u23f8\ufe0f", "paused", why, step, needs_person=True)
