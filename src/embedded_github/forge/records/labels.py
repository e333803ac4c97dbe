"""The labels of a repository."""

from __future__ import annotations

import hashlib

from embedded_github.forge.database import Database, Row
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import Actor, Label


class Labels:
    """Labels, found by name in any case."""

    def __init__(self, db: Database, bus: EventBus) -> None:
        self._db = db
        self._bus = bus

    def create(
        self, repo: str, name: str, actor: Actor, *, color: str | None = None, description: str | None = None
    ) -> Label:
        """Make a label; without a colour it gets one of its own.

        Raises:
            ValueError: there is one of that name.
        """
        with self._db.transaction():
            if self.get(repo, name) is not None:
                raise ValueError(f"the label {name} exists")
            color = color or hashlib.sha256(name.lower().encode()).hexdigest()[:6]
            self._db.execute(
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
        with self._db.transaction():
            return self.get(repo, name) or self.create(repo, name, actor, color="ededed")

    def get(self, repo: str, name: str) -> Label | None:
        """Return a label, or None."""
        row = self._db.one("SELECT * FROM labels WHERE repo = ? AND name = ?", repo, name)
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
        rows = self._db.all("SELECT * FROM labels WHERE repo = ? ORDER BY name", repo)
        return [label_of(row) for row in rows]

    def _announce(self, repo: str, action: str, label: Label, actor: Actor) -> None:
        self._bus.publish(Change(repo, "label", action, actor, {"label": label}))


def label_of(row: Row) -> Label:
    """Read a label from its row."""
    return Label(row["id"], row["name"], row["color"], row["description"])
