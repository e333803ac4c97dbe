"""Comments on issues and on pull requests' conversations."""

from __future__ import annotations

from typing import Any

from embedded_github.forge.database import Database, Row
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import Actor, Comment
from embedded_github.forge.records.issues import Issues


class Comments:
    """The comments of every issue."""

    def __init__(self, db: Database, bus: EventBus, issues: Issues) -> None:
        self._db = db
        self._bus = bus
        self._issues = issues

    def create(self, repo: str, number: int, body: str, actor: Actor) -> Comment:
        """Write a comment: `issue_comment: created`.

        Raises:
            LookupError: there is no such issue.
        """
        with self._db.transaction():
            issue = self._issues.require(repo, number)
            now = self._db.now()
            comment_id = self._db.execute(
                "INSERT INTO comments (repo, number, author, body, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                issue.repo,
                number,
                actor.login,
                body,
                now,
                now,
            )
            self._issues.touch(repo, number)
            comment = self.require(repo, comment_id)
            self._announce(comment, "created", actor)
        return comment

    def get(self, repo: str, comment_id: int) -> Comment | None:
        """Return a comment, or None."""
        row = self._db.one("SELECT * FROM comments WHERE repo = ? AND id = ?", repo, comment_id)
        return _comment(row) if row else None

    def require(self, repo: str, comment_id: int) -> Comment:
        """Return a comment.

        Raises:
            LookupError: there is none of that id.
        """
        comment = self.get(repo, comment_id)
        if comment is None:
            raise LookupError(f"no comment {comment_id} in {repo}")
        return comment

    def list(self, repo: str, number: int | None = None, *, since: str | None = None) -> list[Comment]:
        """Return an issue's comments, oldest first; without a number the whole repository's.

        Args:
            repo: `owner/name`.
            number: The issue's number.
            since: Only those updated at that time or later.
        """
        rows = self._db.all(
            "SELECT * FROM comments WHERE repo = ? AND (? IS NULL OR number = ?) AND updated_at >= ?"
            " ORDER BY id",
            repo,
            number,
            number,
            since or "",
        )
        return [_comment(row) for row in rows]

    def edit(self, repo: str, comment_id: int, body: str, actor: Actor) -> Comment:
        """Change a comment's text: `issue_comment: edited`, unless it is the same."""
        with self._db.transaction():
            old = self.require(repo, comment_id)
            if body == old.body:
                return old
            now = self._db.now()
            self._db.execute(
                "UPDATE comments SET body = ?, updated_at = ?, edited_at = ? WHERE id = ?",
                body,
                now,
                now,
                comment_id,
            )
            comment = self.require(repo, comment_id)
            self._announce(comment, "edited", actor, changes={"body": {"from": old.body}})
        return comment

    def delete(self, repo: str, comment_id: int, actor: Actor) -> None:
        """Take a comment away: `issue_comment: deleted`."""
        with self._db.transaction():
            comment = self.require(repo, comment_id)
            self._announce(comment, "deleted", actor)
            self._db.execute("DELETE FROM comments WHERE id = ?", comment_id)
            self._db.execute("DELETE FROM reactions WHERE subject = 'comment' AND subject_id = ?", comment_id)

    def _announce(
        self, comment: Comment, action: str, actor: Actor, *, changes: dict[str, Any] | None = None
    ) -> None:
        issue = self._issues.require(comment.repo, comment.number)
        parts: dict[str, object] = {"issue": issue, "comment": comment}
        if changes is not None:
            parts["changes"] = changes
        self._bus.publish(Change(comment.repo, "issue_comment", action, actor, parts))


def _comment(row: Row) -> Comment:
    return Comment(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row is no dict
