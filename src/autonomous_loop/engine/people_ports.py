"""What the parts need where people read and speak, as Protocols; `ports.py` gives them with the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autonomous_loop.domain.handoff import Handoff
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Command


class HandoffStore(Protocol):
    """Where the handoff document lies between two sessions: a text, found again by loop."""

    def write(self, human: str, document: str) -> None:
        """Keep the signed `document`, with `human` text above it where the store shows any."""

    def read(self) -> str | None:
        """The document, or None."""


class Inbox(Protocol):
    """What people ask while a session runs; ids it gave once are journaled as consumed."""

    def poll(self, *, consumed: Sequence[str], at_once: bool = False) -> Sequence[Command]:
        """New commands by people with write access, and what else calls for work; in order.

        It may answer with nothing where it looked a moment ago, but not if it must be known `at_once`.
        """

    def refuse(self, command: Command) -> None:
        """Tell whoever asked that it came to nothing; quietly."""


class Reporter(Protocol):
    """What people read, made from the record alone, so that all surfaces agree."""

    def pull_request(self, record: LoopRecord) -> tuple[str, str]:
        """Title and body."""

    def sticky(self, record: LoopRecord) -> str:
        """The human part of the sticky comment."""

    def final(self, record: LoopRecord, kind: str) -> str:
        """The comment for `needs you`, `ready` or `stopped`."""

    def state(self, record: LoopRecord) -> str:
        """One word for the state label: working, paused, ready, stopped."""

    def redact(self, text: str) -> str:
        """The one exit for text."""

    def leaks(self, data: bytes) -> bool:
        """Whether a known secret stands in it."""


class Forge(Protocol):
    """The pull request, its comments and the next run. Absent for `run` on a plain git directory."""

    def open_pull_request(self, *, title: str, body: str, head: str, base: str) -> int:
        """Number of the draft pull request of this loop, made once."""

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """Title and body anew."""

    def mark_ready(self, number: int) -> None:
        """Out of draft."""

    def mark_draft(self, number: int) -> None:
        """Back into draft, since it is being worked on again."""

    def comment(self, marker: str, body: str) -> None:
        """A new comment, once for each `marker`."""

    def set_state_label(self, state: str) -> None:
        """The second label: working, paused, ready, stopped."""

    def dispatch(self, handoff: Handoff) -> str:
        """Start the next session by `workflow_dispatch`; the address of its run ("" if unknown)."""
