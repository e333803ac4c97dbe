"""One ASGI application on a thread of its own, on 127.0.0.1 and nowhere else."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

STARTUP_S = 10.0
SHUTDOWN_S = 5


class LocalServer:
    """Serves `app` on 127.0.0.1.

    Args:
        app: any ASGI application.
        port: 0 takes a free port; `url` tells which.
    """

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        # Bound here, so that the address is known (and an occupied port is an error) before anything runs.
        # The protocol is named: without it asyncio leaves TCP_NODELAY off, and every answer waits 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen(128)
        self._port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", timeout_graceful_shutdown=SHUTDOWN_S, access_log=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name=f"serve-{self._port}", daemon=True)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Return once connections are answered.

        Raises:
            TimeoutError: when the server did not come up.
        """
        self._thread.start()
        deadline = threading.Event()
        for _ in range(int(STARTUP_S / 0.01)):
            if self._server.started:
                return
            deadline.wait(0.01)
        raise TimeoutError(f"the local server on port {self._port} did not start within {STARTUP_S:.0f} s")

    def stop(self) -> None:
        """Let running answers finish for a moment, then close every connection."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(SHUTDOWN_S + 2)
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])
