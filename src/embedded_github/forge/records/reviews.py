"""Reviews of pull requests and comments on their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from embedded_github.forge.database import Database, Row
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import Actor, Review, ReviewComment
from embedded_github.forge.records.issues import Issues
from embedded_github.forge.records.pulls import Pulls

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


class Reviews:
    """The reviews of every pull request."""

    def __init__(self, db: Database, bus: EventBus, issues: Issues, pulls: Pulls) -> None:
        self._db = db
        self._bus = bus
        self._issues = issues
        self._pulls = pulls

    def create(
        self,
        repo: str,
        number: int,
        actor: Actor,
        *,
        event: str,
        body: str = "",
        comments: Sequence[Mapping[str, Any]] = (),
        commit_id: str | None = None,
    ) -> Review:
        """Submit a review: `pull_request_review: submitted`, and `pull_request_review_comment` for each line.

        Args:
            repo: `owner/name`.
            number: The pull request's.
            actor: The reviewer.
            event: APPROVE, REQUEST_CHANGES or COMMENT.
            body: Markdown.
            comments: `path`, `body`, and `line`, `side` where on a line.
            commit_id: The commit that was reviewed; None: the head.

        Raises:
            KeyError: `event` is none of the three.
            LookupError: there is no such pull request.
        """
        with self._db.transaction():
            pull = self._pulls.require(repo, number)
            now = self._db.now()
            commit = commit_id or pull.head_sha
            review_id = self._db.execute(
                "INSERT INTO reviews (repo, number, author, state, body, commit_id, submitted_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                pull.repo,
                number,
                actor.login,
                STATES[event],
                body,
                commit,
                now,
            )
            self._issues.touch(repo, number)
            review = self.require(repo, number, review_id)
            parts = {"review": review, "pull_request": pull}
            self._bus.publish(Change(pull.repo, "pull_request_review", "submitted", actor, parts))
            for comment in comments:
                self._comment(review, comment, actor)
        return review

    def get(self, repo: str, number: int, review_id: int) -> Review | None:
        """Return a review, or None."""
        return next((one for one in self.list(repo, number) if one.id == review_id), None)

    def require(self, repo: str, number: int, review_id: int) -> Review:
        """Return a review.

        Raises:
            LookupError: there is none of that id.
        """
        review = self.get(repo, number, review_id)
        if review is None:
            raise LookupError(f"no review {review_id} of {number} in {repo}")
        return review

    def list(self, repo: str, number: int) -> list[Review]:
        """Return a pull request's reviews, oldest first."""
        rows = self._db.all("SELECT * FROM reviews WHERE repo = ? AND number = ? ORDER BY id", repo, number)
        return [Review(**{key: row[key] for key in row.keys()}) for row in rows]  # noqa: SIM118 - a Row

    def comments(self, repo: str, number: int, *, review_id: int | None = None) -> Sequence[ReviewComment]:
        """Return the comments on a pull request's lines, oldest first; those of one review if it is given."""
        rows = self._db.all(
            "SELECT * FROM review_comments WHERE repo = ? AND number = ? ORDER BY id", repo, number
        )
        return [one for one in map(_review_comment, rows) if review_id in (None, one.review_id)]

    def _comment(self, review: Review, comment: Mapping[str, Any], actor: Actor) -> None:
        pull = self._pulls.require(review.repo, review.number)
        now = self._db.now()
        comment_id = self._db.execute(
            "INSERT INTO review_comments (repo, number, review_id, author, body, path, line, side, commit_id,"
            " diff_hunk, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            review.repo,
            review.number,
            review.id,
            actor.login,
            comment["body"],
            comment["path"],
            comment.get("line"),
            comment.get("side", "RIGHT"),
            review.commit_id,
            "",
            now,
            now,
        )
        kept = next(one for one in self.comments(review.repo, review.number) if one.id == comment_id)
        parts = {"comment": kept, "pull_request": pull}
        self._bus.publish(Change(review.repo, "pull_request_review_comment", "created", actor, parts))


def _review_comment(row: Row) -> ReviewComment:
    return ReviewComment(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row is no dict
