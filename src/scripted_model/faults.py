"""The failures a script asks for, as the real API fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from scripted_model.accounting import RATE_WINDOW_S, RateWindow
from scripted_model.conversation import Json, Place
from scripted_model.refusals import ApiError
from scripted_model.script import Fault, Turn
from scripted_model.stream import Cut, EventStream, LateAnswer, Pause, Step, event, middle

_REFUSALS = {
    "rate_limit": (429, "rate_limit_error", "This request would exceed your organization's rate limit."),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "server_error": (500, "api_error", "Internal server error"),
}


class Faults:
    """How often each turn's fault was given."""

    def __init__(self) -> None:
        self._given: Counter[tuple[str, int]] = Counter()

    def next(self, place: Place, turn: Turn | None) -> Fault | None:
        """The turn's fault, until it came as often as the script says."""
        if turn is None or turn.fault is None or self.met(place) >= turn.fault.times:
            return None
        self._given[place.conversation, place.turn] += 1
        return turn.fault

    def met(self, place: Place) -> int:
        """How often this turn failed so far."""
        return self._given[place.conversation, place.turn]


def refuse(fault: Fault, rate: RateWindow) -> None:
    """Give a failure that comes before any answer; the others pass.

    Raises:
        ApiError: 429, 529 or 500, with the headers the script asks for.
    """
    if fault.kind not in _REFUSALS:
        return
    headers: dict[str, str] = {}
    if fault.kind == "rate_limit" and fault.names_end:
        left = RATE_WINDOW_S if fault.retry_after is None else fault.retry_after
        headers |= rate.headers(exhausted_for_s=left)
    if fault.retry_after is not None:
        headers["retry-after"] = f"{fault.retry_after:g}"
    if fault.should_retry is not None:
        headers["x-should-retry"] = str(fault.should_retry).lower()
    raise ApiError(*_REFUSALS[fault.kind], headers=headers)


def broken(events: Sequence[bytes], fault: Fault | None) -> Sequence[Step]:
    """A stream as the fault leaves it: it breaks inside the last block."""
    at = middle(events)
    match fault.kind if fault else None:
        case "stream_error":
            _, error, text = _REFUSALS["overloaded"]
            return [*events[:at], event("error", error={"type": error, "message": text})]
        case "cut":
            return [*events[:at], Cut()]
        case "clean_end":
            return events[:at]
        case "stall" if fault:
            return [*events[:at], Pause(fault.seconds), *events[at:]]
        case _:
            return events


def whole(message: Json, fault: Fault | None, headers: Mapping[str, str]) -> Response:
    """An answer that is not streamed, as the fault leaves it.

    Raises:
        ApiError: 529, where a stream would have held an error.
    """
    match fault.kind if fault else None:
        case "stream_error":
            raise ApiError(*_REFUSALS["overloaded"])
        case "cut" | "clean_end":
            return EventStream([Cut()], headers)
        case _:
            return LateAnswer(message, headers, fault.seconds if fault and fault.kind == "stall" else 0.0)
