"""The labels of a repository."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from embedded_github.forge.database import Row
from embedded_github.forge.models import Actor, Label
from embedded_github.forge.records.announce import announce, renderer_for

if TYPE_CHECKING:
    from embedded_github.forge.store import Store


class Labels:
    """Labels, found by name in any case."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self, repo: str, name: str, actor: Actor, *, color: str | None = None, description: str | None = None
    ) -> Label:
        """Make a label; without a colour it gets one of its own.

        Raises:
            ValueError: there is one of that name.
        """
        with self._store.db.transaction():
            if self.get(repo, name) is not None:
                raise ValueError(f"the label {name} exists")
            color = color or hashlib.sha256(name.lower().encode()).hexdigest()[:6]
            self._store.db.execute(
                "INSERT INTO labels (repo, name, color, description) VALUES (?, ?, ?, ?)",
                repo,
                name,
                color,
                description,
            )
            label = self.require(repo, name)
            self._announce(repo, "created", label, actor)
        return label

    def ensure(self, repo: str, name: str, actor: Actor) -> Label:
        """Return the label of this name, made now if there is none."""
        with self._store.db.transaction():
            return self.get(repo, name) or self.create(repo, name, actor, color="ededed")

    def get(self, repo: str, name: str) -> Label | None:
        """Return a label, or None."""
        row = self._store.db.one("SELECT * FROM labels WHERE repo = ? AND name = ?", repo, name)
        return label_of(row) if row else None

    def require(self, repo: str, name: str) -> Label:
        """Return a label.

        Raises:
            LookupError: there is none of that name.
        """
        label = self.get(repo, name)
        if label is None:
            raise LookupError(f"no label {name} in {repo}")
        return label

    def list(self, repo: str) -> list[Label]:
        """Return a repository's labels, in order of name."""
        rows = self._store.db.all("SELECT * FROM labels WHERE repo = ? ORDER BY name", repo)
        return [label_of(row) for row in rows]

    def update(
        self,
        repo: str,
        name: str,
        actor: Actor,
        *,
        new_name: str | None = None,
        color: str | None = None,
        description: str | None = None,
    ) -> Label:
        """Change a label; None leaves a part as it is."""
        with self._store.db.transaction():
            label = self.require(repo, name)
            self._store.db.execute(
                "UPDATE labels SET name = COALESCE(?, name), color = COALESCE(?, color),"
                " description = COALESCE(?, description) WHERE id = ?",
                new_name,
                color,
                description,
                label.id,
            )
            changed = self.require(repo, new_name or name)
            self._announce(repo, "edited", changed, actor)
        return changed

    def delete(self, repo: str, name: str, actor: Actor) -> None:
        """Take a label away, from every issue as well."""
        with self._store.db.transaction():
            label = self.require(repo, name)
            self._store.db.execute("DELETE FROM issue_labels WHERE label_id = ?", label.id)
            self._store.db.execute("DELETE FROM labels WHERE id = ?", label.id)
            self._announce(repo, "deleted", label, actor)

    def _announce(self, repo: str, action: str, label: Label, actor: Actor) -> None:
        parts = {"label": renderer_for(self._store, actor).label(repo, label)}
        announce(self._store, actor, repo, "label", action, parts)


def label_of(row: Row) -> Label:
    """Read a label from its row."""
    return Label(row["id"], row["name"], row["color"], row["description"])
