"""Ends every process of the sandbox, whatever group or session it moved itself to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import psutil

from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox.starter import Starter

PATIENCE_S = 10.0
PAUSE_S = 0.002


async def end_everyone(starter: Starter, *, kill: Callable[[], Awaitable[object]] | None) -> None:
    """End every process that the launcher started, and all their descendants.

    Args:
        starter: the launcher; it adopts orphans (Linux), so no process escapes by losing its parent.
        kill: runs a helper that becomes the sandbox's own user and kills all its processes at once. None if
            there is no such user: the processes are killed one by one.

    Raises:
        SandboxCallError: some processes are still alive.
    """
    deadline = time.monotonic() + PATIENCE_S
    while await starter.anyone():
        if time.monotonic() > deadline:
            living = sorted(one.pid for one in _descendants(starter))
            raise SandboxCallError(
                f"processes of the hands cannot be ended: {living}.",
                hint="they are probably stuck in the kernel (state D): end the job.",
            )
        if kill is not None:
            await kill()
        else:
            for process in _descendants(starter):
                with contextlib.suppress(psutil.Error):
                    process.kill()
        await asyncio.sleep(PAUSE_S)


def _descendants(starter: Starter) -> list[psutil.Process]:
    try:
        return psutil.Process(starter.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
