"""Turns reviews that request changes into work for the loop that owns the pull request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from github.PullRequest import PullRequest
from github.PullRequestReview import PullRequestReview

from autonomous_loop.domain.work import Command
from autonomous_loop.errors import ForgeError
from autonomous_loop.github.access import Access
from autonomous_loop.github.client import translated
from autonomous_loop.github.sanitize import clean, one_line
from autonomous_loop.github.thread import Thread

LOOK_S: Final = 300.0
"""Seconds between two looks, at two requests each: 24 an hour."""
MOST_COMMENTS: Final = 40
MOST_TEXT: Final = 12_000

logger = logging.getLogger(__name__)


class ReviewInbox:
    """Implements `Inbox` for changes that reviewers with write access request, frozen when first read.

    Args:
        thread: the loop's issue and pull request.
        access: decides whose reviews count.
        since: earlier sessions have read earlier reviews.
        every_s: minimum seconds between two looks.
        monotonic: a clock.
    """

    def __init__(
        self,
        thread: Thread,
        access: Access,
        *,
        since: datetime,
        every_s: float = LOOK_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._thread = thread
        self._access = access
        self._since = since
        self._every_s = every_s
        self._monotonic = monotonic
        self._next_look = float("-inf")
        self._handled: set[str] = set()

    def poll(self, *, consumed: Sequence[str], at_once: bool = False) -> Sequence[Command]:
        """See `Inbox`. If GitHub does not answer now, the next look asks again."""
        if self._monotonic() < self._next_look and not at_once:
            return []
        self._next_look = self._monotonic() + self._every_s
        self._handled.update(consumed)
        try:
            with translated("reading the reviews of the pull request"):
                number = self._thread.pull_request
                if number is None:
                    return []
                found = self._reviews(self._thread.repository.get_pull(number))
        except ForgeError as error:
            logger.warning("%s", error.message)
            return []
        self._handled.update(one.id for one in found)
        return found

    def refuse(self, command: Command) -> None:
        """See `Inbox`. A review has no reactions, so the session's note reports it."""

    def _reviews(self, pull: PullRequest) -> list[Command]:
        ours = pull.head.repo is not None and pull.head.repo.full_name == self._thread.repository.full_name
        if pull.state != "open" or not ours:
            return []
        found = [self._command(pull, one) for one in pull.get_reviews() if self._counts(one)]
        return [one for one in found if one is not None]

    def _counts(self, review: PullRequestReview) -> bool:
        if review.state != "CHANGES_REQUESTED" or f"review-{review.id}" in self._handled:
            return False
        if review.user is None or review.submitted_at is None or review.submitted_at < self._since:
            return False
        return self._access.may_write(review.user.login, review.user.type)

    def _command(self, pull: PullRequest, review: PullRequestReview) -> Command | None:
        parts = [clean(review.body or "")]
        # The client would fetch each comment again, only to learn its line.
        address = f"{pull.url}/reviews/{review.id}/comments?per_page={MOST_COMMENTS}"
        _, lines = pull.requester.requestJsonAndCheck("GET", address)
        for comment in lines or ():
            if (comment.get("user") or {}).get("login") != review.user.login:
                continue
            text = clean(comment.get("body") or "")
            line = comment.get("line") or comment.get("original_line")
            place = one_line(comment.get("path") or "") + (f", line {line}" if isinstance(line, int) else "")
            parts.append(f"- {place}: {text}" if text else "")
        text = "\n".join(part for part in parts if part)[:MOST_TEXT]
        if not text:
            self._handled.add(f"review-{review.id}")
            return None
        return Command(id=f"review-{review.id}", actor=review.user.login, name="review", argument=text)
