"""Combines everything that people and GitHub tell a running loop into one inbox."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.domain.work import Command
from autonomous_loop.engine.ports import Inbox


class Inboxes:
    """Implements `Inbox` over several inboxes, in the given order."""

    def __init__(self, *inboxes: Inbox) -> None:
        self._inboxes = inboxes

    def poll(self, *, consumed: Sequence[str], at_once: bool = False) -> Sequence[Command]:
        """See `Inbox`."""
        return [command for one in self._inboxes for command in one.poll(consumed=consumed, at_once=at_once)]

    def refuse(self, command: Command) -> None:
        """See `Inbox`. The inbox that delivered the command reports it."""
        for one in self._inboxes:
            one.refuse(command)
