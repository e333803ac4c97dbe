"""Converts an event's name and payload into an activity. It knows GitHub's formats, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.queue import Turn
from autonomous_loop.domain.trigger import (
    Activity,
    Asked,
    Checked,
    Continue,
    Ignore,
    Pushed,
    Queue,
    Reviewed,
    Start,
    StartFile,
    issue_of,
    loop_of,
    loop_of_branch,
    parse_command,
)
from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.checks import FAILED

_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LOOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def activity(  # noqa: PLR0911 - one line an event reads best
    event_name: str, event: Mapping[str, Any], config: LoopConfig
) -> Activity:
    """Return what the event asks for. The sender is not checked yet (see `github/access.py`).

    Raises:
        ConfigurationError: malformed dispatch inputs.
    """
    action = event.get("action")
    match event_name:
        case "issues" if action == "labeled":
            return _labelled(event, config)
        case "issue_comment" if action == "created":
            return _commented(event)
        case "workflow_dispatch":
            return _dispatched(event)
        case "schedule":
            return Queue()
        case "pull_request_review" if action == "submitted":
            return _reviewed(event, config)
        case "push":
            return _pushed(event, config)
        case "workflow_run" if action == "completed":
            return _checked(event, config)
        case "issues" | "issue_comment" | "pull_request_review" | "workflow_run":
            return Ignore(f"{event_name} {action} asks for nothing")
    return Ignore(f"the event {event_name} asks for nothing")


def turn_of(loop: str, issue: str) -> Turn | None:
    """Return the matrix job of `plan` that the action's inputs name; None if they are empty.

    Raises:
        ConfigurationError: malformed inputs.
    """
    if loop and not _LOOP.fullmatch(loop):
        raise _bad("loop", loop, "the id of a loop, such as issue-12")
    number = _number("issue", issue) or (issue_of(loop) if loop else None)
    if not loop and number is None:
        return None
    return Turn(loop or loop_of(number or 0), number or 0)


def _labelled(event: Mapping[str, Any], config: LoopConfig) -> Activity:
    name = _at(event, "label", "name")
    if name != config.label:
        return Ignore(f"the label is not {config.label}")
    issue = _at(event, "issue")
    if not isinstance(issue, Mapping) or not isinstance(issue.get("number"), int):
        return Ignore("the event names no issue")
    if issue.get("pull_request"):
        return Ignore("a pull request was labelled, not an issue")
    if issue.get("state") == "closed":
        return Ignore(f"issue {issue['number']} is closed")
    return Start(issue=issue["number"], actor=_login(event))


def _commented(event: Mapping[str, Any]) -> Activity:
    body, comment_id, number = (
        _at(event, "comment", "body"),
        _at(event, "comment", "id"),
        _at(event, "issue", "number"),
    )
    if not isinstance(body, str) or not isinstance(comment_id, int) or not isinstance(number, int):
        return Ignore("the event names no comment")
    words = parse_command(body)
    if words is None:
        return Ignore("the comment does not begin with /loop")
    return Asked(
        number=number,
        on_pull_request=bool(_at(event, "issue", "pull_request")),
        name=words.name,
        argument=words.argument,
        comment_id=comment_id,
        actor=str(_at(event, "comment", "user", "login") or ""),
    )


def _reviewed(event: Mapping[str, Any], config: LoopConfig) -> Activity:
    if _at(event, "review", "state") != "changes_requested":
        return Ignore("the review asks for no changes")
    pull = _at(event, "pull_request")
    if not isinstance(pull, Mapping) or not isinstance(pull.get("number"), int):
        return Ignore("the event names no pull request")
    loop = loop_of_branch(str(_at(pull, "head", "ref") or ""), config.branch_prefix)
    if loop is None or not _is_here(event, _at(pull, "head", "repo")):
        return Ignore(f"pull request #{pull['number']} is no loop's")
    if pull.get("state") != "open":
        return Ignore(f"pull request #{pull['number']} is closed")
    reviewer = _at(event, "review", "user")
    return Reviewed(
        loop=loop,
        number=pull["number"],
        actor=str(_at(reviewer, "login") or "") if isinstance(reviewer, Mapping) else "",
        kind=str(_at(reviewer, "type") or "") if isinstance(reviewer, Mapping) else "",
    )


def _pushed(event: Mapping[str, Any], config: LoopConfig) -> Activity:
    ref, head = str(event.get("ref") or ""), str(event.get("after") or "")
    loop = loop_of_branch(ref, config.branch_prefix)
    if loop is None or not ref.startswith("refs/heads/"):
        return Ignore("the branch is no loop's pull request")
    if event.get("deleted") or not _SHA.fullmatch(head):
        return Ignore("the branch was deleted")
    kind = str(_at(event, "sender", "type") or "")
    return Pushed(loop=loop, head=CommitSha(head), actor=_login(event), kind=kind)


def _checked(event: Mapping[str, Any], config: LoopConfig) -> Activity:
    head = str(_at(event, "workflow_run", "head_sha") or "")
    branch = str(_at(event, "workflow_run", "head_branch") or "")
    loop = loop_of_branch(branch, config.branch_prefix)
    here = _is_here(event, _at(event, "workflow_run", "head_repository"))
    if loop is None or not _SHA.fullmatch(head) or not here:
        return Ignore("the run is not about a loop's pull request")
    return Checked(
        loop=loop,
        head=CommitSha(head),
        workflow=str(_at(event, "workflow_run", "path") or "").partition("@")[0],
        failed=_at(event, "workflow_run", "conclusion") in FAILED,
    )


def _is_here(event: Mapping[str, Any], repository: object) -> bool:
    """Whether a head belongs to the event's repository, and not to a fork."""
    name, here = _at({"of": repository}, "of", "full_name"), _at(event, "repository", "full_name")
    return isinstance(name, str) and name == here


def _dispatched(event: Mapping[str, Any]) -> Activity:
    given = event.get("inputs")
    inputs = (
        {str(key): str(value).strip() for key, value in given.items() if value is not None}
        if isinstance(given, Mapping)
        else {}
    )
    loop, issue = inputs.get("loop", ""), inputs.get("issue", "")
    if loop:
        if not _LOOP.fullmatch(loop):
            raise _bad("loop", loop, "the id of a loop, such as issue-12")
        return Continue(
            loop=loop,
            generation=_number("generation", inputs.get("generation", "")),
            pin=_pin(inputs.get("pin", "")),
            actor=_login(event),
        )
    number = _number("issue", issue)
    if number is None:
        if path := inputs.get("request", ""):
            return StartFile(path=path, actor=_login(event))
        return Ignore("the dispatch names neither a loop nor an issue nor a request file")
    return Start(issue=number, actor=_login(event))


def _number(name: str, value: str) -> int | None:
    if not value:
        return None
    digits = value.removeprefix("#") if name == "issue" else value
    if not re.fullmatch(r"[1-9][0-9]{0,9}", digits):
        raise _bad(name, value, "a number from 1")
    return int(digits)


def _pin(value: str) -> CommitSha | None:
    if not value:
        return None
    if not _SHA.fullmatch(value):
        raise _bad("pin", value, "the full SHA of a commit")
    return CommitSha(value)


def _bad(name: str, value: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(
        f"The input {name} is {value[:80]!r}; it must be {wanted}.",
        hint="to start a loop by hand give `issue` or `request`; to go on with one give `loop` alone.",
    )


def _login(event: Mapping[str, Any]) -> str:
    return str(_at(event, "sender", "login") or "")


def _at(event: Mapping[str, Any], *path: str) -> Any:  # noqa: ANN401 - a place in JSON
    found: Any = event
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
