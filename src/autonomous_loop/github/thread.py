"""The places where a loop talks to people: its issue, and its pull request once there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from github.IssueComment import IssueComment
from github.PullRequest import PullRequest
from github.Repository import Repository

from autonomous_loop.domain.model import LoopId

MARK: Final = "<!-- autonomous-loop:"


class Thread:
    """The issue and the pull request of one loop, which every session can find again.

    It raises PyGithub's exceptions; callers add what they were doing (`client.translated`).

    Args:
        repository: the loop's repository.
        loop: its id, which every marker contains.
        issue: its number.
        head: the pull request's branch, `autonomous-loop/<loop>/pr`.
        own_login: the account that writes; a marker in someone else's comment is ignored.
        pull_request: its number if the journal knows it, which saves a request.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        loop: LoopId,
        issue: int,
        head: str,
        own_login: str,
        pull_request: int | None = None,
    ) -> None:
        self.repository = repository
        self.loop = loop
        self.issue = issue
        self.head = head
        self.own_login = own_login
        self._pull_request = pull_request
        self._looked = pull_request is not None

    @property
    def pull_request(self) -> int | None:
        """Number of the pull request, looked up once by its branch."""
        if not self._looked:
            found = self.find_pull_request()
            self.opened(found.number if found else None)
        return self._pull_request

    @property
    def number(self) -> int:
        """Number to write to: the pull request's if there is one, else the issue's."""
        return self.pull_request or self.issue

    def opened(self, number: int | None) -> None:
        """Remember the pull request."""
        self._pull_request, self._looked = number, True

    def find_pull_request(self) -> PullRequest | None:
        """Find it by its branch, open ones first. A person may have opened it, because Actions may not."""
        owner = self.repository.full_name.partition("/")[0]
        found = sorted(
            # `owner:branch` also names a fork of the same owner.
            (
                one
                for one in self.repository.get_pulls(state="all", head=f"{owner}:{self.head}")
                if self._ours(one)
            ),
            key=lambda one: (one.state != "open", -one.number),
        )
        return found[0] if found else None

    def _ours(self, pull: PullRequest) -> bool:
        head = pull.head.repo
        return head is not None and head.full_name.lower() == self.repository.full_name.lower()

    def mark(self, name: str) -> str:
        """Return the hidden marker of one kind of text the loop writes."""
        return f"{MARK}{self.loop}:{name} -->"

    def own_comments(self, number: int) -> Iterator[IssueComment]:
        """Return the loop's own comments there, oldest first."""
        for comment in self.repository.get_issue(number).get_comments():
            if comment.user is not None and comment.user.login == self.own_login:
                yield comment

    def find_comment(self, number: int, mark: str) -> IssueComment | None:
        """Return the loop's own comment with this marker; the older one if a lost answer left two."""
        return next((one for one in self.own_comments(number) if mark in (one.body or "")), None)
