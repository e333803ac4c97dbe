"""What follows when refs have moved, by a push or through the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embedded_github.forge.models import ZERO_SHA, Actor, RefChange
from embedded_github.forge.records.announce import announce, renderer_for

if TYPE_CHECKING:
    from embedded_github.forge.store import Store


class Refs:
    """Moves refs, and tells of refs that were moved."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
        git = self._store.git(repo)
        old = git.ref(ref) or ZERO_SHA
        git.update_ref(ref, after, before or old)
        self.changed(repo, [RefChange(ref, old, after)], actor)

    def changed(self, repo: str, changes: Sequence[RefChange], actor: Actor) -> None:
        """Tell of refs that have moved: a `push` for each, and what it means for open pull requests."""
        with self._store.db.transaction():
            self._store.repositories.touch_pushed(repo)
            for change in changes:
                announce(
                    self._store,
                    actor,
                    repo,
                    "push",
                    None,
                    renderer_for(self._store, actor).push(repo, change, actor),
                )
                if change.branch is not None:
                    self._update_pulls(repo, change, change.branch, actor)

    def _update_pulls(self, repo: str, change: RefChange, branch: str, actor: Actor) -> None:
        git = self._store.git(repo)
        # The ref as it is now, not as this push left it: two pushes may be told in the other order.
        tip = git.branch(branch)
        for pull in self._store.pulls.list(repo, head=branch):
            if tip is None:
                self._store.pulls.head_deleted(pull, actor)
            elif tip != pull.head_sha:
                self._store.pulls.head_moved(pull, tip, actor)
        if tip is None or change.before == ZERO_SHA:
            return
        for pull in self._store.pulls.list(repo, base=branch):
            if git.is_ancestor(pull.head_sha, tip):
                self._store.pulls.mark_merged(pull, tip, actor)
