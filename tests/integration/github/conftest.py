"""The loop's GitHub side on the embedded GitHub, over real HTTP, with faults where a test asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from github.Repository import Repository
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autonomous_loop.ci.job import Job
from autonomous_loop.ci.queue import LoopQueue
from autonomous_loop.ci.routing import EventRouter
from autonomous_loop.config import LoopConfig
from autonomous_loop.git.command import bearer
from autonomous_loop.git.repository import Repository as GitRepository
from autonomous_loop.github.access import Access
from autonomous_loop.github.action import RunFacts
from autonomous_loop.github.client import connect, own_login
from autonomous_loop.github.forge import GitHubForge
from autonomous_loop.github.thread import Thread
from autonomous_loop.wiring.session import IDENTITY
from embedded_github.actions.api.routes import routes as actions_routes
from embedded_github.actions.job.runner import ProcessRunner
from embedded_github.actions.player import Player
from embedded_github.forge.actions_view import ActionsView
from embedded_github.forge.api.auth import Authorizer
from embedded_github.forge.app import create_app
from embedded_github.forge.models import Actor
from embedded_github.forge.store import Store
from integration.embedded_github.forge_world import ALL, ForgeServer, forge_server

REPO = "octo/guestbook"
LABEL = "autonomous-loop"
HEAD = "autonomous-loop/issue-1/pr"
WORKFLOW = """
on:
  workflow_dispatch:
    inputs:
      loop: {required: false, type: string}
      generation: {required: false, type: string}
      pin: {required: false, type: string}
      issue: {required: false, type: string}
jobs:
  session:
    runs-on: ubuntu-latest
    steps:
      - run: sleep "${{ inputs.pin == 'slow' && 30 || 0 }}"
"""
CI = """
name: CI
on: workflow_dispatch
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: printf '\\033[31mit broke\\033[0m\\n' && exit 1
"""


_ANSWERS = {
    "lost": ({"message": "Bad Gateway"}, 502),
    "down": ({"message": "Bad Gateway"}, 502),
    "hidden": ({"message": "Not Found"}, 404),
    "denied": ({"message": "Resource not accessible by integration"}, 403),
    "unknown": ({"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'}, 422),
}


@dataclass
class Faults:
    """Sits before the forge: counts requests, and answers some of them as GitHub does on a bad day.

    Attributes:
        plan: called with method and path; "lost" lets the forge do it and then answers 502, what else
            `_ANSWERS` names is answered at once; None passes on.
        seen: every request, `METHOD /path`.
        query: of the newest request.
    """

    app: ASGIApp
    plan: Callable[[str, str], str | None] = lambda method, path: None
    seen: list[str] = field(default_factory=list)
    query: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix("/api/v3")
        self.seen.append(f"{scope['method']} {path}")
        self.query = scope["query_string"].decode()
        fault = self.plan(scope["method"], path)
        if fault is None:
            await self.app(scope, receive, send)
            return
        if fault == "lost":

            async def nowhere(message: Message) -> None:
                pass

            await self.app(scope, receive, nowhere)
        await JSONResponse(*_ANSWERS[fault])(scope, receive, send)

    def times(self, count: int, method: str, ending: str, fault: str) -> None:
        """The next `count` such requests meet `fault`."""
        left = [count]

        def plan(asked: str, path: str) -> str | None:
            if asked == method and path.endswith(ending) and left[0]:
                left[0] -= 1
                return fault
            return None

        self.plan = plan


@dataclass
class SettableClock:
    """The forge's clock: records are told to the second, so tests move it."""

    at: datetime = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def later(self, seconds: float = 60) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass
class World:
    """`octo/guestbook`: octo owns it, ann may write, tri triage, eve nothing. Issue 1 is ann's wish."""

    store: Store
    url: str
    faults: Faults
    player: Player
    clock: SettableClock

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    def repository(self, token: str = "") -> Repository:
        return connect(token or self.workflow_token(), self.api_url, backoff_s=0.0).get_repo(REPO)

    def person(self, login: str) -> Repository:
        return self.repository(self.store.create_token(login))

    def workflow_token(self, **permissions: str) -> str:
        given = {name.replace("_", "-"): level for name, level in permissions.items()} or ALL
        return self.store.mint_token(REPO, given, run_id=7)

    def thread(self, token: str = "", **more) -> Thread:
        token = token or self.workflow_token()
        client = connect(token, self.api_url, backoff_s=0.0)
        given = {"loop": "issue-1", "issue": 1, "head": HEAD, "own_login": own_login(client, token)}
        return Thread(client.get_repo(REPO), **{**given, **more})

    def forge(self, thread: Thread | None = None, **more) -> GitHubForge:
        given = {"workflow": "loop.yml", "label": LABEL, "server_url": self.url, "pause_s": 0.0}
        return GitHubForge(thread or self.thread(), **{**given, **more})

    def access(self, **more) -> Access:
        return Access(self.repository(), **more)

    def push(self, branch: str = HEAD) -> str:
        """A branch one commit ahead of main, as git would leave it."""
        git = self.store.git(REPO)
        main = git.branch("main")
        sha = git.commit_tree(git.empty_tree(), [main], "work", git.commit(main).author)
        git.update_ref(f"refs/heads/{branch}", sha)
        return sha

    def say(self, login: str, body: str, number: int = 1) -> int:
        """A comment; its id."""
        return self.store.comments.create(REPO, number, body, Actor(login, links=self.store.links)).id

    def label(self, login: str, name: str = LABEL, number: int = 1) -> None:
        self.store.issues.add_labels(REPO, number, [name], Actor(login, links=self.store.links))

    def unlabel(self, login: str, name: str = LABEL, number: int = 1) -> None:
        self.store.issues.remove_label(REPO, number, name, Actor(login, links=self.store.links))


@pytest.fixture(scope="session")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server: ForgeServer, tmp_path: Path):
    source = tmp_path / "source"
    (source / ".github" / "workflows").mkdir(parents=True)
    (source / "README.md").write_text("# Guestbook\n")
    (source / ".github" / "workflows" / "loop.yml").write_text(WORKFLOW)
    (source / ".github" / "workflows" / "ci.yml").write_text(CI)
    clock = SettableClock()
    with Store(tmp_path / "forge", public_url=server.url, clock=clock) as store:
        store.create_user("eve")
        store.create_repository(
            REPO,
            from_folder=source,
            allow_actions_to_create_pull_requests=True,
            collaborators={"ann": "write", "tri": "triage", "rea": "read", "mai": "maintain"},
        )
        player = Player(
            tmp_path / "actions",
            ActionsView(store),
            server_url=lambda: server.url,
            action_sources={},
            runner=ProcessRunner(lambda meta, stage: None),
            secrets={},
        )
        try:
            extra = actions_routes(player, Authorizer(store))
            faults = Faults(create_app(store, extra_routes=extra))
            server.app = faults
            store.issues.create(REPO, "Replies", "Visitors can reply.", Actor("ann", links=store.links))
            yield World(store, server.url, faults, player, clock)
        finally:
            player.stop()


@pytest.fixture
def choose(world, tmp_path):
    """What one job makes of its event."""
    numbers = count()

    def decide(event_name, event=None, *, bots=(), request_file="", **facts):
        token = world.workflow_token()
        given = {
            "repository": REPO, "run_id": 7, "run_attempt": 1, "event_name": event_name, "event": event or {},
            "actor": "ann", "triggering_actor": "ann", "workflow_path": ".github/workflows/loop.yml",
            "job": "session", "ref": "refs/heads/main", "sha": "1" * 40, "default_branch": "main",
            "api_url": world.api_url, "server_url": world.url,
        }  # fmt: skip
        git = GitRepository.create(
            tmp_path / f"own-{next(numbers)}.git", remote=f"{world.url}/{REPO}.git", identity=IDENTITY,
            path="/usr/bin:/bin", auth=bearer(world.url, token),
        )  # fmt: skip
        repository = world.repository(token)
        config = LoopConfig(allowed_bots=bots)
        job = Job(RunFacts(**(given | facts)), git, repository, "github-actions[bot]", "main")
        access = Access(repository, allowed_bots=config.allowed_bots)
        fleet = LoopQueue(job, config, access, overrides={})
        try:
            base = job.default_head()
            return EventRouter(job, config, access, fleet, base=base, request_file=request_file).choose()
        finally:
            git.close()

    return decide
