"""REST: a repository's settings for Actions, and the names of its secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from embedded_github.forge.api.errors import ApiError, not_accessible
from embedded_github.forge.api.operations import Call, Need, no_content, operation
from embedded_github.forge.records.settings import ALLOWED, PERMISSIONS
from embedded_github.forge.store import Store

# A person needs this role; no permission of a workflow's own token opens these.
_ADMIN = Need("administration", role="admin")
_CHANGE = Need("administration", "write", role="admin")
_SECRETS = Need("secrets", role="write")


def settings_routes(store: Store) -> list[Route]:
    """Return the routes."""
    actions = "/repos/{owner}/{repo}/actions"
    return [
        operation(store, "GET", f"{actions}/permissions", get_actions, _ADMIN),
        operation(store, "PUT", f"{actions}/permissions", put_actions, _CHANGE),
        operation(store, "GET", f"{actions}/permissions/workflow", get_workflow, _ADMIN),
        operation(store, "PUT", f"{actions}/permissions/workflow", put_workflow, _CHANGE),
        operation(store, "GET", f"{actions}/secrets", list_secrets, _SECRETS),
        operation(store, "GET", f"{actions}/organization-secrets", list_shared_secrets, _SECRETS),
    ]


def get_actions(call: Call) -> dict[str, Any]:
    """`GET .../actions/permissions`; what may be used is said only where Actions are enabled."""
    _people_only(call)
    found = call.store.settings.actions(call.repo)
    if not found.enabled:
        return {"enabled": False}
    return {
        "enabled": True,
        "allowed_actions": found.allowed_actions,
        "sha_pinning_required": found.sha_pinning_required,
    }


def put_actions(call: Call) -> Response:
    """`PUT .../actions/permissions`."""
    _people_only(call)
    settings, now = call.store.settings, call.store.settings.actions(call.repo)
    pinned = _flag(call, "sha_pinning_required")
    made = replace(
        now,
        enabled=bool(_flag(call, "enabled", required=True)),
        allowed_actions=_one_of(call, "allowed_actions", ALLOWED) or now.allowed_actions,
        sha_pinning_required=now.sha_pinning_required if pinned is None else pinned,
    )
    settings.change_actions(call.repo, made)
    return no_content()


def get_workflow(call: Call) -> dict[str, Any]:
    """`GET .../actions/permissions/workflow`."""
    _people_only(call)
    return {
        "default_workflow_permissions": call.store.settings.actions(call.repo).default_workflow_permissions,
        "can_approve_pull_request_reviews": call.repository.allow_actions_to_create_pull_requests,
    }


def put_workflow(call: Call) -> Response:
    """`PUT .../actions/permissions/workflow`: one setting stands for opening and for approving."""
    _people_only(call)
    level = _one_of(call, "default_workflow_permissions", PERMISSIONS)
    approve = _flag(call, "can_approve_pull_request_reviews")
    if level is not None:
        now = call.store.settings.actions(call.repo)
        call.store.settings.change_actions(call.repo, replace(now, default_workflow_permissions=level))
    call.store.repositories.configure(call.repo, allow_actions_to_create_pull_requests=approve)
    return no_content()


def list_secrets(call: Call) -> Response:
    """`GET .../actions/secrets`: names and dates, never a value."""
    _people_only(call)
    since = call.repository.created_at
    return call.page(
        sorted(call.store.settings.secret_names()),
        lambda name: {"name": name, "created_at": since, "updated_at": since},
        wrap="secrets",
    )


def list_shared_secrets(call: Call) -> Response:
    """`GET .../actions/organization-secrets`: there are no organizations here."""
    _people_only(call)
    return call.page((), dict, wrap="secrets")


def _people_only(call: Call) -> None:
    if call.identity.by_workflow_token:
        raise not_accessible()


def _flag(call: Call, name: str, *, required: bool = False) -> bool | None:
    value = call.body.get(name) if isinstance(call.body, dict) else None
    if not isinstance(value, bool) and (required or value is not None):
        raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a boolean.")
    return value


def _one_of(call: Call, name: str, allowed: tuple[str, ...]) -> str | None:
    value = call.body.get(name) if isinstance(call.body, dict) else None
    if value is not None and value not in allowed:
        raise ApiError(422, f"Invalid request.\n\n{value!r} is not a possible value for {name}.")
    return value
