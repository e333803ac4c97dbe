"""`python -m scripted_model SCRIPT.yaml`: serve a script until interrupted."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from pathlib import Path

import click
import uvicorn

from scripted_model.errors import ScriptError
from scripted_model.script import load_script
from scripted_model.server import create_app


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
def main(script: Path, port: int) -> None:
    """Answer Anthropic's Messages API from SCRIPT, a YAML file (or a folder with a turns.yaml).

    Prints the address to use as ANTHROPIC_BASE_URL. Any API key is accepted.
    """
    try:
        app = create_app(load_script(script))
    except ScriptError as error:
        raise click.ClickException(str(error)) from None
    # Uvicorn closes its connections on either signal, then raises it again for the handler from before.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _listen(port) as listening, suppress(KeyboardInterrupt):
        click.echo(f"ANTHROPIC_BASE_URL=http://127.0.0.1:{listening.getsockname()[1]}")
        config = uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


def _listen(port: int) -> socket.socket:
    # Bound before the server runs: the address is known, and a taken port is an error at once. The protocol
    # is named because asyncio sets TCP_NODELAY only then; without it every answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise click.ClickException(f"port {port} cannot be used: {error.strerror}") from None
    listening.listen(128)
    return listening


if __name__ == "__main__":
    main(prog_name="python -m scripted_model")
