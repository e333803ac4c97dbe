"""One operation of the REST API: from the request to its answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from embedded_github.forge.api.auth import Authorizer, Identity, Level
from embedded_github.forge.api.errors import ApiError, invalid, not_found
from embedded_github.forge.models import Actor, Repository, Role
from embedded_github.forge.render.renderer import Renderer
from embedded_github.forge.store import Store

T = TypeVar("T")

_MAX_PER_PAGE = 100


@dataclass(frozen=True)
class Need:
    """What an operation asks of whoever calls it; see `Authorizer`."""

    permission: str
    level: Level = "read"
    role: Role | None = None


@dataclass(frozen=True)
class Call:
    """One call: what was asked, by whom, and what answers are made with."""

    request: Request
    store: Store
    authorizer: Authorizer
    identity: Identity
    body: Any

    @property
    def repository(self) -> Repository:
        """The repository of the address."""
        assert self.identity.repository is not None
        return self.identity.repository

    @property
    def repo(self) -> str:
        """Its full name, as it is written."""
        return self.repository.full_name

    @property
    def actor(self) -> Actor:
        """Who makes the change."""
        return self.identity.actor

    @property
    def render(self) -> Renderer:
        """What writes JSON for this caller."""
        return Renderer(self.store, self.identity.links)

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """Return a part of the address that is a number.

        Raises:
            ApiError: 404, it is none.
        """
        text = self.path(name)
        if not text.isdecimal():
            raise not_found()
        return int(text)

    def query(self, name: str, default: str = "") -> str:
        """Return a parameter of the query."""
        return self.request.query_params.get(name, default)

    def field(self, resource: str, name: str, *, maximum: int | None = None) -> str:
        """Return a text that the body must have.

        Raises:
            ApiError: 422, it is missing, no text, empty, or longer than `maximum` characters.
        """
        text = self.optional(resource, name, maximum=maximum)
        if text is None:
            raise invalid(resource, name, "missing_field")
        if not text.strip():
            raise invalid(resource, name, "custom", f"{name} can't be blank")
        return text

    def optional(self, resource: str, name: str, *, maximum: int | None = None) -> str | None:
        """Return a text that the body may have; None where it has not, or has null.

        Raises:
            ApiError: 422, it is no text or longer than `maximum` characters.
        """
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(resource, name, "invalid", f"{name} must be a string")
        if maximum is not None and len(value) > maximum:
            raise invalid(resource, name, "custom", f"{name} is too long (maximum is {maximum} characters)")
        return value

    def page(self, items: Sequence[T], render: Callable[[T], Any], *, wrap: str | None = None) -> Response:
        """Answer with the page that was asked for, with GitHub's `Link` header.

        Args:
            items: All of them.
            render: Writes one.
            wrap: For the lists that GitHub wraps with a `total_count`: the key of the list.
        """
        per_page = min(self._positive("per_page", 30), _MAX_PER_PAGE)
        page = self._positive("page", 1)
        shown: Any = [render(item) for item in items[(page - 1) * per_page : page * per_page]]
        if wrap is not None:
            shown = {"total_count": len(items), wrap: shown}
        last = max(1, -(-len(items) // per_page))
        relations = {"prev": page - 1, "first": 1} if page > 1 else {}
        if page < last:
            relations |= {"next": page + 1, "last": last}
        link = ", ".join(f'<{self._page_url(number)}>; rel="{name}"' for name, number in relations.items())
        return JSONResponse(shown, headers={"Link": link} if link else None)

    def _positive(self, name: str, default: int) -> int:
        text = self.query(name)
        return int(text) if text.isdecimal() and int(text) > 0 else default

    def _page_url(self, page: int) -> str:
        query = [(key, value) for key, value in self.request.query_params.multi_items() if key != "page"]
        return str(self.request.url.replace(query=urlencode([*query, ("page", str(page))])))


Handler = Callable[[Call], Response | dict[str, Any] | list[Any]]


def operation(store: Store, method: str, path: str, handler: Handler, need: Need | None = None) -> Route:
    """Make the route of an operation.

    Args:
        store: What it works on.
        method: Of HTTP.
        path: With `{owner}` and `{repo}` where `need` is given.
        handler: Answers, on a thread of its own: it may take its time. `LookupError` from it is a 404.
        need: What the caller must be allowed; None: the handler asks itself.
    """
    authorizer = Authorizer(store)

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        return await run_in_threadpool(answer, request, raw)

    def answer(request: Request, raw: bytes) -> Response:
        if need is None:
            identity = authorizer.identify(request)
        else:
            identity = authorizer(request, need.permission, need.level, role=need.role)
        call = Call(request, store, authorizer, identity, _parse(raw))
        try:
            result = handler(call)
        except LookupError as error:
            raise not_found() from error
        response = result if isinstance(result, Response) else JSONResponse(result)
        return _conditional(request, response)

    return Route(path, endpoint, methods=[method], name=f"{method} {path}")


def created(body: dict[str, Any]) -> Response:
    """Answer 201, with the address of what was made."""
    headers = {"Location": body["url"]} if isinstance(body.get("url"), str) else None
    return JSONResponse(body, 201, headers=headers)


def no_content() -> Response:
    """Answer 204."""
    return Response(status_code=204)


def _parse(raw: bytes) -> Any:  # noqa: ANN401 - JSON
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(body, dict | list):
        raise ApiError(400, "Body should be a JSON object")
    return body


def _conditional(request: Request, response: Response) -> Response:
    if request.method != "GET" or response.status_code != 200:
        return response
    tag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
    return response
