"""The whole forge as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from embedded_github.forge.api import rest_git
from embedded_github.forge.api.auth import API_PREFIX
from embedded_github.forge.api.errors import ApiError, answer_api_error, answer_no_route
from embedded_github.forge.api.graphql import graphql_routes
from embedded_github.forge.api.limits import ApiHeaders
from embedded_github.forge.api.operations import operation
from embedded_github.forge.api.rest_issues import issue_routes
from embedded_github.forge.api.rest_pulls import pull_routes
from embedded_github.forge.api.rest_repositories import get_root, repository_routes
from embedded_github.forge.api.rest_settings import settings_routes
from embedded_github.forge.git import http as git_http
from embedded_github.forge.store import Store


def create_app(store: Store, *, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Put REST, GraphQL and git's smart HTTP together.

    The API answers at the root (`/repos/...`, as at api.github.com) and below `/api/v3` (as on an Enterprise
    server); git below `/OWNER/NAME.git/`. Everything not answered by them is asked of `extra_routes`, `/`
    included, which is the API's root only where no extra route takes it.

    Args:
        store: What it shows and changes.
        extra_routes: More routes: the Actions player's (`/repos/{owner}/{repo}/actions/...`, answered below
            `/api/v3` too) and web pages. An `ApiError` they raise is answered in GitHub's shape.
    """
    api: list[BaseRoute] = [
        *repository_routes(store),
        *settings_routes(store),
        *issue_routes(store),
        *pull_routes(store),
        *rest_git.git_routes(store),
        *graphql_routes(store),
    ]
    root = operation(store, "GET", "/", get_root)
    app = Starlette(
        routes=[
            Mount(API_PREFIX, routes=[root, *api, *extra_routes]),
            *api,
            *git_http.git_routes(store),
            *extra_routes,
            root,
        ],
        middleware=[Middleware(ApiHeaders, store=store)],
        exception_handlers={ApiError: answer_api_error, HTTPException: answer_no_route},
    )
    app.router.redirect_slashes = False
    return app
