"""The embedded forge as its tests meet it: over HTTP, by real clients, held to GitHub's contract."""

import base64
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from github import Auth, Github
from github.Repository import Repository
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded_github.forge.app import create_app
from embedded_github.forge.events import Event
from embedded_github.forge.store import Store
from embedded_github.server import LocalServer

REPO = "octo/guestbook"
ALL = {
    "contents": "write",
    "issues": "write",
    "pull-requests": "write",
    "checks": "write",
    "actions": "write",
}

GIT_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@users.noreply.github.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@users.noreply.github.com",
}


@dataclass
class Clone:
    """A work tree whose `origin` carries a token."""

    folder: Path

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=GIT_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=check,
            timeout=60,
        )

    def commit(self, files: Mapping[str, str], message: str = "a change") -> str:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD").stdout.strip()


@dataclass
class World:
    """One forge with `octo/guestbook`: octo owns it, ann may write, tri may triage, eve may nothing."""

    store: Store
    url: str
    folder: Path
    events: list[Event] = field(default_factory=list)

    def token(self, login: str) -> str:
        return self.store.create_token(login)

    def workflow_token(self, **permissions: str) -> str:
        given = {name.replace("_", "-"): level for name, level in permissions.items()} or ALL
        return self.store.mint_token(REPO, given, run_id=7)

    def github(self, token: str, *, prefix: str = "/api/v3") -> Github:
        return Github(
            base_url=self.url + prefix,
            auth=Auth.Token(token),
            seconds_between_requests=0,
            seconds_between_writes=0,
            retry=None,
        )

    def repository(self, token: str) -> Repository:
        return self.github(token).get_repo(REPO)

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> requests.Response:
        """One plain request to the API."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=30, **more)

    def remote(self, token: str) -> str:
        return self.url.replace("//", f"//x-access-token:{token}@") + f"/{REPO}.git"

    def clone(self, token: str, name: str = "clone") -> Clone:
        """A clone whose credential travels as `actions/checkout` leaves it: in a header."""
        folder = self.folder / name
        folder.mkdir()
        clone = Clone(folder)
        # Objects come from the folder, which is quicker; what the tests try goes over HTTP from here on.
        clone.git("clone", "--quiet", str(self.store.git(REPO).path), ".")
        clone.git("remote", "set-url", "origin", f"{self.url}/{REPO}.git")
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        clone.git("config", "http.extraHeader", f"Authorization: Basic {basic}")
        return clone

    def branch(self, name: str) -> str:
        """A branch one commit ahead of main, made behind the forge's back: no event is told of it."""
        git = self.store.git(REPO)
        main = git.branch("main")
        who = git.commit(main).author
        sha = git.commit_tree(git.empty_tree(), [main], "take everything away", who)
        git.update_ref(f"refs/heads/{name}", sha)
        return sha

    def names(self) -> list[str]:
        """The events so far, as `issues.labeled` or `push`."""
        return [f"{one.name}.{one.action}" if one.action else one.name for one in self.events]

    def last(self, name: str) -> Event:
        """The newest event of this name."""
        return next(one for one in reversed(self.events) if one.name == name)


class ForgeServer:
    """One server for a file of tests; each test puts a forge of its own behind it."""

    def __init__(self) -> None:
        self.app: ASGIApp = PlainTextResponse("no test is running", 503)
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@contextmanager
def forge_server() -> Iterator[ForgeServer]:
    """Serve until the file's tests are over: starting and stopping takes longer than most of them."""
    forge = ForgeServer()
    with LocalServer(forge) as server:
        forge.url = server.url
        yield forge


@contextmanager
def forge_world(server: ForgeServer, folder: Path, *, private: bool = False) -> Iterator[World]:
    """Put a new forge, kept in `folder`, behind the server."""
    source = folder / "source"
    (source / "src").mkdir(parents=True)
    (source / "README.md").write_text("# Guestbook\n")
    (source / "src" / "app.py").write_text("print('hello')\n")
    (source / ".github" / "workflows").mkdir(parents=True)
    (source / ".github" / "workflows" / "loop.yml").write_text("on: push\n")
    with Store(folder / "forge") as store:
        store.create_user("eve")
        store.create_repository(
            REPO,
            from_folder=source,
            private=private,
            allow_actions_to_create_pull_requests=True,
            collaborators={"ann": "write", "tri": "triage", "rea": "read"},
        )
        server.app = create_app(store)
        world = World(store, server.url, folder)
        store.subscribe(world.events.append)
        yield world
