"""REST: the root, users, repositories, collaborators, and events sent by hand."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from embedded_github.forge.api.errors import ApiError, invalid, not_accessible
from embedded_github.forge.api.operations import Call, Need, no_content, operation
from embedded_github.forge.events import Change
from embedded_github.forge.models import GITHUB_ACTIONS_BOT
from embedded_github.forge.store import Store

_ROOT = {
    "current_user_url": "/user",
    "authorizations_url": "/authorizations",
    "emails_url": "/user/emails",
    "code_search_url": "/search/code?q={query}{&page,per_page,sort,order}",
    "commit_search_url": "/search/commits?q={query}{&page,per_page,sort,order}",
    "emojis_url": "/emojis",
    "events_url": "/events",
    "feeds_url": "/feeds",
    "followers_url": "/user/followers",
    "following_url": "/user/following{/target}",
    "gists_url": "/gists{/gist_id}",
    "issue_search_url": "/search/issues?q={query}{&page,per_page,sort,order}",
    "issues_url": "/issues",
    "keys_url": "/user/keys",
    "label_search_url": "/search/labels?q={query}&repository_id={repository_id}",
    "notifications_url": "/notifications",
    "organization_url": "/orgs/{org}",
    "organization_teams_url": "/orgs/{org}/teams",
    "organization_repositories_url": "/orgs/{org}/repos{?type,page,per_page,sort}",
    "public_gists_url": "/gists/public",
    "rate_limit_url": "/rate_limit",
    "repository_url": "/repos/{owner}/{repo}",
    "repository_search_url": "/search/repositories?q={query}{&page,per_page,sort,order}",
    "current_user_repositories_url": "/user/repos{?type,page,per_page,sort}",
    "starred_url": "/user/starred{/owner}{/repo}",
    "starred_gists_url": "/gists/starred",
    "user_url": "/users/{user}",
    "user_organizations_url": "/user/orgs",
    "user_repositories_url": "/users/{user}/repos{?type,page,per_page,sort}",
    "user_search_url": "/search/users?q={query}{&page,per_page,sort,order}",
}


def repository_routes(store: Store) -> list[Route]:
    """Return the routes."""
    repo = "/repos/{owner}/{repo}"
    return [
        operation(store, "GET", "/user", get_current_user),
        operation(store, "GET", "/users/{username}", get_user),
        operation(store, "GET", repo, get_repository, Need("metadata")),
        operation(
            store, "GET", f"{repo}/collaborators/{{username}}/permission", get_permission, Need("metadata")
        ),
        operation(store, "POST", f"{repo}/dispatches", dispatch, Need("contents", "write")),
    ]


def get_root(call: Call) -> dict[str, Any]:
    """`GET /`."""
    page = f"{call.identity.links.html}/settings/connections/applications{{/client_id}}"
    urls = {key: call.identity.links.api + path for key, path in _ROOT.items()}
    return {**urls, "current_user_authorizations_html_url": page}


def get_current_user(call: Call) -> dict[str, Any]:
    """`GET /user`: for people; a run's token is nobody's."""
    if call.identity.by_workflow_token:
        raise not_accessible()
    return call.render.full_user(call.store.users.require(call.actor.login))


def get_user(call: Call) -> dict[str, Any]:
    """`GET /users/{username}`."""
    return call.render.full_user(call.store.users.require(call.path("username")))


def get_repository(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}`."""
    return call.render.full_repository(call.repository, call.identity.role)


def get_permission(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/collaborators/{username}/permission`.

    `permission` knows four levels: maintain counts as write and triage as read. Everyone may read a public
    repository; an app's bot has what it was given, and `github-actions[bot]` is not taken for a user.
    """
    login = call.path("username")
    user = call.store.users.get(login)
    if user is None or user.login == GITHUB_ACTIONS_BOT:
        raise ApiError(404, f"{login} is not a user")
    role = call.store.repositories.role(call.repo, user.login)
    if user.type == "Bot" and not call.store.repositories.has_role_of_own(call.repo, user.login):
        role = "none"
    permissions = call.render.full_repository(call.repository, role)["permissions"]
    return {
        "permission": {"maintain": "write", "triage": "read"}.get(role, role),
        "role_name": role,
        "user": {**call.render.simple_user(user), "permissions": permissions, "role_name": role},
    }


def dispatch(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/dispatches`: the event `repository_dispatch`."""
    event = call.field("RepositoryDispatch", "event_type", maximum=100)
    payload = call.body.get("client_payload", {})
    if not isinstance(payload, dict):
        raise invalid("RepositoryDispatch", "client_payload", "invalid")
    if len(payload) > 10:
        raise ApiError(422, f"No more than 10 properties are allowed; {len(payload)} were supplied.")
    parts = {"branch": call.repository.default_branch, "client_payload": payload}
    call.store.bus.publish(Change(call.repo, "repository_dispatch", event, call.actor, parts))
    return no_content()
