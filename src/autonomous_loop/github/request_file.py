"""A request from a file of the repository: its text, and the issue on which people follow the loop."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from github.NamedUser import NamedUser
from github.Repository import Repository

from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import RequestError
from autonomous_loop.github.client import once, translated
from autonomous_loop.github.sanitize import clean
from autonomous_loop.github.thread import MARK

MOST_TITLE: Final = 256
"""GitHub's limit for the characters of an issue's title."""
MOST_SHOWN: Final = 60_000
"""Maximum characters of an issue's body; GitHub accepts 65,536."""
MOST_ISSUES: Final = 300
"""Maximum own issues to search for the one of a file, newest first."""


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A Markdown file at one commit.

    Attributes:
        text: without hidden text.
        digest: digest of the file; the same path and digest are the same request.
    """

    path: str
    commit: CommitSha
    text: str
    digest: str

    @classmethod
    def of(cls, path: str, commit: CommitSha, data: bytes | None) -> RequestFile:
        """Build it from the file's bytes.

        Args:
            data: None if there is no such file.

        Raises:
            RequestError: the file is missing, is not UTF-8, or nothing is left of it.
        """
        if data is None:
            raise RequestError(
                f"the request file {path!r} is not in the repository at {commit[:12]}",
                hint="the input request is a path from the root of the default branch, such as docs/wish.md.",
            )
        try:
            text = clean(data.decode())
        except UnicodeDecodeError:
            raise RequestError(f"the request file {path} is not UTF-8", hint="save it as UTF-8.") from None
        if not text.strip():
            raise RequestError(f"the request file {path} is empty", hint="write what you want into it.")
        return cls(path, commit, text, hashlib.sha256(data).hexdigest())

    @property
    def mark(self) -> str:
        """The hidden marker in its issue."""
        name = hashlib.sha256(self.path.encode()).hexdigest()[:16]
        return f"{MARK}request-file {name} {self.digest} -->"


def safe_path(given: str) -> str:
    """Return a path inside the repository, as git writes it.

    Raises:
        RequestError: it leads outside, or is no path.
    """
    path = PurePosixPath(given.strip().removeprefix("./"))
    if path.is_absolute() or not path.parts or ".." in path.parts or not given.isprintable():
        raise RequestError(
            f"the input request is {given[:200]!r}, which is no path in the repository",
            hint="give a path from the root of the default branch, such as docs/wish.md.",
        )
    return str(path)


@dataclass(frozen=True, slots=True)
class Found:
    """The issue of a request file."""

    number: int
    is_open: bool


class FileIssues:
    """Finds and opens the issues of request files.

    Args:
        own_login: the account that opens them; a marker in someone else's issue is ignored.
        server_url: for the link to the file.
    """

    def __init__(self, repository: Repository, *, own_login: str, server_url: str) -> None:
        self._repository = repository
        self._own_login = own_login
        self._server_url = server_url

    def find(self, file: RequestFile) -> Found | None:
        """Return the newest issue for exactly this file content; None if there is none.

        Raises:
            ForgeError: GitHub does not answer.
        """
        with translated("looking for the request file's issue"):
            me = NamedUser(self._repository.requester, attributes={"login": self._own_login})
            issues = self._repository.get_issues(state="all", creator=me, sort="created")
            return next(
                (
                    Found(one.number, one.state == "open")
                    for one in islice(issues, MOST_ISSUES)
                    if one.pull_request is None
                    and one.user.login == self._own_login
                    and file.mark in (one.body or "")
                ),
                None,
            )

    def find_open(self, file: RequestFile) -> int | None:
        """Return the number of the newest issue if it is still open.

        Raises:
            ForgeError: GitHub does not answer.
        """
        found = self.find(file)
        return found.number if found and found.is_open else None

    def open(self, file: RequestFile, *, title: str, body: str) -> int:
        """Return the number of the open issue; open one if there is none.

        Raises:
            ForgeError: GitHub refused.
        """
        link = (
            f"{self._server_url}/{self._repository.full_name}/blob/{file.commit}/{quote(file.path, safe='/')}"
        )
        shown = body if len(body) <= MOST_SHOWN else f"{_begin(body, MOST_SHOWN, chr(10))}\n\n(cut)"
        if len(title) > MOST_TITLE:
            title = f"{_begin(title, MOST_TITLE - 1, ' ')}…"
        text = f"{shown}\n\n---\nThe request is [{file.path}]({link}).\n\n{file.mark}"
        with translated("opening the request file's issue"):
            return once(
                lambda: self.find_open(file), lambda: self._repository.create_issue(title, text).number
            )


def _begin(text: str, most: int, at: str) -> str:
    """Return at most `most` characters, cut at the last `at` if there is one."""
    return text[:most].rpartition(at)[0] or text[:most]
