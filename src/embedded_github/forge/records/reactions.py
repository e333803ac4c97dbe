"""Reactions to issues (`issue`, by id), comments (`comment`) and review comments (`review_comment`)."""

from __future__ import annotations

from embedded_github.forge.database import Database, Row
from embedded_github.forge.models import Actor, Reaction

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


class Reactions:
    """Who reacted to what; GitHub sends no webhook for them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, subject: str, subject_id: int, content: str, actor: Actor) -> tuple[Reaction, bool]:
        """React; return the reaction and whether it is new (each person has one of a kind).

        Raises:
            ValueError: `content` is none of GitHub's eight.
        """
        if content not in CONTENTS:
            raise ValueError(f"{content!r} is no reaction: {', '.join(CONTENTS)}")
        with self._db.transaction():
            for reaction in self.list(subject, subject_id):
                if reaction.author == actor.login and reaction.content == content:
                    return reaction, False
            reaction_id = self._db.execute(
                "INSERT INTO reactions (subject, subject_id, author, content, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                subject,
                subject_id,
                actor.login,
                content,
                self._db.now(),
            )
        return next(one for one in self.list(subject, subject_id) if one.id == reaction_id), True

    def list(self, subject: str, subject_id: int) -> list[Reaction]:
        """Return the reactions to one thing, oldest first."""
        rows = self._db.all(
            "SELECT * FROM reactions WHERE subject = ? AND subject_id = ? ORDER BY id", subject, subject_id
        )
        return [_reaction(row) for row in rows]

    def counts(self, subject: str, subject_id: int) -> dict[str, int]:
        """Return how many of each of the eight."""
        reactions = self.list(subject, subject_id)
        return {content: sum(one.content == content for one in reactions) for content in CONTENTS}

    def delete(self, subject: str, subject_id: int, reaction_id: int) -> None:
        """Take a reaction back.

        Raises:
            LookupError: there is none of that id.
        """
        if all(one.id != reaction_id for one in self.list(subject, subject_id)):
            raise LookupError(f"no reaction {reaction_id}")
        self._db.execute("DELETE FROM reactions WHERE id = ?", reaction_id)


def _reaction(row: Row) -> Reaction:
    return Reaction(row["id"], row["author"], row["content"], row["created_at"])
