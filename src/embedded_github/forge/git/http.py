"""Git's smart HTTP protocol, played by `git http-backend`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from embedded_github.forge.api.auth import Authorizer, Identity, links_of
from embedded_github.forge.api.errors import ApiError
from embedded_github.forge.git import hooks
from embedded_github.forge.git.push_report import explain
from embedded_github.forge.git.repository import GIT_ENVIRONMENT
from embedded_github.forge.models import GITHUB_ACTIONS_BOT, RefChange
from embedded_github.forge.store import Store

_CHUNK = 65_536
_PUSH_DEADLINE_S = 300


def git_routes(store: Store) -> list[Route]:
    """Return the routes below `/{owner}/{repo}.git/` (and the same without `.git`)."""
    http = GitHttp(store)
    base = "/{owner}/{repo}"
    return [
        Route(f"{base}/info/refs", http.advertise, methods=["GET"]),
        Route(f"{base}/git-upload-pack", http.fetch, methods=["POST"]),
        Route(f"{base}/git-receive-pack", http.push, methods=["POST"]),
    ]


class GitHttp:
    """Answers git's requests, after asking whether they may be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._authorizer = Authorizer(store)

    async def advertise(self, request: Request) -> Response:
        """`GET info/refs?service=...`: what a fetch or push begins with."""
        service = request.query_params.get("service", "")
        if service not in ("git-upload-pack", "git-receive-pack"):
            return PlainTextResponse("Please upgrade your git client.\n", 403)
        identity = await run_in_threadpool(self._check, request, push=service == "git-receive-pack")
        if isinstance(identity, Response):
            return identity
        return await self._stream(request, identity)

    async def fetch(self, request: Request) -> Response:
        """`POST git-upload-pack`."""
        identity = await run_in_threadpool(self._check, request, push=False)
        return identity if isinstance(identity, Response) else await self._stream(request, identity)

    async def push(self, request: Request) -> Response:
        """`POST git-receive-pack`: the answer is held until the change has been told."""
        identity = await run_in_threadpool(self._check, request, push=True)
        if isinstance(identity, Response):
            return identity
        assert identity.repository is not None
        with tempfile.TemporaryDirectory() as scratch:
            received, refused = Path(scratch) / "received", Path(scratch) / "refused"
            files = {hooks.RECEIVED: str(received), hooks.REFUSED: str(refused)}
            environment = self._environment(request, identity) | files
            if identity.by_workflow_token:
                environment[hooks.REFUSE_WORKFLOWS] = "1"
            if identity.repository.protect_default_branch:
                environment[hooks.PROTECTED_REF] = f"refs/heads/{identity.repository.default_branch}"
            process = await _start(environment)
            feeding = asyncio.create_task(_feed(process, request))
            try:
                output = await asyncio.wait_for(_read_all(process), _PUSH_DEADLINE_S)
            except TimeoutError:
                return PlainTextResponse("the push took too long\n", 504)
            finally:
                await _end(process, feeding)
            changes = _changes(received)
            if changes:
                name = identity.repository.full_name
                await run_in_threadpool(self._store.refs.changed, name, changes, identity.actor)
            reasons = dict(line.split(" ", 1) for line in _lines(refused))
        status, headers, body = _split(output)
        return Response(explain(body, reasons), status, headers)

    async def _stream(self, request: Request, identity: Identity) -> Response:
        process = await _start(self._environment(request, identity))
        feeding = asyncio.create_task(_feed(process, request))
        assert process.stdout is not None
        head = b""
        with suppress(asyncio.IncompleteReadError):
            head = await process.stdout.readuntil(b"\r\n\r\n")
        status, headers, _ = _split(head)

        async def body() -> AsyncIterator[bytes]:
            assert process.stdout is not None
            try:
                while chunk := await process.stdout.read(_CHUNK):
                    yield chunk
            finally:
                await _end(process, feeding)

        return StreamingResponse(body(), status, headers)

    def _check(self, request: Request, *, push: bool) -> Identity | Response:
        """Return who asks, or git's own way of hearing no: text that the person sees as `remote: ...`."""
        full_name = f"{request.path_params['owner']}/{request.path_params['repo'].removesuffix('.git')}"
        header = request.headers.get("authorization")
        try:
            identity = self._authorizer.identify_header(header, links_of(request))
            return self._authorizer.check(identity, full_name, "contents", "write" if push else "read")
        except ApiError as error:
            if header is None and error.status in (401, 404):
                return _unauthorized("")
            if error.status == 401:
                return _unauthorized("Invalid username or token. Password authentication is not supported.\n")
            if error.status == 403:
                login = identity.login
                return PlainTextResponse(f"Permission to {full_name}.git denied to {login}.\n", 403)
            return PlainTextResponse("Repository not found.\n", 404)

    def _environment(self, request: Request, identity: Identity) -> dict[str, str]:
        assert identity.repository is not None
        service = request.url.path.partition(f"/{request.path_params['repo']}/")[2]
        variables = {
            "GIT_PROJECT_ROOT": str(identity.repository.path.resolve()),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{service}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.url.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "REMOTE_USER": identity.login or "",
            "REMOTE_ADDR": "127.0.0.1",
            "GIT_COMMITTER_NAME": identity.login or GITHUB_ACTIONS_BOT,
            "GIT_COMMITTER_EMAIL": f"{identity.login or GITHUB_ACTIONS_BOT}@users.noreply.github.com",
        }
        for header, name in (
            ("content-length", "CONTENT_LENGTH"),
            ("content-encoding", "HTTP_CONTENT_ENCODING"),
            ("git-protocol", "GIT_PROTOCOL"),
        ):
            if header in request.headers:
                variables[name] = request.headers[header]
        return {**GIT_ENVIRONMENT, **variables}


async def _start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        "git", "http-backend", stdin=pipe, stdout=pipe, stderr=nothing, env=environment
    )


async def _feed(process: asyncio.subprocess.Process, request: Request) -> None:
    """Hand the request's body on; git may stop reading at any time, and the client may go away."""
    assert process.stdin is not None
    with suppress(ClientDisconnect, BrokenPipeError, ConnectionResetError):
        async for chunk in request.stream():
            process.stdin.write(chunk)
            await process.stdin.drain()
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.read()


async def _end(process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> None:
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding
    if process.returncode is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
    if process.returncode is None:
        process.kill()
        await process.wait()


def _changes(received: Path) -> list[RefChange]:
    lines = (line.split(" ", 2) for line in _lines(received))
    return [RefChange(ref, before, after) for before, after, ref in lines]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _split(output: bytes) -> tuple[int, dict[str, str], bytes]:
    """Take a CGI answer apart: status, headers, body."""
    head, _, body = output.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif name:
            headers[name] = value
    return (status, headers, body) if head else (500, {}, b"")


def _unauthorized(text: str) -> Response:
    return PlainTextResponse(text, 401, headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
