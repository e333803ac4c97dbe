"""A repository of workflow files, a player on it, and its REST on real HTTP."""

import json
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import anyio.from_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from embedded_github.actions.api.routes import routes, token_of
from embedded_github.actions.job.process import Grace
from embedded_github.actions.job.runner import ProcessRunner
from embedded_github.actions.player import Player
from embedded_github.server import LocalServer

REPO = "octo/demo"
BOT = "github-actions[bot]"
SHA = "1" * 40
_SHORT = Grace(interrupt_s=0.4, terminate_s=0.4, cancelled_job_s=20)

ACTION = """
name: Stand-in
inputs:
  code: {default: ''}
  post: {default: ''}
  token: {default: '${{ github.token }}'}
  max sessions: {default: '7'}
  dry-run: {default: 'false'}
runs:
  using: docker
  image: Dockerfile
  entrypoint: /entrypoint
  post-entrypoint: /post
"""


@dataclass(frozen=True)
class Happening:
    name: str
    action: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    actor: str = "ada"
    by_workflow_token: bool = False
    repo: str = REPO


@dataclass(frozen=True)
class Someone:
    login: str
    by_workflow_token: bool = False


class TinyForge:
    """A forge of one repository; its commits are whatever stands in `files` now, or a bare git repository."""

    def __init__(self, bare: Path | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.refs = {"refs/heads/main": SHA, "refs/tags/v1": "2" * 40}
        self.minted: dict[str, tuple[dict[str, str], int]] = {}
        self.revoked: set[str] = set()
        self.bare = bare

    def default_branch(self, repo: str) -> str:
        return "main"

    def sha_of(self, repo: str, ref: str) -> str:
        if repo != REPO:
            raise LookupError(repo)
        return self.refs[ref]

    def workflow_files(self, repo: str, ref: str) -> dict[str, bytes]:
        return {f".github/workflows/{name}": content for name, content in self.files.items()}

    def mint_token(self, repo: str, permissions: Any, run_id: int) -> str:
        token = f"ghs_{run_id}_{len(self.minted)}"
        self.minted[token] = (dict(permissions), run_id)
        return token

    def revoke_token(self, token: str) -> None:
        self.revoked.add(token)

    def repository(self, repo: str) -> dict[str, Any]:
        return {"id": 5, "name": "demo", "full_name": repo, "owner": {"login": "octo", "id": 9}}

    def sender(self, login: str) -> dict[str, Any]:
        return {"login": login, "id": 40 + len(login), "type": "User"}

    def who(self, token: str) -> Someone | None:
        if token == "ada-token":
            return Someone("ada")
        known = token in self.minted and token not in self.revoked
        return Someone(BOT, by_workflow_token=True) if known else None


class World:
    """Everything of one test; use as a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        max_jobs: int = 4,
        secrets: Any = None,
        bare: Path | None = None,
        grace: Grace = _SHORT,
    ) -> None:
        self.folder = folder
        action = folder / "action"
        action.mkdir(parents=True, exist_ok=True)
        (action / "action.yml").write_text(ACTION)
        self.forge = TinyForge(bare)
        self.url = ""
        self._stack = ExitStack()
        runner = ProcessRunner(
            lambda meta, stage: [
                sys.executable, "-I", "-c", f"import os; exec(os.environ['INPUT_{_CODE[stage]}'])"
            ],
            extra_env={"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
            grace=grace,
        )  # fmt: skip
        self.player = Player(
            folder / "actions",
            self.forge,
            server_url=lambda: self.url,
            action_sources={"octo/stand-in": action},
            runner=runner,
            secrets=secrets or {},
            variables={"COLOUR": "green"},
            max_jobs=max_jobs,
        )

    def __enter__(self) -> Self:
        self._stack.callback(self.player.stop)

        def authorize(request: Request, permission: str, level: str) -> Someone:
            found = self.forge.who(token_of(request))
            if found is None:
                raise HTTPException(401, "Bad credentials")
            assert (permission, level) in {("actions", "read"), ("actions", "write")}
            return found

        git = Route("/octo/demo/{path:path}", self._git, methods=["GET", "POST"])
        server = LocalServer(Starlette(routes=[*routes(self.player, authorize), git]))
        self._stack.enter_context(server)
        self.url = server.url
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def workflow(self, text: str, name: str = "w.yml") -> None:
        self.forge.files[name] = text.encode()

    def label(self, name: str = "go", **more: Any) -> None:
        payload = {"action": "labeled", "label": {"name": name}, "issue": {"number": 12, "title": "Do it"}}
        self.player.deliver(Happening("issues", "labeled", payload, **more))

    def settle(self) -> list[Any]:
        """Wait until nothing is left to do; returns the runs, oldest first."""
        assert self.player.wait_idle(120), "the player did not come to rest"
        return self.runs()

    def runs(self) -> list[Any]:
        return list(reversed(self.player.runs.runs(REPO)[1]))

    def jobs(self, run: Any) -> dict[str, Any]:
        return {job.key: job for job in self.player.runs.jobs(run.id)}

    def log(self, run: Any) -> str:
        files = [Path(job.log) for job in self.player.runs.jobs(run.id) if job.log]
        # A job that has just begun may not have its file yet.
        return "".join(file.read_text() for file in files if file.is_file())

    def ask(self, path: str, body: Any = None, *, method: str | None = None, token: str = "ada-token") -> Any:
        """Status, and the body as JSON (or as bytes where it is none)."""
        request = urllib.request.Request(
            f"{self.url}/api/v3/repos/{REPO}/actions{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, content = error.code, error.read()
        try:
            return status, json.loads(content) if content else None
        except ValueError:
            return status, content

    def _git(self, request: Request) -> Response:
        if request.headers.get("authorization") is None or self.forge.who(token_of(request)) is None:
            return Response(status_code=401, headers={"WWW-Authenticate": "Basic"})
        body = anyio.from_thread.run(request.body)
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                "PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": str(self.forge.bare), "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": "/" + request.path_params["path"], "REQUEST_METHOD": request.method,
                "QUERY_STRING": request.url.query, "CONTENT_TYPE": request.headers.get("content-type", ""),
                "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            },
        )  # fmt: skip
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return Response(content, headers=headers)


_CODE = {"main": "CODE", "post": "POST"}


def steps(*lines: str, on: str = "issues: {types: [labeled]}", more: str = "") -> str:
    """A workflow of one job `j`; each line is a YAML flow mapping of a step."""
    listed = "".join(f"      - {line}\n" for line in lines)
    return f"on:\n  {on}\n{more}jobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n{listed}"


def docker(code: str, post: str = "pass", extra: str = "") -> str:
    return f"{{uses: octo/stand-in@v1, with: {{code: {json.dumps(code)}, post: {json.dumps(post)}}}{extra}}}"


def run_step(text: str, extra: str = "") -> str:
    return f"{{run: {json.dumps(text)}{extra}}}"
