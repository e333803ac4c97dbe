"""The sandbox's only way to the network when it is restricted: an HTTP proxy on loopback, run by the loop.

It connects to the listed hosts only. It supports CONNECT (https, git, wss) and plain HTTP with an absolute
URL in the request line. It resolves a name once, accepts only public internet addresses, and connects to the
very address that it checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from autonomous_loop.sandbox.network_policy import NetworkPolicy, is_name, is_public

HEAD_MOST = 64 << 10
HEAD_S = 30.0
CONNECT_S = 20.0
IDLE_S = 600.0
PIECE = 64 << 10
CONNECTIONS_MOST = 256
REPORTS_MOST = 20
# These headers apply only between the client and this proxy (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization"})


class _Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The proxy refuses the request; the client gets the HTTP status and the reason."""

    def __init__(self, status: str, why: str, asked: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.asked = asked


@dataclass(frozen=True, slots=True)
class _Asked:
    """The target of a request, and the bytes to send to it first (None for CONNECT)."""

    name: str
    port: int
    head: bytes | None


class Egress:
    """The proxy. Create it with `Egress.start`.

    Attributes:
        port: the port on 127.0.0.1.
    """

    def __init__(
        self,
        reach: NetworkPolicy,
        report: Callable[[str], None],
        may_connect: Callable[[str], bool] = is_public,
    ) -> None:
        self.port = 0
        self._reach = reach
        self._report = report
        self._may_connect = may_connect
        self._reported = set[str]()
        self._tasks = set[asyncio.Task[None]]()
        self._server: asyncio.Server | None = None

    @classmethod
    async def start(
        cls,
        reach: NetworkPolicy,
        report: Callable[[str], None],
        *,
        may_connect: Callable[[str], bool] = is_public,
    ) -> Self:
        """Listen on a free port.

        Args:
            reach: the listed hosts.
            report: called once for each refused host.
            may_connect: decides whether the proxy may connect to an address.
        """
        egress = cls(reach, report, may_connect)
        egress._server = await asyncio.start_server(egress._serve, "127.0.0.1", 0, limit=HEAD_MOST)
        egress.port = egress._server.sockets[0].getsockname()[1]
        return egress

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point tools in the sandbox (curl, git, pip, npm, cargo, go, Chromium) here."""
        url = f"http://127.0.0.1:{self.port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        # Node's built-in fetch uses no proxy without this variable.
        return dict.fromkeys(names, url) | LOCAL_DIRECTLY | {"NODE_USE_ENV_PROXY": "1"}

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.CancelledError):  # a connection broke, or the proxy is closing
            pass
        finally:
            self._tasks.discard(task)
            await _end(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _asked(reader)
            there = await self._connect(asked)
        except _Refused as refused:
            self._note(refused)
            body = f"autonomous-loop: {refused}\n".encode()
            head = f"HTTP/1.1 {refused.status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
            return
        try:
            if asked.head is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there[1].write(asked.head)
            await _both_ways((reader, writer), there)
        finally:
            await _end(there[1])

    async def _connect(self, asked: _Asked) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        where = f"{asked.name}:{asked.port}"
        if len(self._tasks) > CONNECTIONS_MOST:
            raise _Refused("503 Service Unavailable", "too many connections at once")
        if not self._reach.allows(asked.name, asked.port):
            raise _Refused("403 Forbidden", f"{where} is not in allowed-hosts", asked=where)
        try:
            async with asyncio.timeout(CONNECT_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    asked.name, asked.port, type=socket.SOCK_STREAM
                )
                addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
                allowed = [address for address in addresses if self._may_connect(address)]
                if not allowed:
                    why = f"{where} is at no address of the internet (private, local or metadata)"
                    raise _Refused("403 Forbidden", why, asked=where)
                return await _first_that_answers(allowed, asked.port)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise _Refused("502 Bad Gateway", f"{where} cannot be reached ({type(error).__name__})") from None

    def _note(self, refused: _Refused) -> None:
        """Report each host once, and only so many: code in the sandbox chooses the names."""
        if refused.asked and refused.asked not in self._reported and len(self._reported) < REPORTS_MOST:
            self._reported.add(refused.asked)
            self._report(f"the hands' network: {refused}")


LOCAL_DIRECTLY = {
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1"),
    # The restricted network has no IPv6, so servers that listen on "localhost" must not choose ::1.
    "NODE_OPTIONS": "--dns-result-order=ipv4first",
}


async def _asked(reader: asyncio.StreamReader) -> _Asked:
    """Read the head of one request.

    Raises:
        _Refused: this is not a valid proxy request.
    """
    try:
        async with asyncio.timeout(HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
        request, *fields = head[:-4].split(b"\r\n")
        method, target, version = request.decode("ascii").split(" ")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError):
        raise _bad_request() from None
    if method == "CONNECT":
        name, port = _host_and_port(f"//{target}", default=0)
        return _Asked(name, port, None)
    if not target.lower().startswith("http://"):
        raise _bad_request()
    name, port = _host_and_port(target, default=80)
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    replaced = HOP_BY_HOP | {b"host"}
    kept = [field for field in fields if field.partition(b":")[0].strip().lower() not in replaced]
    host = name if port == 80 else f"{name}:{port}"
    # Allow one request per connection, so that no second request is forwarded unread.
    lines = [f"{method} {path} {version}\r\nHost: {host}\r\nConnection: close".encode(), *kept]
    return _Asked(name, port, b"\r\n".join(lines) + b"\r\n\r\n")


def _host_and_port(url: str, *, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").removesuffix("."), parts.port or default
    except ValueError:
        raise _bad_request() from None
    if parts.username is not None or not port:
        raise _bad_request()
    if not is_name(name):
        raise _Refused("403 Forbidden", "only names of hosts are let through, no addresses")
    return name, port


def _bad_request() -> _Refused:
    return _Refused("400 Bad Request", "this is no request to a proxy")


async def _first_that_answers(
    addresses: list[str], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to one of these addresses; the name itself could resolve to another address by now."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(address, port, limit=PIECE)
    return await asyncio.open_connection(addresses[-1], port, limit=PIECE)


async def _both_ways(
    here: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    there: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_copy(here[0], there[1]))
        group.create_task(_copy(there[0], here[1]))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the reader ends, then signal end of file to the writer."""
    with contextlib.suppress(OSError, TimeoutError):
        while data := await asyncio.wait_for(reader.read(PIECE), IDLE_S):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()
