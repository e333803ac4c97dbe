"""`python -m scripted_model SCRIPT.yaml`: serve a script until interrupted."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from scripted_model.errors import ScriptError
from scripted_model.script import load_script
from scripted_model.serving import serve


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("script", type=click.Path(path_type=Path))
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
def main(script: Path, port: int) -> None:
    """Answer Anthropic's Messages API from SCRIPT, a YAML file (or a folder with a turns.yaml).

    Prints the address to use as ANTHROPIC_BASE_URL. Any API key is accepted. Ctrl-C ends it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with serve(load_script(script), port=port) as url:
            click.echo(f"ANTHROPIC_BASE_URL={url}")
            threading.Event().wait()
    except KeyboardInterrupt:
        return
    except ScriptError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used: {error.strerror}") from None


if __name__ == "__main__":
    main(prog_name="python -m scripted_model")
