"""The addresses of the pages, beside the API's and git's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from embedded_github.actions.artifacts.store import Artifacts
from embedded_github.actions.player import Player
from embedded_github.actions.runs import Runs
from embedded_github.forge.store import Store
from embedded_github.pages import action_pages, code_pages, issue_pages
from embedded_github.pages.answers import PageNotFoundError, asset, html
from embedded_github.pages.site import Site, utc_now

Page = Callable[[Site, Request], Response]

# Words the API begins with: below them, what it does not know must stay its own 404.
_NOT_OURS: Final = frozenset(
    (
        *("_actions", "api", "app", "applications", "apps", "authorizations", "avatars", "emojis", "events"),
        *(
            "feeds",
            "gists",
            "graphql",
            "installation",
            "meta",
            "notifications",
            "octocat",
            "orgs",
            "rate_limit",
        ),
        *("repos", "repositories", "search", "user", "users", "zen"),
    )
)
_ASSETS: Final = {"style.css": "text/css; charset=utf-8", "refresh.js": "text/javascript; charset=utf-8"}
_STATIC: Final = Path(__file__).parent / "static"

_PAGES: Final[tuple[tuple[str, Page], ...]] = (
    ("/", code_pages.home),
    ("/{owner}/{repo}", code_pages.repository),
    ("/{owner}/{repo}/issues", issue_pages.issues),
    ("/{owner}/{repo}/issues/{number:int}", issue_pages.issue),
    ("/{owner}/{repo}/pulls", issue_pages.pulls),
    ("/{owner}/{repo}/pull/{number:int}", issue_pages.pull),
    ("/{owner}/{repo}/pull/{number:int}/{view}", issue_pages.pull),
    ("/{owner}/{repo}/actions", action_pages.runs),
    ("/{owner}/{repo}/actions/runs/{run:int}", action_pages.run),
    ("/{owner}/{repo}/actions/runs/{run:int}/attempts/{attempt:int}", action_pages.run),
    ("/{owner}/{repo}/actions/runs/{run:int}/artifacts/{artifact:int}", action_pages.artifact),
    ("/{owner}/{repo}/actions/runs/{run:int}/job/{job:int}", action_pages.run),
    ("/{owner}/{repo}/commit/{sha}", code_pages.commit),
    ("/{owner}/{repo}/commits/{rest:path}", code_pages.commits),
    ("/{owner}/{repo}/tree/{rest:path}", code_pages.tree),
    ("/{owner}/{repo}/blob/{rest:path}", code_pages.blob),
)


class PageRoute(Route):
    """A route that leaves the API's and git's addresses alone."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as a route does, but not below a mount (`/api/v3`), nor another owner's words."""
        match, found = super().matches(scope)
        parameters = found.get("path_params", {})
        owner, repo = parameters.get("owner", "").lower(), parameters.get("repo", "").lower()
        if scope.get("root_path") or owner in _NOT_OURS or repo.endswith(".git"):
            return Match.NONE, {}
        return match, found


def routes(
    store: Store, runs: Runs, *, artifacts: Artifacts | None = None, clock: Callable[[], datetime] = utc_now
) -> list[BaseRoute]:
    """The web pages, for the forge's `extra_routes`; they answer GET, and change nothing.

    Args:
        store: the forge's.
        runs: the player's.
        artifacts: the player's; None: runs have none.
        clock: for "3 minutes ago"; in UTC.
    """
    site = Site(store, runs, clock, artifacts)
    assets = [
        PageRoute(f"/_pages/{name}", _asset((_STATIC / name).read_bytes(), kind), methods=["GET"])
        for name, kind in _ASSETS.items()
    ]
    pages = [PageRoute(path, _endpoint(site, page), methods=["GET"]) for path, page in _PAGES]
    fixed = [path for path, _ in _PAGES if path != "/" and not path.endswith(":path}")]
    return [*assets, *pages, *(PageRoute(f"{path}/", _without_slash, methods=["GET"]) for path in fixed)]


def web_pages(store: Store, player: Player) -> list[BaseRoute]:
    """The same, of a player: what `EmbeddedGitHub` takes as its `pages`."""
    return routes(store, player.runs, artifacts=player.artifacts)


def _without_slash(request: Request) -> Response:
    return RedirectResponse(request.url.path.rstrip("/"), 302)


def _endpoint(site: Site, page: Page) -> Callable[[Request], Response]:
    # Not a coroutine: Starlette runs it on a worker thread, where git and the records may be read.
    def endpoint(request: Request) -> Response:
        try:
            return page(site, request)
        except PageNotFoundError as error:
            template = site.templates.get_template("missing.html")
            return html(template.render(repo=None, refresh=0, message=str(error)), 404)

    return endpoint


def _asset(content: bytes, kind: str) -> Callable[[Request], Response]:
    def endpoint(_request: Request) -> Response:
        return asset(content, kind)

    return endpoint
