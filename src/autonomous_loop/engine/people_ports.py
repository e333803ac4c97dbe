"""Ports for what people read and say. `ports.py` exports them together with the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autonomous_loop.domain.handoff import Handoff
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Command


class HandoffStore(Protocol):
    """Stores the handoff text between two sessions, by loop."""

    def write(self, human: str, document: str) -> None:
        """Store the signed `document`, with `human` text above it if the store shows text to people."""

    def read(self) -> str | None:
        """Return the document, or None."""


class Inbox(Protocol):
    """Requests that people make while a session runs. The journal records the ids already consumed."""

    def poll(self, *, consumed: Sequence[str], at_once: bool = False) -> Sequence[Command]:
        """Return new commands by people with write access, and other events that call for work, in order.

        It may return nothing if it looked a moment ago, unless `at_once` demands a fresh look.
        """

    def refuse(self, command: Command) -> None:
        """Tell the sender, without a comment, that the command was refused."""


class Reporter(Protocol):
    """Renders what people read. It uses the record alone, so that all surfaces agree."""

    def pull_request(self, record: LoopRecord) -> tuple[str, str]:
        """Return title and body of the pull request."""

    def sticky(self, record: LoopRecord) -> str:
        """Return the human part of the sticky comment."""

    def final(self, record: LoopRecord, kind: str) -> str:
        """Return the comment for `needs you`, `ready` or `stopped`."""

    def state(self, record: LoopRecord) -> str:
        """Return the state label as one word: working, paused, ready or stopped."""

    def redact(self, text: str) -> str:
        """Remove secrets. Every text that leaves the loop passes through here."""

    def leaks(self, data: bytes) -> bool:
        """Whether `data` contains a known secret."""


class Forge(Protocol):
    """The pull request, its comments and the next run. Absent if `run` works on a plain git directory."""

    def open_pull_request(self, *, title: str, body: str, head: str, base: str) -> int:
        """Open this loop's draft pull request once, and return its number."""

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """Replace title and body."""

    def mark_ready(self, number: int) -> None:
        """Mark the pull request as ready for review."""

    def mark_draft(self, number: int) -> None:
        """Convert the pull request back to a draft, because work on it goes on."""

    def comment(self, marker: str, body: str) -> None:
        """Post a comment, once per `marker`."""

    def set_state_label(self, state: str) -> None:
        """Set the second label: working, paused, ready or stopped."""

    def dispatch(self, handoff: Handoff) -> str:
        """Start the next session with `workflow_dispatch`; return its run's address, or "" if unknown."""
