"""The embedded GitHub, connected: forge, Actions player, pages, on one address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from embedded_github.actions.api.routes import routes as actions_routes
from embedded_github.actions.job.runner import DEFAULT_PATH, ProcessRunner, Stage
from embedded_github.actions.player import Player
from embedded_github.actions.ports import JobRunner
from embedded_github.actions.workflow.metadata import ActionMeta
from embedded_github.forge.actions_view import ActionsView
from embedded_github.forge.api.auth import Authorizer
from embedded_github.forge.app import create_app
from embedded_github.forge.store import Store
from embedded_github.server import LocalServer

Entrypoint = Callable[[ActionMeta, Stage], Sequence[str] | None]


def no_container(_action: ActionMeta, _stage: Stage) -> None:
    """Stands for no docker action's container."""


class EmbeddedGitHub:
    """Enough of GitHub for an action to run on it unchanged, over real HTTP.

    Args:
        folder: all of its state; made when missing.
        entrypoint: gives the local command that replaces a docker action's container, or None. By default a
            job with a docker action fails and says so.
        action_sources: folders of actions by `owner/name`.
        secrets: of the repositories' workflows.
        extra_env: for every step, below the workflow's own.
        path: PATH of the steps.
        port: 0 takes a free one.
        pages: makes the web pages (`embedded_github.pages.routes.web_pages`); None: there are none.
        runner: plays jobs; None: as processes of this machine, by `entrypoint`, `extra_env` and `path`.
        wrap: middleware around the whole application, such as a contract check.
    """

    def __init__(
        self,
        folder: Path,
        *,
        entrypoint: Entrypoint = no_container,
        action_sources: Mapping[str, Path] = MappingProxyType({}),
        secrets: Mapping[str, str] = MappingProxyType({}),
        extra_env: Mapping[str, str] = MappingProxyType({}),
        path: str = DEFAULT_PATH,
        port: int = 0,
        pages: Callable[[Store, Player], Sequence[BaseRoute]] | None = None,
        runner: JobRunner | None = None,
        wrap: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        self.store = Store(folder / "forge")
        self.player = Player(
            folder / "actions",
            ActionsView(self.store),
            server_url=lambda: self.url,
            action_sources=action_sources,
            runner=runner or ProcessRunner(docker_entrypoint=entrypoint, extra_env=extra_env, path=path),
            secrets=secrets,
        )
        self.store.subscribe(self.player.deliver)
        self.store.settings.secret_names = lambda: tuple(secrets)
        authorize = Authorizer(self.store)

        def allowed(request: Request, permission: str, level: str) -> Any:  # noqa: ANN401 - the forge's own
            return authorize(request, permission, "write" if level == "write" else "read")

        extra = [*actions_routes(self.player, allowed), *(pages(self.store, self.player) if pages else ())]
        app: ASGIApp = create_app(self.store, extra_routes=extra)
        self.server = LocalServer(wrap(app) if wrap else app, port=port)
        self.store.public_url = self.server.url

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.player.stop()
        self.server.stop()
        self.store.close()
