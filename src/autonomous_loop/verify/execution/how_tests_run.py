"""Describes to people and to the model how tests run."""

from __future__ import annotations

import re
import shlex

from autonomous_loop.domain.work import HowTestsRun, SaidBy
from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.verify.commands import Commands
from autonomous_loop.verify.project.shell_words import split
from autonomous_loop.verify.runners.base import Step

# Programs that are found on the PATH, since which one is found decides what can be imported. A path in a
# command needs no lookup.
_NAMED = re.compile(r"python[\d.]*|pytest|py\.test|node")
_LOOK_S = 20.0


async def found_programs(sandbox: Sandbox, commands: Commands) -> tuple[tuple[str, str], ...]:
    """Return the absolute paths of interpreters and runners in the commands, as found in the sandbox."""
    steps = (*commands.test, *commands.browser)
    names = sorted({word for step in steps for word in split(step.command)[:1] if _NAMED.fullmatch(word)})
    found = []
    for name in names:
        done = await sandbox.run(["bash", "-c", 'command -v -- "$1"', "bash", name], timeout_s=_LOOK_S)
        if done.exit_code == 0 and done.text.startswith("/"):
            found.append((name, done.text.strip()))
    return tuple(found)


def told(commands: Commands, programs: tuple[tuple[str, str], ...], *, configured: bool) -> HowTestsRun:
    """Return the commands as texts."""
    test = (*commands.test, *(step for step in commands.browser if step not in commands.test))
    by: SaidBy = "guess" if any(step.guessed for step in commands.test) else "project"
    by = "configuration" if configured else "model" if commands.from_model else by
    return HowTestsRun(
        commands=tuple(map(_text, test)),
        suite=tuple(map(_text, commands.suite)),
        programs=programs,
        said_by=by,
    )


def _text(step: Step) -> str:
    return f"cd {shlex.quote(step.folder)} && {step.command}" if step.folder else step.command
