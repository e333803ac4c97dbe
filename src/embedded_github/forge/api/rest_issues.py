"""REST: issues, labels, comments, reactions and the history of an issue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from embedded_github.forge.api.auth import Identity
from embedded_github.forge.api.errors import ApiError, invalid
from embedded_github.forge.api.operations import Call, Need, created, no_content, operation
from embedded_github.forge.models import Comment, Issue, IssueEvent, Review, State
from embedded_github.forge.records.issues import Sort
from embedded_github.forge.records.reactions import CONTENTS
from embedded_github.forge.store import Store

MAX_BODY = 65_536  # characters, of an issue's, pull request's or comment's text
MAX_TITLE = 256

READ = Need("issues")
TAKE_PART = Need("issues", "write", role="read")  # everyone who sees a repository may open and comment
TRIAGE = Need("issues", "write", role="triage")


def issue_routes(store: Store) -> list[Route]:
    """Return the routes."""
    repo = "/repos/{owner}/{repo}"
    issue, comment = f"{repo}/issues/{{issue_number}}", f"{repo}/issues/comments/{{comment_id}}"
    return [
        operation(store, "GET", f"{repo}/issues", list_issues, READ),
        operation(store, "POST", f"{repo}/issues", create_issue, TAKE_PART),
        operation(store, "GET", f"{repo}/issues/comments", list_all_comments, READ),
        operation(store, "GET", comment, get_comment, READ),
        operation(store, "PATCH", comment, edit_comment, TAKE_PART),
        operation(store, "DELETE", comment, delete_comment, TAKE_PART),
        operation(store, "GET", f"{comment}/reactions", list_reactions, READ),
        operation(store, "POST", f"{comment}/reactions", add_reaction, TAKE_PART),
        operation(store, "DELETE", f"{comment}/reactions/{{reaction_id}}", delete_reaction, TAKE_PART),
        operation(store, "GET", f"{repo}/issues/events", list_all_events, READ),
        operation(store, "GET", issue, get_issue, READ),
        operation(store, "PATCH", issue, edit_issue, TAKE_PART),
        operation(store, "GET", f"{issue}/comments", list_comments, READ),
        operation(store, "POST", f"{issue}/comments", create_comment, TAKE_PART),
        operation(store, "GET", f"{issue}/events", list_events, READ),
        operation(store, "GET", f"{issue}/timeline", list_timeline, READ),
        operation(store, "GET", f"{issue}/reactions", list_reactions, READ),
        operation(store, "POST", f"{issue}/reactions", add_reaction, TAKE_PART),
        operation(store, "DELETE", f"{issue}/reactions/{{reaction_id}}", delete_reaction, TAKE_PART),
        operation(store, "GET", f"{issue}/labels", list_issue_labels, READ),
        operation(store, "POST", f"{issue}/labels", add_labels, TRIAGE),
        operation(store, "PUT", f"{issue}/labels", set_labels, TRIAGE),
        operation(store, "DELETE", f"{issue}/labels", clear_labels, TRIAGE),
        operation(store, "DELETE", f"{issue}/labels/{{name:path}}", remove_label, TRIAGE),
        operation(store, "GET", f"{repo}/labels", list_labels, READ),
        operation(store, "POST", f"{repo}/labels", create_label, Need("issues", "write")),
        operation(store, "GET", f"{repo}/labels/{{name:path}}", get_label, READ),
    ]


def issue_of(call: Call) -> Issue:
    """Return the issue of the address, or raise what becomes a 404."""
    return call.store.issues.require(call.repo, call.number("issue_number"))


# -- issues


def list_issues(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues`."""
    state, sort = call.query("state", "open"), call.query("sort", "created")
    if state not in ("open", "closed", "all"):
        raise invalid("Issue", "state", "invalid")
    if sort not in ("created", "updated", "comments"):
        raise invalid("Issue", "sort", "invalid")
    found = call.store.issues.list(
        call.repo,
        state=cast("Literal['open', 'closed', 'all']", state),
        labels=[name for name in call.query("labels").split(",") if name],
        creator=call.query("creator") or None,
        since=call.query("since") or None,
        sort=cast("Sort", sort),
        descending=call.query("direction", "desc") != "asc",
    )
    return call.page(found, call.render.issue)


def create_issue(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/issues`: labels count only for those who may set them, as at GitHub."""
    title = call.field("Issue", "title", maximum=MAX_TITLE)
    body = call.optional("Issue", "body", maximum=MAX_BODY)
    labels = _names(call.body.get("labels", ())) if _may_triage(call.identity) else []
    return created(
        call.render.issue(call.store.issues.create(call.repo, title, body, call.actor, labels=labels))
    )


def get_issue(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/issues/{issue_number}`."""
    return call.render.issue(issue_of(call))


def edit_issue(call: Call) -> dict[str, Any]:
    """`PATCH /repos/{owner}/{repo}/issues/{issue_number}`: for its author, and from triage on."""
    issue = issue_of(call)
    check_owner(call, issue.author, "triage")
    state = call.optional("Issue", "state")
    if state not in (None, "open", "closed"):
        raise invalid("Issue", "state", "invalid")
    labels = _names(call.body["labels"]) if call.body.get("labels") is not None else None
    if labels is not None and not _may_triage(call.identity):
        labels = None
    changed = call.store.issues.edit(
        call.repo,
        issue.number,
        call.actor,
        title=call.optional("Issue", "title", maximum=MAX_TITLE),
        body=call.optional("Issue", "body", maximum=MAX_BODY),
        state=cast("State | None", state),
        state_reason=call.optional("Issue", "state_reason"),
        labels=labels,
    )
    return call.render.issue(changed)


def check_owner(call: Call, author: str, otherwise: Literal["triage", "write"]) -> None:
    """Let a thing be changed by its author and from a role on.

    A run's token may change what anybody wrote: it has the write permission by now.

    Raises:
        ApiError: 403.
    """
    identity = call.identity
    if identity.by_workflow_token or identity.has_role(otherwise) or identity.login == author:
        return
    raise ApiError(403, "Must have admin rights to Repository.")


def _may_triage(identity: Identity) -> bool:
    return identity.by_workflow_token or identity.has_role("triage")


# -- comments


def list_comments(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues/{issue_number}/comments`."""
    number = issue_of(call).number
    comments = call.store.comments.list(call.repo, number, since=call.query("since") or None)
    return call.page(comments, call.render.comment)


def list_all_comments(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues/comments`."""
    comments = call.store.comments.list(call.repo, since=call.query("since") or None)
    if call.query("sort") == "updated":
        comments.sort(key=lambda one: (one.updated_at, one.id))
    if call.query("direction") == "desc":
        comments.reverse()
    return call.page(comments, call.render.comment)


def create_comment(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/issues/{issue_number}/comments`."""
    number = issue_of(call).number
    body = call.field("IssueComment", "body", maximum=MAX_BODY)
    return created(call.render.comment(call.store.comments.create(call.repo, number, body, call.actor)))


def get_comment(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/issues/comments/{comment_id}`."""
    return call.render.comment(_comment_of(call))


def edit_comment(call: Call) -> dict[str, Any]:
    """`PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}`: for its author, and from write on."""
    comment = _comment_of(call)
    check_owner(call, comment.author, "write")
    body = call.field("IssueComment", "body", maximum=MAX_BODY)
    return call.render.comment(call.store.comments.edit(call.repo, comment.id, body, call.actor))


def delete_comment(call: Call) -> Response:
    """`DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}`: for its author, and from write on."""
    comment = _comment_of(call)
    check_owner(call, comment.author, "write")
    call.store.comments.delete(call.repo, comment.id, call.actor)
    return no_content()


def _comment_of(call: Call) -> Comment:
    return call.store.comments.require(call.repo, call.number("comment_id"))


# -- reactions


def list_reactions(call: Call) -> Response:
    """`GET .../reactions` of an issue or a comment."""
    wanted = call.query("content")
    reactions = call.store.reactions.list(*_subject(call))
    return call.page([one for one in reactions if wanted in ("", one.content)], call.render.reaction)


def add_reaction(call: Call) -> Response:
    """`POST .../reactions`: 201, or 200 where it is there already."""
    content = call.field("Reaction", "content")
    if content not in CONTENTS:
        raise invalid("Reaction", "content", "invalid")
    reaction, new = call.store.reactions.add(*_subject(call), content, call.actor)
    return JSONResponse(call.render.reaction(reaction), 201 if new else 200)


def delete_reaction(call: Call) -> Response:
    """`DELETE .../reactions/{reaction_id}`."""
    subject, reaction_id = _subject(call), call.number("reaction_id")
    for reaction in call.store.reactions.list(*subject):
        if reaction.id == reaction_id:
            check_owner(call, reaction.author, "write")
    call.store.reactions.delete(*subject, reaction_id)
    return no_content()


def _subject(call: Call) -> tuple[str, int]:
    if "comment_id" in call.request.path_params:
        return "comment", _comment_of(call).id
    return "issue", issue_of(call).id


# -- history


def list_events(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues/{issue_number}/events`."""
    return call.page(call.store.issues.events(call.repo, issue_of(call).number), call.render.issue_event)


def list_all_events(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues/events`."""

    def render(event: IssueEvent) -> dict[str, Any]:
        issue = call.store.issues.require(event.repo, event.number)
        return {**call.render.issue_event(event), "issue": call.render.issue(issue)}

    return call.page(call.store.issues.events(call.repo), render)


def list_timeline(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues/{issue_number}/timeline`: events, comments and reviews by time."""
    issue = issue_of(call)
    things: list[IssueEvent | Comment | Review] = [
        *call.store.issues.events(call.repo, issue.number),
        *call.store.comments.list(call.repo, issue.number),
        *(call.store.reviews.list(call.repo, issue.number) if issue.is_pull_request else ()),
    ]
    things.sort(key=lambda one: one.submitted_at if isinstance(one, Review) else one.created_at)

    def render(thing: IssueEvent | Comment | Review) -> dict[str, Any]:
        if isinstance(thing, IssueEvent):
            return call.render.issue_event(thing)
        actor = {"actor": call.render.user(thing.author)}
        if isinstance(thing, Comment):
            return {**call.render.comment(thing), **actor, "event": "commented"}
        return {**call.render.review(thing, webhook=True), **actor, "event": "reviewed"}

    return call.page(things, render)


# -- labels


def list_labels(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/labels`."""
    return call.page(call.store.labels.list(call.repo), lambda label: call.render.label(call.repo, label))


def create_label(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/labels`."""
    name = call.field("Label", "name", maximum=50)
    if call.store.labels.get(call.repo, name) is not None:
        raise invalid("Label", "name", "already_exists")
    color, description = _color(call), call.optional("Label", "description", maximum=100)
    label = call.store.labels.create(call.repo, name, call.actor, color=color, description=description)
    return created(call.render.label(call.repo, label))


def get_label(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/labels/{name}`."""
    return call.render.label(call.repo, call.store.labels.require(call.repo, call.path("name")))


def list_issue_labels(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/issues/{issue_number}/labels`."""
    return call.page(issue_of(call).labels, lambda label: call.render.label(call.repo, label))


def add_labels(call: Call) -> list[Any]:
    """`POST /repos/{owner}/{repo}/issues/{issue_number}/labels`."""
    issue = call.store.issues.add_labels(call.repo, issue_of(call).number, _names(call.body), call.actor)
    return _labels(call, issue)


def set_labels(call: Call) -> list[Any]:
    """`PUT /repos/{owner}/{repo}/issues/{issue_number}/labels`."""
    issue = call.store.issues.set_labels(call.repo, issue_of(call).number, _names(call.body), call.actor)
    return _labels(call, issue)


def clear_labels(call: Call) -> Response:
    """`DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels`."""
    call.store.issues.set_labels(call.repo, issue_of(call).number, [], call.actor)
    return no_content()


def remove_label(call: Call) -> list[Any]:
    """`DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}`."""
    issue, name = issue_of(call), call.path("name")
    if all(label.name.lower() != name.lower() for label in issue.labels):
        raise ApiError(404, "Label does not exist")
    return _labels(call, call.store.issues.remove_label(call.repo, issue.number, name, call.actor))


def _labels(call: Call, issue: Issue) -> list[Any]:
    return [call.render.label(call.repo, label) for label in issue.labels]


def _names(body: object) -> list[str]:
    """Read labels as GitHub takes them: `{"labels": [...]}` or the list; of names or of objects with one."""
    items = body.get("labels", ()) if isinstance(body, dict) else body
    names = [item.get("name") if isinstance(item, dict) else item for item in cast("Sequence[Any]", items)]
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > 50:
            raise invalid("Label", "name", "invalid")
    return [str(name) for name in names]


def _color(call: Call) -> str | None:
    color = call.optional("Label", "color")
    if color is not None and (len(color) != 6 or set(color.lower()) - set("0123456789abcdef")):
        raise invalid("Label", "color", "invalid")
    return color
