"""REST: pull requests, their reviews and their merge."""

from __future__ import annotations

from typing import Any, Literal, cast

from starlette.responses import Response
from starlette.routing import Route

from embedded_github.forge.api.errors import ApiError, invalid, not_found
from embedded_github.forge.api.operations import Call, Need, created, no_content, operation
from embedded_github.forge.api.rest_issues import MAX_BODY, MAX_TITLE, check_owner
from embedded_github.forge.models import PullRequest, State
from embedded_github.forge.records.pulls import MergeMethod, PullRefusedError
from embedded_github.forge.records.reviews import STATES
from embedded_github.forge.store import Store

NOT_PERMITTED = "GitHub Actions is not permitted to create or approve pull requests."

READ = Need("pull-requests")
WRITE = Need("pull-requests", "write")
TAKE_PART = Need("pull-requests", "write", role="read")


def pull_routes(store: Store) -> list[Route]:
    """Return the routes."""
    repo = "/repos/{owner}/{repo}"
    pull = f"{repo}/pulls/{{pull_number}}"
    return [
        operation(store, "GET", f"{repo}/pulls", list_pulls, READ),
        operation(store, "POST", f"{repo}/pulls", create_pull, WRITE),
        operation(store, "GET", pull, get_pull, READ),
        operation(store, "PATCH", pull, edit_pull, TAKE_PART),
        operation(store, "GET", f"{pull}/commits", list_commits, READ),
        operation(store, "GET", f"{pull}/files", list_files, READ),
        operation(store, "GET", f"{pull}/merge", is_merged, READ),
        operation(store, "PUT", f"{pull}/merge", merge_pull, Need("contents", "write")),
        operation(store, "GET", f"{pull}/reviews", list_reviews, READ),
        operation(store, "POST", f"{pull}/reviews", create_review, TAKE_PART),
        operation(store, "GET", f"{pull}/reviews/{{review_id}}/comments", list_review_comments, READ),
        operation(store, "GET", f"{pull}/comments", list_review_comments, READ),
    ]


def pull_of(call: Call) -> PullRequest:
    """Return the pull request of the address, or raise what becomes a 404."""
    return call.store.pulls.require(call.repo, call.number("pull_number"))


def list_pulls(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/pulls`; `head` is `owner:branch`, as GitHub has it."""
    state = call.query("state", "open")
    if state not in ("open", "closed", "all"):
        raise invalid("PullRequest", "state", "invalid")
    owner, _, branch = call.query("head").rpartition(":")
    if branch and owner.lower() != call.repository.owner.lower():
        branch = (
            "" if not owner else "\0"
        )  # GitHub ignores a head without an owner, and knows no other's here
    found = call.store.pulls.list(
        call.repo,
        state=cast("Literal['open', 'closed', 'all']", state),
        head=branch or None,
        base=call.query("base") or None,
    )
    if call.query("sort") == "updated":
        found.sort(key=lambda pull: (pull.issue.updated_at, pull.number), reverse=True)
    ascending = (
        call.query("direction", "desc" if call.query("sort", "created") == "created" else "asc") == "asc"
    )
    return call.page(found[::-1] if ascending else found, call.render.simple_pull)


def create_pull(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/pulls`."""
    if call.identity.by_workflow_token and not call.repository.allow_actions_to_create_pull_requests:
        raise ApiError(403, NOT_PERMITTED)
    owner, _, head = call.field("PullRequest", "head").rpartition(":")
    if owner.lower() not in ("", call.repository.owner.lower()):
        raise invalid("PullRequest", "head", "invalid")
    base = call.field("PullRequest", "base")
    title = call.field("PullRequest", "title", maximum=MAX_TITLE)
    body = call.optional("PullRequest", "body", maximum=MAX_BODY)
    draft = call.body.get("draft") is True
    try:
        pull = call.store.pulls.create(
            call.repo, title=title, body=body, head=head, base=base, actor=call.actor, draft=draft
        )
    except PullRefusedError as refused:
        raise _refusal(str(refused)) from refused
    return created(call.render.pull(pull))


def _refusal(reason: str) -> ApiError:
    if reason in ("head", "base"):
        return invalid("PullRequest", reason, "invalid")
    error = {"resource": "PullRequest", "code": "custom", "message": reason}
    return ApiError(422, "Validation Failed", errors=[error])


def get_pull(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/pulls/{pull_number}`."""
    return call.render.pull(pull_of(call))


def edit_pull(call: Call) -> dict[str, Any]:
    """`PATCH /repos/{owner}/{repo}/pulls/{pull_number}`: for its author, and from write on."""
    pull = pull_of(call)
    check_owner(call, pull.issue.author, "write")
    state, base = call.optional("PullRequest", "state"), call.optional("PullRequest", "base")
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state", "invalid")
    if state == "open" and (pull.merged_at or call.store.git(call.repo).branch(pull.head_ref) is None):
        raise _refusal("state cannot be changed.")
    if base is not None:
        try:
            call.store.pulls.set_base(call.repo, pull.number, base, call.actor)
        except PullRefusedError as refused:
            raise _refusal(str(refused)) from refused
    title = call.optional("PullRequest", "title", maximum=MAX_TITLE)
    body = call.optional("PullRequest", "body", maximum=MAX_BODY)
    call.store.issues.edit(
        call.repo, pull.number, call.actor, title=title, body=body, state=cast("State | None", state)
    )
    return call.render.pull(pull_of(call))


def list_commits(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/pulls/{pull_number}/commits`, oldest first."""
    pull = pull_of(call)
    comparison = call.store.git(call.repo).compare(pull.base_sha, pull.head_sha)
    commits = comparison.commits if comparison else ()
    return call.page(commits, lambda commit: call.render.commit(call.repo, commit))


def list_files(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/pulls/{pull_number}/files`."""
    pull = pull_of(call)
    comparison = call.store.git(call.repo).compare(pull.base_sha, pull.head_sha)
    files = comparison.files if comparison else ()
    return call.page(files, lambda change: call.render.file(call.repo, change, pull.head_sha))


def is_merged(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/pulls/{pull_number}/merge`: 204, or 404."""
    if pull_of(call).merged_at is None:
        raise not_found()
    return no_content()


def merge_pull(call: Call) -> dict[str, Any]:
    """`PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge`."""
    pull = pull_of(call)
    expected, method = (
        call.optional("PullRequest", "sha"),
        call.optional("PullRequest", "merge_method") or "merge",
    )
    if expected is not None and expected != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    if method not in ("merge", "squash", "rebase"):
        raise invalid("PullRequest", "merge_method", "invalid")
    try:
        merged = call.store.pulls.merge(
            call.repo,
            pull.number,
            call.actor,
            method=cast("MergeMethod", method),
            title=call.optional("PullRequest", "commit_title"),
            message=call.optional("PullRequest", "commit_message"),
        )
    except PullRefusedError as refused:
        raise ApiError(405, str(refused)) from refused
    return {"sha": merged.merge_commit_sha, "merged": True, "message": "Pull Request successfully merged"}


def list_reviews(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews`."""
    return call.page(call.store.reviews.list(call.repo, pull_of(call).number), call.render.review)


def create_review(call: Call) -> dict[str, Any]:
    """`POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews`; pending reviews are not kept here."""
    pull = pull_of(call)
    event = call.optional("PullRequestReview", "event")
    if event not in STATES:
        raise invalid("PullRequestReview", "event", "invalid")
    comments = call.body.get("comments") or []
    for comment in comments:
        if not isinstance(comment, dict) or not {"path", "body"} <= comment.keys():
            raise invalid("PullRequestReviewComment", "path", "missing_field")
    body = call.optional("PullRequestReview", "body", maximum=MAX_BODY) or ""
    if event != "APPROVE" and not body and not comments:
        raise ApiError(422, "Unprocessable Entity", errors=["Body can't be blank"])
    if event == "APPROVE" and call.identity.by_workflow_token:
        setting = call.repository.allow_actions_to_create_pull_requests
        if not setting:
            raise ApiError(422, "Unprocessable Entity", errors=[NOT_PERMITTED])
    if event != "COMMENT" and pull.issue.author == call.actor.login:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise ApiError(422, "Unprocessable Entity", errors=[f"Can not {verb} your own pull request"])
    review = call.store.reviews.create(
        call.repo,
        pull.number,
        call.actor,
        event=event,
        body=body,
        comments=comments,
        commit_id=call.optional("PullRequestReview", "commit_id"),
    )
    return call.render.review(review)


def list_review_comments(call: Call) -> Response:
    """`GET .../pulls/{pull_number}/comments`, or those of one review."""
    review_id = call.number("review_id") if "review_id" in call.request.path_params else None
    comments = call.store.reviews.comments(call.repo, pull_of(call).number, review_id=review_id)
    return call.page(comments, call.render.review_comment)
