"""Whether a loop's pull request, or its issue where there is none, is closed: GitHub's word for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from github.Repository import Repository

from autonomous_loop.github.client import translated


@dataclass(frozen=True, slots=True)
class Closing:
    """What closed a loop.

    Attributes:
        how: merged, or closed without it.
        at: aware; None where GitHub does not say.
        pull_request: None: the issue of a loop without one.
    """

    how: Literal["merged", "closed"]
    at: datetime | None
    pull_request: int | None

    def __str__(self) -> str:
        """For people."""
        if self.pull_request is None:
            return "its issue is closed"
        return f"pull request #{self.pull_request} is {'merged' if self.how == 'merged' else 'closed'}"


def closing_of(repository: Repository, *, issue: int, pull_request: int | None) -> Closing | None:
    """How and when; None while it is open.

    Args:
        issue: of the loop; 0: it has none.
        pull_request: of the loop; where there is one, the issue's state says nothing.

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
