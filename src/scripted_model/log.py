"""What was asked of the model, for tests and the demo to read."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from scripted_model.accounting import Usage


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request and how it ended.

    `conversation` and `turn` (from 0) are None where the request was refused before they were known;
    `fault` is the script's failure it met; `body` is kept only by a log that was asked to.
    """

    number: int
    path: str
    status: int
    model: str | None = None
    conversation: str | None = None
    turn: int | None = None
    stop_reason: str | None = None
    fault: str | None = None
    error: str | None = None
    usage: Usage = field(default_factory=Usage)
    body: dict[str, Any] | None = None


class RequestLog:
    """The newest requests, and counts of all. Safe to read from another thread.

    Args:
        keep: how many records are kept.
        bodies: whether records keep the request's body.
    """

    def __init__(self, *, keep: int = 1_000, bodies: bool = False) -> None:
        self.bodies = bodies
        self._records: deque[RequestRecord] = deque(maxlen=keep)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, record: RequestRecord) -> None:
        """Append one record."""
        usage = record.usage
        with self._lock:
            self._records.append(record)
            self._counts.update(
                {
                    "requests": 1,
                    f"status {record.status}": 1,
                    "input tokens": usage.input_tokens,
                    "cache write tokens": usage.cache_creation_input_tokens,
                    "cache read tokens": usage.cache_read_input_tokens,
                    "output tokens": usage.output_tokens,
                }
            )
            if record.fault:
                self._counts[f"fault {record.fault}"] += 1
            if record.conversation and record.status == 200:
                self._counts[f"conversation {record.conversation}"] += 1

    @property
    def records(self) -> list[RequestRecord]:
        """The newest requests, oldest first."""
        with self._lock:
            return list(self._records)

    @property
    def counts(self) -> dict[str, int]:
        """Counts of everything since the start, by name."""
        with self._lock:
            return dict(self._counts)
