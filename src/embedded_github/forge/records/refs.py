"""What follows when refs have moved, by a push or through the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from embedded_github.forge.database import Database
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import ZERO_SHA, Actor, RefChange
from embedded_github.forge.records.repositories import Repositories

Follower = Callable[[str, RefChange, str, Actor], None]
"""Takes `owner/name`, what moved, the branch and who moved it."""


class Refs:
    """Moves refs, and tells of refs that were moved."""

    def __init__(self, db: Database, bus: EventBus, repositories: Repositories) -> None:
        self._db = db
        self._bus = bus
        self._repositories = repositories
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Call `follower` with every branch that moved, after its push was published."""
        self._followers.append(follower)

    def move(self, repo: str, ref: str, after: str, actor: Actor, *, before: str | None = None) -> None:
        """Set a ref by its full name (forty zeros delete it) and tell it as a push.

        Args:
            repo: `owner/name`.
            ref: As `refs/heads/main`.
            after: The commit.
            actor: Who does it.
            before: What it must still be; forty zeros: it must not exist.

        Raises:
            GitError: it is something else by now, or the name or object is not valid.
        """
        git = self._repositories.git(repo)
        old = git.ref(ref) or ZERO_SHA
        git.update_ref(ref, after, before or old)
        self.changed(repo, [RefChange(ref, old, after)], actor)

    def changed(self, repo: str, changes: Sequence[RefChange], actor: Actor) -> None:
        """Tell of refs that have moved: a `push` for each, and what it means for open pull requests."""
        with self._db.transaction():
            self._repositories.touch_pushed(repo)
            for change in changes:
                self._bus.publish(Change(repo, "push", None, actor, {"push": change}))
                if change.branch is not None:
                    for follow in self._followers:
                        follow(repo, change, change.branch, actor)
