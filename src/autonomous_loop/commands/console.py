"""Shared CLI output, signal handling and exit codes."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import click

from autonomous_loop.errors import LoopError, StopLoop, Superseded, UsageError, explain
from autonomous_loop.wiring.environment import environment, secrets_in

EXIT_LIMIT = 3
T = TypeVar("T")


async def interruptible(work: Coroutine[Any, Any, T], *, told: Callable[[], None] = lambda: None) -> T:
    """Run `work`; a first signal asks the session to save and end, since CI kills it a few seconds later.

    Args:
        told: called on a signal, even while git or GitHub blocks the event loop.
    """
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def stop(_number: int, _frame: object) -> None:
        told()
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return await task
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_with(
    work: Coroutine[Any, Any, int],
    *,
    as_json: bool,
    stopped: str = "stopped; what was proved is kept, run again to resume",
    fault: int = 1,
) -> NoReturn:
    """Run a command's work and exit with its code. An error is printed with what to do about it.

    Args:
        stopped: message for a person who stopped it.
        fault: the exit code for an error, where 1 would be a verdict.
    """
    gc.enable()
    try:
        code = asyncio.run(work)
    except Superseded as error:
        if as_json:
            click.echo(json.dumps({"handoff_reason": "superseded", "why": clean(str(error))}))
        click.echo(f"{clean(str(error))}; nothing to do", err=True)
        code = 0
    except LoopError as error:
        if as_json:
            click.echo(json.dumps({"error": clean(error.message), "hint": clean(error.hint)}))
        click.echo(clean(f"autonomous-loop: {error}"), err=True)
        code = error.exit_code if isinstance(error, UsageError | StopLoop) else fault
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, not a traceback
        if as_json:
            click.echo(json.dumps({"error": clean(explain(error)), "hint": ""}))
        click.echo(clean(f"autonomous-loop: {explain(error)}"), err=True)
        code = fault
    except asyncio.CancelledError:
        click.echo(f"autonomous-loop: {stopped}", err=True)
        code = EXIT_LIMIT
    gc.freeze()  # or the collector visits every object once more, which takes half a second at exit
    sys.exit(code)


def say(text: str) -> None:
    """Print a message for a person on standard error."""
    click.echo(clean(f"autonomous-loop: {text}"), err=True)


def clean(text: str) -> str:
    """Redact text for a person, and make sure that a CI runner finds no workflow command in it."""
    from autonomous_loop.report.log import harmless  # noqa: PLC0415 - only on the way out
    from autonomous_loop.report.redactor import Redactor  # noqa: PLC0415 - the same

    return harmless(Redactor(secrets_in(environment())).text(text))


def pairs(settings: tuple[str, ...]) -> dict[str, str]:
    """Parse `KEY=VALUE` options.

    Raises:
        UsageError: an option has another form.
    """
    made = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting} is not KEY=VALUE", hint="for example --set max-usd=2.5")
        made[key] = value
    return made
