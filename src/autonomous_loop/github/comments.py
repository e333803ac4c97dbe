"""Writes the sticky comment with the handoff, and reads the comments that people write to the loop."""

from __future__ import annotations

import base64
import binascii
import logging
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import requests
from github.GithubException import GithubException
from github.IssueComment import IssueComment

from autonomous_loop.domain.trigger import parse_command
from autonomous_loop.domain.work import Command
from autonomous_loop.errors import ForgeError
from autonomous_loop.github.access import Access
from autonomous_loop.github.client import once, status_of, translated
from autonomous_loop.github.closing import closing_of
from autonomous_loop.github.sanitize import clean
from autonomous_loop.github.thread import MARK, Thread

MOST_COMMENT: Final = 65_000
POLL_S: Final = 20.0
"""Seconds between two looks, at two requests each: 360 an hour of the 1,000 a repository's token has."""
CLOSED_EVERY: Final = 3
_NUMBER: Final = re.compile(r"/issues/([0-9]+)\Z")
_RECEIPT, _NOT_UNDERSTOOD = "eyes", "confused"

logger = logging.getLogger(__name__)


class StickyCommentStore:
    """Implements `HandoffStore` with one comment that is edited in place.

    The comment is on the issue until there is a pull request, and then there; the issue's comment
    then only points to it. A hidden block holds the document in base64, so that no content can end the block.

    Args:
        thread: the loop's issue and pull request.
        pause_s: seconds before a retry; doubled each time.
    """

    def __init__(self, thread: Thread, *, pause_s: float = 1.0) -> None:
        self._thread = thread
        self._pause_s = pause_s
        self._mark = f"{MARK}{thread.loop}:handoff"
        self._block = re.compile(re.escape(self._mark) + r"\s+([A-Za-z0-9+/=\s]*?)\s*-->")
        self._found: tuple[int, IssueComment] | None = None

    def write(self, human: str, document: str) -> None:
        """See `HandoffStore`.

        Raises:
            ForgeError: GitHub refused.
        """
        encoded = base64.b64encode(document.encode()).decode()
        self._write(human, f"\n\n{self._mark}\n{encoded}\n-->")

    def show(self, human: str) -> None:
        """Write only the part for people, if the document is stored elsewhere.

        Raises:
            ForgeError: GitHub refused.
        """
        self._write(human, f"\n\n{self._mark} -->")

    def _write(self, human: str, block: str) -> None:
        if len(block) > MOST_COMMENT:
            raise ForgeError(f"The handoff takes {len(block)} characters; a comment holds {MOST_COMMENT}.")
        room = MOST_COMMENT - len(block)
        shown = human.rstrip() if len(human) <= room else human[:room].rpartition("\n")[0]
        with translated("writing the sticky comment"):
            number = self._thread.number
            made = self._put(number, shown + block)
            if made and number != self._thread.issue:
                self._point_there(number)

    def read(self) -> str | None:
        """See `HandoffStore`. Also None if the block is damaged, because the journal alone is enough.

        Raises:
            ForgeError: GitHub did not answer.
        """
        with translated("reading the sticky comment"):
            for number in dict.fromkeys([self._thread.number, self._thread.issue]):
                comment = self._find(number)
                document = self._document(comment.body or "") if comment else None
                if document is not None:
                    return document
        return None

    def _put(self, number: int, body: str) -> bool:
        """Edit the comment, or create it; return whether it was created."""
        existing = self._find(number)
        if existing is not None:
            try:
                existing.edit(body)
            except GithubException as error:
                if error.status != 404:  # 404: a person deleted it
                    raise
                self._found = None
            else:
                return False
        made = once(
            lambda: self._thread.find_comment(number, self._mark),
            lambda: self._thread.repository.get_issue(number).create_comment(body),
            pause_s=self._pause_s,
        )
        if made.body != body:
            made.edit(body)
        self._found = (number, made)
        return True

    def _find(self, number: int) -> IssueComment | None:
        if self._found is None or self._found[0] != number:
            comment = self._thread.find_comment(number, self._mark)
            self._found = (number, comment) if comment else None
        return self._found[1] if self._found else None

    def _point_there(self, number: int) -> None:
        """Point the issue's comment to the pull request, since it would otherwise show an outdated state."""
        old = self._thread.find_comment(self._thread.issue, self._mark)
        if old is not None:
            old.edit(f"### Autonomous Loop\n\nThis goes on in pull request #{number}.\n\n{self._mark} -->")

    def _document(self, body: str) -> str | None:
        found = self._block.search(body)
        if not found or not found.group(1):
            return None
        try:
            return base64.b64decode(found.group(1), validate=False).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None


class CommentInbox:
    """Implements `Inbox` for `/loop` commands in comments and for a removed label.

    Args:
        thread: the loop's issue and pull request.
        access: decides whose commands count.
        label: the label that started the loop.
        since: ignore older comments; they belong to no session of this loop.
        every_s: minimum seconds between two looks; a `poll` in between returns nothing at once.
        monotonic: a clock.
    """

    def __init__(
        self,
        thread: Thread,
        access: Access,
        *,
        label: str,
        since: datetime,
        every_s: float = POLL_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._thread = thread
        self._access = access
        self._label = label
        self._loop_began = since
        self._since = since
        self._every_s = every_s
        self._monotonic = monotonic
        self._next_look = float("-inf")
        self._handled: set[str] = set()
        self._looks = 0
        self._seen: dict[str, IssueComment] = {}
        self._unlabelled: tuple[datetime | None, Command | None] = (None, None)

    def poll(self, *, consumed: Sequence[str], at_once: bool = False) -> Sequence[Command]:
        """See `Inbox`. If GitHub does not answer now, the next look asks again."""
        if self._monotonic() < self._next_look and not at_once:
            return []
        self._next_look = self._monotonic() + self._every_s
        self._handled.update(consumed)
        try:
            with translated("looking for commands"):
                found = [*self._commands(), *self._label_removed(), *self._closed()]
        except ForgeError as error:
            logger.warning("%s", error.message)
            return []
        self._handled.update(one.id for one in found)
        return found

    def refuse(self, command: Command) -> None:
        """See `Inbox`. It answers with a reaction."""
        if (comment := self._seen.get(command.id)) is not None:
            _react(comment, _NOT_UNDERSTOOD)

    def _commands(self) -> list[Command]:
        places = {self._thread.issue, self._thread.pull_request}
        found: list[Command] = []
        newest = self._since
        comments = self._thread.repository.get_issues_comments(
            sort="updated", direction="asc", since=self._since
        )
        for comment in comments:
            newest = max(newest, comment.updated_at)
            number = _NUMBER.search(comment.issue_url)
            if number and int(number.group(1)) in places and comment.created_at >= self._loop_began:
                command = self._command(comment)
                if command:
                    found.append(command)
        self._since = newest  # only after all of them were read
        return sorted(found, key=lambda one: int(one.id.partition("-")[2]))

    def _command(self, comment: IssueComment) -> Command | None:
        words = parse_command(comment.body or "")
        name = command_id(comment.id)
        if words is None or comment.user is None or name in self._handled:
            return None
        if not self._access.may_write(comment.user.login, comment.user.type):
            self._handled.add(name)
            return None
        argument = clean(words.argument) if words.name == "add" else words.argument
        if not words.name or (words.name == "add" and not argument):
            self._handled.add(name)
            _react(comment, _NOT_UNDERSTOOD)
            return None
        _react(comment, _RECEIPT)
        self._seen[name] = comment
        return Command(id=name, actor=comment.user.login, name=words.name, argument=argument)

    def _label_removed(self) -> list[Command]:
        """Return a stop if the label was removed: a person who may remove it may stop the loop."""
        issue = self._thread.repository.get_issue(self._thread.issue)
        if any(one.name == self._label for one in issue.labels):
            return []
        looked, command = self._unlabelled
        if looked != issue.updated_at:
            command = None
            for event in issue.get_events():
                if (
                    event.label is not None
                    and event.label.name == self._label
                    and event.created_at >= self._loop_began
                ):
                    actor = event.actor.login if event.actor else ""
                    stop = Command(id=f"unlabelled-{event.id}", actor=actor, name="stop")
                    command = stop if event.event == "unlabeled" else None
            self._unlabelled = (issue.updated_at, command)
        return [command] if command and command.id not in self._handled else []

    def _closed(self) -> list[Command]:
        """Return a stop if the pull request was closed, or the issue of a loop without a pull request."""
        number = self._thread.pull_request
        # A third request at every look would use up too much of the token's rate limit.
        self._looks += 1
        if self._looks % CLOSED_EVERY != 1:
            return []
        closing = closing_of(self._thread.repository, issue=self._thread.issue, pull_request=number)
        name = f"closed-{number or self._thread.issue}-{closing.at if closing else ''}"
        if closing is None or name in self._handled:
            return []
        return [Command(id=name, actor="", name="stop")]


def command_id(comment_id: int) -> str:
    """Return the id under which the journal records a comment's command as consumed."""
    return f"comment-{comment_id}"


def _react(comment: IssueComment, reaction: str) -> None:
    """Acknowledge a comment with a reaction; a failure stops nothing."""
    try:
        comment.create_reaction(reaction)
    except (GithubException, requests.RequestException) as error:
        logger.warning("no reaction on comment %d: HTTP %d", comment.id, status_of(error))
