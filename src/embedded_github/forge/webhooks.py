"""Writes a change of records as GitHub's webhook would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from embedded_github.forge.events import Change, Event
from embedded_github.forge.models import (
    CheckRun,
    Comment,
    Issue,
    Label,
    Links,
    PullRequest,
    RefChange,
    Review,
    ReviewComment,
)
from embedded_github.forge.records.records import Records
from embedded_github.forge.render.issues import Json
from embedded_github.forge.render.renderer import Renderer

_WRITE: Mapping[type, Callable[[Renderer, str, Any], Json]] = {
    Issue: lambda render, _, part: render.issue(part),
    PullRequest: lambda render, _, part: render.simple_pull(part),
    Label: lambda render, repo, part: render.label(repo, part),
    Comment: lambda render, _, part: render.comment(part),
    CheckRun: lambda render, _, part: render.check_run(part),
    Review: lambda render, _, part: render.review(part, webhook=True),
    ReviewComment: lambda render, _, part: render.review_comment(part, webhook=True),
}
"""How each kind of record is written; what is none of these is JSON already."""


def event_of(change: Change, records: Records, links: Links) -> Event:
    """Write a change as an event.

    Args:
        change: the change.
        records: where what it only names is looked up.
        links: the addresses, unless its actor sees others.
    """
    actor = change.actor
    render = Renderer(records, actor.links or links)
    repository = records.repositories.require(change.repo)
    payload: Json = {"action": change.action} if change.action else {}
    for key, part in change.parts.items():
        payload |= _written(render, change, key, part)
    payload |= {"repository": render.repository(repository), "sender": render.user(actor.login)}
    return Event(
        repository.full_name, change.name, change.action, payload, actor.login, actor.by_workflow_token
    )


def _written(render: Renderer, change: Change, key: str, part: object) -> Json:
    """One part of the payload; a push, and the pull request of its own events, bring several keys."""
    if isinstance(part, RefChange):
        return render.push(change.repo, part, change.actor)
    if change.name == "pull_request" and isinstance(part, Issue):
        return render.pull_parts(render.records.pulls.require(part.repo, part.number))
    if change.name == "pull_request" and isinstance(part, PullRequest):
        return render.pull_parts(part)
    write = _WRITE.get(type(part))
    return {key: write(render, change.repo, part) if write else part}
