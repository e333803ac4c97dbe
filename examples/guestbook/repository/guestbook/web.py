"""Requests, responses and the server: all that is HTTP and not guestbook."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any, Protocol
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

MOST_BYTES = 64 * 1024  # of a form; a guestbook needs no more


@dataclass(frozen=True)
class Request:
    """What a browser asks for."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """What it gets."""

    body: str
    status: str = "200 OK"
    type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def redirect(address: str) -> Response:
    """Send the browser on, so that reloading the page sends no form twice."""
    return Response("", "303 See Other", headers={"Location": address})


class Application(Protocol):
    """Something that answers requests."""

    def respond(self, request: Request) -> Response:
        """Answer one request."""


def make_server(application: Application, port: int) -> WSGIServer:
    """A server on 127.0.0.1; port 0 takes a free one, which `server_port` then names."""
    server = _Server(("127.0.0.1", port), _QuietHandler)
    server.set_app(_wsgi(application))
    return server


def _wsgi(application: Application) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        # Read before refusing: a connection closed upon unread bytes takes the answer with it.
        form = environ["wsgi.input"].read(min(size, 16 * MOST_BYTES))
        if size > MOST_BYTES:
            response = Response("That is too much.", "413 Content Too Large", "text/plain; charset=utf-8")
        else:
            response = application.respond(_request(environ, form))
        body = response.body.encode()
        headers = {
            "Content-Type": response.type,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'self'",
            **response.headers,
        }
        start_response(response.status, list(headers.items()))
        return [body]

    return answer


def _request(environ: Mapping[str, Any], body: bytes) -> Request:
    # A browser sends line ends as CR LF, whatever its system uses.
    form = {key: value.replace("\r\n", "\n") for key, value in parse_qsl(body.decode(errors="replace"))}
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    return Request(environ["REQUEST_METHOD"], environ.get("PATH_INFO") or "/", query, form)


class _Server(ThreadingMixIn, WSGIServer):
    # A browser opens connections ahead of need; with one thread, they would hold up the others.
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a guestbook keeps no list of its visitors."""
