"""Asks GitHub whether a loop's pull request, or its issue if there is none, is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from github.Repository import Repository

from autonomous_loop.github.client import translated


@dataclass(frozen=True, slots=True)
class Closing:
    """How and when a loop was closed.

    Attributes:
        how: merged, or closed without a merge.
        at: timezone-aware; None if GitHub does not say.
        pull_request: None if the loop has none and its issue was closed.
    """

    how: Literal["merged", "closed"]
    at: datetime | None
    pull_request: int | None

    def __str__(self) -> str:
        """Return text for people."""
        if self.pull_request is None:
            return "its issue is closed"
        return f"pull request #{self.pull_request} is {'merged' if self.how == 'merged' else 'closed'}"


def closing_of(repository: Repository, *, issue: int, pull_request: int | None) -> Closing | None:
    """Return how and when the loop was closed; None while it is open.

    Args:
        issue: the loop's issue; 0 if it has none.
        pull_request: the loop's pull request; if there is one, the issue's state does not matter.

    Raises:
        ForgeError: GitHub did not say.
    """
    if pull_request is not None:
        with translated(f"looking at pull request #{pull_request}"):
            pull = repository.get_pull(pull_request)
            if pull.state != "closed":
                return None
            return Closing("merged" if pull.merged else "closed", pull.closed_at, pull_request)
    if not issue:
        return None
    with translated(f"looking at issue #{issue}"):
        found = repository.get_issue(issue)
        return Closing("closed", found.closed_at, None) if found.state == "closed" else None
