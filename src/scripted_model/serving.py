"""The scripted model on a thread of its own, at an address of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from scripted_model.log import RequestLog
from scripted_model.script import Script
from scripted_model.server import create_app

SHUTDOWN_S = 5


@contextmanager
def serve(
    script: Script, *, port: int = 0, api_keys: frozenset[str] | None = None, log: RequestLog | None = None
) -> Iterator[str]:
    """Serve a script on 127.0.0.1; gives the address, to use as ANTHROPIC_BASE_URL.

    Args:
        script: what the model says.
        port: 0 takes a free one.
        api_keys: the keys it accepts; None: any.
        log: where requests are noted.

    Raises:
        OSError: the port is taken.
    """
    app = create_app(script, api_keys=api_keys, log=log)
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=SHUTDOWN_S
    )
    server = uvicorn.Server(config)
    with _listen(port) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="scripted-model", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(SHUTDOWN_S + 2)


def _listen(port: int) -> socket.socket:
    # Clients that come before the server is ready wait in this socket's queue. The protocol is named because
    # asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    listening.listen(128)
    return listening
