"""Freezes the request: title and body as of the label, and earlier comments by people with write access."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from github.IssueComment import IssueComment
from github.Repository import Repository

from autonomous_loop.domain.request import Request
from autonomous_loop.domain.trigger import parse_command
from autonomous_loop.errors import RequestError
from autonomous_loop.github.access import Access
from autonomous_loop.github.client import translated
from autonomous_loop.github.sanitize import clean, one_line

MOST_COMMENTS: Final = 50
MOST_COMMENT: Final = 20_000
MOST_TITLE: Final = 500
MOST_BODY: Final = 150_000
# Only a hint that saves requests; the collaborator API decides.
_NEAR: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_EDITED: Final = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { issue(number: $number) { title body lastEditedAt } }
}
"""
_MARKER: Final = "<!-- autonomous-loop:"


def freeze(
    repository: Repository,
    issue: int,
    *,
    requester: str,
    at: datetime,
    access: Access,
    event: Mapping[str, Any] | None = None,
) -> Request:
    """Return the request as it was at `at`, without hidden text.

    Args:
        requester: the person who asked, already checked.
        at: the time of the label; for a manual dispatch, now.
        event: the payload of the `labeled` event if that started the run: it shows the issue as it was then.
            Without a payload the issue must not have been edited since.

    Raises:
        RequestError: nothing is left of the text, or it was edited since.
        ForgeError: GitHub did not answer.
    """
    pictured = _pictured(event, issue)
    if pictured:
        title, body, at = pictured
    else:
        title, body = _unedited(repository, issue, at)
    said = _comments(repository, issue, at, access)
    shown_title, shown_body = one_line(title)[:MOST_TITLE], clean(body)[:MOST_BODY]
    if not shown_title and not shown_body:
        raise RequestError(
            f"Issue #{issue} asks for nothing: without hidden text its title and body are empty.",
            hint="write down what is wanted, and label it again.",
        )
    return Request(title=shown_title, body=shown_body, requester=requester, issue=issue, comments=said)


def _pictured(event: Mapping[str, Any] | None, issue: int) -> tuple[str, str, datetime] | None:
    """Return title, body and time from a payload; None for any other event."""
    if not event or event.get("action") != "labeled":
        return None
    shown = event.get("issue")
    if not isinstance(shown, Mapping) or shown.get("number") != issue:
        return None
    try:
        at = datetime.fromisoformat(str(shown.get("updated_at")).replace("Z", "+00:00"))
    except ValueError:
        return None
    return str(shown.get("title") or ""), str(shown.get("body") or ""), at


def _unedited(repository: Repository, issue: int, at: datetime) -> tuple[str, str]:
    owner, _, name = repository.full_name.partition("/")
    with translated(f"reading issue #{issue}"):
        _, answer = repository.requester.graphql_query(
            _EDITED, {"owner": owner, "name": name, "number": issue}
        )
        found = answer["data"]["repository"]["issue"]
        # GraphQL reports edits of the body; a new title is an event.
        renamed = any(
            one.event == "renamed" and one.created_at > at for one in repository.get_issue(issue).get_events()
        )
    edited = found["lastEditedAt"]
    if renamed or (edited and datetime.fromisoformat(edited.replace("Z", "+00:00")) > at):
        raise RequestError(
            f"Issue #{issue} was edited after it was labelled, so nobody asked for this text.",
            hint="read it, take the label off and put it on again.",
        )
    return found["title"] or "", found["body"] or ""


def _comments(repository: Repository, issue: int, at: datetime, access: Access) -> tuple[str, ...]:
    with translated(f"reading the comments of issue #{issue}"):
        found = [one for one in repository.get_issue(issue).get_comments() if _is_of_use(one, at)]
    said = []
    for one in found[-MOST_COMMENTS:]:
        if access.may_write(one.user.login, one.user.type):
            text = clean(one.body)[:MOST_COMMENT]
            if text:
                said.append(f"{one.user.login}:\n{text}")
    return tuple(said)


def _is_of_use(comment: IssueComment, at: datetime) -> bool:
    """Whether it counts: before the label, unedited since, near the project, not for or by the loop."""
    return (
        comment.user is not None
        and comment.user.type == "User"
        and comment.raw_data.get("author_association") in _NEAR
        and (comment.updated_at or datetime.max.replace(tzinfo=UTC)) <= at
        and _MARKER not in (comment.body or "")
        and parse_command(comment.body or "") is None
    )
