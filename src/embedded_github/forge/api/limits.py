"""The rate limit, and the headers that every answer of the API carries."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from embedded_github.forge.api.auth import API_PREFIX, token_in
from embedded_github.forge.store import Store

WINDOW_S = 3600
WORKFLOW_LIMIT = 1000  # requests an hour, all runs of one repository together
PERSON_LIMIT = 5000

_API_PATHS = ("/repos/", "/user", "/users/", "/graphql", "/api/", "/rate_limit")


@dataclass
class _Window:
    limit: int
    resets_at: float
    used: int = 0


class ApiHeaders:
    """Counts the API's requests, refuses those past the limit, and adds GitHub's headers to every answer.

    Args:
        app: What answers.
        store: Tells whose token it is.
    """

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _is_api(scope["path"]):
            await self._app(scope, receive, send)
            return
        free = scope["path"].endswith("/rate_limit")
        window = self._count(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"), free=free)
        headers = {
            "x-github-request-id": secrets.token_hex(4).upper(),
            "x-github-media-type": "github.v3; format=json",
            "x-ratelimit-limit": str(window.limit),
            "x-ratelimit-remaining": str(max(0, window.limit - window.used)),
            "x-ratelimit-used": str(window.used),
            "x-ratelimit-reset": str(int(window.resets_at)),
            "x-ratelimit-resource": "core",
        }

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in headers.items():
                    own[name] = value
            await send(message)

        app: ASGIApp = self._app
        if free:
            app = JSONResponse(_overview(window))
        elif window.used > window.limit:
            app = JSONResponse(
                {"message": "API rate limit exceeded.", "documentation_url": "https://docs.github.com/rest"},
                403,
            )
        await app(scope, receive, with_headers)

    def _count(self, header: str, *, free: bool) -> _Window:
        token = self._store.tokens.find(token_in(header)) if header else None
        if token is not None and token.repo is not None:
            key, limit = f"repo {token.repo}", WORKFLOW_LIMIT
        else:
            key, limit = (f"user {token.login}" if token else f"other {_digest(header)}"), PERSON_LIMIT
        now = time.time()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.resets_at <= now:
                window = self._windows[key] = _Window(limit, now + WINDOW_S)
            if not free:
                window.used += 1
            return _Window(window.limit, window.resets_at, window.used)


def _is_api(path: str) -> bool:
    return path == "/" or path.startswith(_API_PATHS) or path == API_PREFIX


def _digest(header: str) -> str:
    return hashlib.sha256(header.encode()).hexdigest()


def _overview(window: _Window) -> dict[str, Any]:
    rate = {
        "limit": window.limit,
        "remaining": max(0, window.limit - window.used),
        "used": window.used,
        "reset": int(window.resets_at),
        "resource": "core",
    }
    names = ("core", "graphql", "search", "code_search", "integration_manifest", "source_import")
    return {"resources": {name: {**rate, "resource": name} for name in names}, "rate": rate}
