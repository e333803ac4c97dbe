"""Concurrency groups: who runs, who waits, who has to go."""

from __future__ import annotations

from dataclasses import dataclass, field

PENDING_LIMIT = 100
"""How many may wait with `queue: max`."""


@dataclass(frozen=True)
class Ticket:
    """A run, or a job of a run (`job` is its key)."""

    run_id: int
    job: str = ""


@dataclass(frozen=True)
class Entry:
    """What comes of entering a group.

    Args:
        admitted: it may start now.
        refused: the queue is full: it is cancelled itself.
        cancelled: those that waited and are cancelled for it.
        ended: the one that runs and is to be cancelled for it.
    """

    admitted: bool = False
    refused: bool = False
    cancelled: tuple[Ticket, ...] = ()
    ended: Ticket | None = None


@dataclass
class _Group:
    running: Ticket | None = None
    pending: list[Ticket] = field(default_factory=list)


class Groups:
    """The groups of every repository. Names are compared without regard to case. Not safe between threads."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}

    def enter(self, repo: str, name: str, ticket: Ticket, *, cancel_in_progress: bool, queue: str) -> Entry:
        """Ask for a place.

        Args:
            repo: `owner/name`.
            name: of the group, evaluated.
            ticket: who asks.
            cancel_in_progress: the one that runs is to end.
            queue: single (one waits, a newcomer takes its place) or max (up to 100 wait, in order).
        """
        group = self._groups.setdefault((repo, name.lower()), _Group())
        if group.running is None:
            group.running = ticket
            return Entry(admitted=True)
        if queue == "max" and not cancel_in_progress:
            if len(group.pending) >= PENDING_LIMIT:
                return Entry(refused=True)
            group.pending.append(ticket)
            return Entry()
        cancelled, group.pending = tuple(group.pending), [ticket]
        return Entry(cancelled=cancelled, ended=group.running if cancel_in_progress else None)

    def leave(self, repo: str, name: str, ticket: Ticket) -> Ticket | None:
        """Give the place back, running or waiting; returns who may start now."""
        key = (repo, name.lower())
        group = self._groups.get(key)
        if group is None:
            return None
        if ticket in group.pending:
            group.pending.remove(ticket)
            return None
        if group.running != ticket:
            return None
        group.running = group.pending.pop(0) if group.pending else None
        if group.running is None:
            del self._groups[key]
        return group.running
