"""GraphQL: what REST cannot do (drafts), and the few things clients like to read this way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError
from starlette.routing import Route

from embedded_github.forge.api.errors import ApiError
from embedded_github.forge.api.graphql_query import Field, parse
from embedded_github.forge.api.operations import Call, operation
from embedded_github.forge.models import Comment, Issue, PullRequest
from embedded_github.forge.render.issues import node_id, parse_node_id
from embedded_github.forge.store import Store

Object = Mapping[str, Any]
"""What a field resolves to: by name a value, an object, a list of them, or a function of the arguments."""

_MAX_FIRST = 100


class UndefinedFieldError(Exception):
    """A field that its type does not have: GitHub then answers errors alone."""


class FieldError(Exception):
    """An error of one field, as GitHub answers it beside `data`."""

    def __init__(self, kind: str | None, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def graphql_routes(store: Store) -> list[Route]:
    """Return the two addresses: GitHub's own and, below `/api`, an Enterprise server's."""
    return [operation(store, "POST", path, answer) for path in ("/graphql", "/api/graphql")]


def answer(call: Call) -> dict[str, Any]:
    """`POST /graphql`: 200 whatever happens inside, with `errors` where something did."""
    if call.identity.token is None:
        raise ApiError(401, "This endpoint requires you to be authenticated.")
    text = call.body.get("query") if isinstance(call.body, dict) else None
    if not isinstance(text, str):
        raise ApiError(400, "A query attribute must be specified and must be a string.")
    variables = call.body.get("variables") or {}
    try:
        asked = parse(text, variables)
    except GraphQLError as error:
        return {"errors": [{"message": error.message}]}
    root = _mutations(call) if asked.kind == "mutation" else _queries(call)
    data: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    for field in asked.fields:
        try:
            data[field.key] = _resolve(root, field)
        except UndefinedFieldError as error:
            return {"errors": [{"path": [asked.kind, field.key], "message": str(error)}]}
        except FieldError as error:
            data[field.key] = None
            kind = {"type": error.kind} if error.kind else {}
            errors.append({**kind, "path": [field.key], "message": error.message})
    return {"data": data, "errors": errors} if errors else {"data": data}


def _resolve(owner: Object, field: Field) -> Any:  # noqa: ANN401 - JSON
    if field.name not in owner:
        kind = owner.get("__typename", "Object")
        raise UndefinedFieldError(f"Field '{field.name}' doesn't exist on type '{kind}'")
    value = owner[field.name]
    if callable(value):
        value = value(field.arguments)
    return _project(value, field)


def _project(value: Any, field: Field) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_project(one, field) for one in value]
    if isinstance(value, Mapping):
        return {inner.key: _resolve(value, inner) for inner in field.fields}
    return value


# -- what can be done


def _mutations(call: Call) -> Object:
    def draft(*, to: bool) -> Callable[[Mapping[str, Any]], Object]:
        def change(arguments: Mapping[str, Any]) -> Object:
            given = arguments.get("input") or {}
            pull = _pull_of(call, str(given.get("pullRequestId", "")))
            for permission in ("pull-requests", "contents"):
                _allow(call, pull.repo, permission, "write")
            changed = call.store.pulls.set_draft(pull.repo, pull.number, call.actor, draft=to)
            return {"clientMutationId": given.get("clientMutationId"), "pullRequest": _pull(call, changed)}

        return change

    # Both need `contents: write` beside `pull-requests: write`: https://github.com/cli/cli/issues/8910
    return {
        "__typename": "Mutation",
        "markPullRequestReadyForReview": draft(to=False),
        "convertPullRequestToDraft": draft(to=True),
    }


def _queries(call: Call) -> Object:
    def repository(arguments: Mapping[str, Any]) -> Object:
        name = f"{arguments.get('owner')}/{arguments.get('name')}"
        _allow(call, name, "metadata", "read")
        found = call.store.repositories.require(name)
        return {
            "__typename": "Repository",
            "id": node_id("R", found.id),
            "nameWithOwner": found.full_name,
            "isPrivate": found.private,
            "defaultBranchRef": {"__typename": "Ref", "name": found.default_branch},
            "issue": lambda given: _issue(call, _issue_of(call, found.full_name, given, pull=False)),
            "pullRequest": lambda given: _pull_from(call, _issue_of(call, found.full_name, given, pull=True)),
        }

    viewer = {"__typename": "User", "login": call.identity.login}
    return {"__typename": "Query", "viewer": viewer, "repository": repository}


def _allow(call: Call, repo: str, permission: str, level: Any) -> None:  # noqa: ANN401 - a Level
    try:
        call.authorizer.check(call.identity, repo, permission, level)
    except ApiError as error:
        if error.status == 404:
            raise FieldError(
                "NOT_FOUND", f"Could not resolve to a Repository with the name '{repo}'."
            ) from error
        raise FieldError("FORBIDDEN", error.message) from error


def _pull_of(call: Call, identifier: str) -> PullRequest:
    try:
        kind, number = parse_node_id(identifier)
        pull = call.store.pulls.by_id(int(number)) if kind == "PR" else None
    except ValueError:
        pull = None
    if pull is None:
        raise FieldError("NOT_FOUND", f"Could not resolve to a node with the global id of '{identifier}'")
    return pull


def _issue_of(call: Call, repo: str, arguments: Mapping[str, Any], *, pull: bool) -> Issue:
    number = arguments.get("number")
    issue = call.store.issues.get(repo, number) if isinstance(number, int) else None
    if issue is None or issue.is_pull_request != pull:
        kind = "a PullRequest" if pull else "an Issue"
        raise FieldError("NOT_FOUND", f"Could not resolve to {kind} with the number of {number}.")
    _allow(call, repo, "pull-requests" if pull else "issues", "read")
    return issue


# -- what can be read


def _pull_from(call: Call, issue: Issue) -> Object:
    return _pull(call, call.store.pulls.require(issue.repo, issue.number))


def _pull(call: Call, pull: PullRequest) -> Object:
    return {
        **_issue(call, pull.issue),
        "__typename": "PullRequest",
        "isDraft": pull.draft,
        "merged": pull.merged_at is not None,
        "mergedAt": pull.merged_at,
        "state": "MERGED" if pull.merged_at else pull.issue.state.upper(),
        "headRefName": pull.head_ref,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base_ref,
    }


def _issue(call: Call, issue: Issue) -> Object:
    rendered = call.render.issue(issue)

    def comments(arguments: Mapping[str, Any]) -> Object:
        found = call.store.comments.list(issue.repo, issue.number)
        count = min(int(arguments.get("first") or arguments.get("last") or _MAX_FIRST), _MAX_FIRST)
        shown = found[-count:] if "last" in arguments else found[:count]
        more = {"__typename": "PageInfo", "hasNextPage": len(shown) < len(found), "endCursor": None}
        return {
            "__typename": "IssueCommentConnection",
            "totalCount": len(found),
            "nodes": [_comment(call, one) for one in shown],
            "pageInfo": more,
        }

    return {
        "__typename": "Issue",
        "id": rendered["node_id"],
        "number": issue.number,
        "title": issue.title,
        "body": issue.body or "",
        "state": issue.state.upper(),
        "url": rendered["html_url"],
        "createdAt": issue.created_at,
        "updatedAt": issue.updated_at,
        "lastEditedAt": issue.edited_at,
        "author": _author(issue.author),
        "comments": comments,
    }


def _comment(call: Call, comment: Comment) -> Object:
    rendered = call.render.comment(comment)
    return {
        "__typename": "IssueComment",
        "id": rendered["node_id"],
        "databaseId": comment.id,
        "body": comment.body,
        "url": rendered["html_url"],
        "createdAt": comment.created_at,
        "updatedAt": comment.updated_at,
        "lastEditedAt": comment.edited_at,
        "authorAssociation": rendered["author_association"],
        "author": _author(comment.author),
    }


def _author(login: str) -> Object:
    # GraphQL names an app's bot without the suffix that REST puts behind it.
    bot = login.endswith("[bot]")
    return {"__typename": "Bot" if bot else "User", "login": login.removesuffix("[bot]")}
