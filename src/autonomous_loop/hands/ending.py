"""Ending every process of the hands, whatever group or session it moved itself to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import psutil

from autonomous_loop.errors import HandsError
from autonomous_loop.hands.identity import states_of

PATIENCE_S = 10.0
PAUSE_S = 0.01


async def end_user(uid: int, *, kill: Callable[[], Awaitable[object]], ours: Collection[int]) -> None:
    """End every process of a user.

    Args:
        uid: the hands'.
        kill: runs a helper that becomes the user and kills all it may.
        ours: children of this process that somebody else waits for.

    Raises:
        HandsError: some live on.
    """
    deadline = time.monotonic() + PATIENCE_S
    while living := [pid for pid, state in states_of(uid).items() if state not in "ZX"]:
        if time.monotonic() > deadline:
            raise _survivors(living)
        await kill()
        await asyncio.sleep(PAUSE_S)
    _reap([pid for pid in states_of(uid) if _parent(pid) == os.getpid() and pid not in ours])


async def end_descendants(*, marker: str, ours: Collection[int]) -> None:
    """Without a user of their own: end what descends from this process and is the hands'.

    This process must be a child subreaper, so that nothing gets away by losing its parent.

    Args:
        marker: the hands' TMPDIR, by which they are told from the loop's other children where
            no_new_privs does not tell (the loop has it itself).
        ours: children of this process that somebody else waits for.

    Raises:
        HandsError: some live on.
    """
    deadline = time.monotonic() + PATIENCE_S
    me = psutil.Process()
    while True:
        theirs = [child for child in me.children(recursive=True) if _is_hands(child, marker)]
        living = [child for child in theirs if _status(child) != psutil.STATUS_ZOMBIE]
        if not living:
            break
        if time.monotonic() > deadline:
            raise _survivors([child.pid for child in living])
        for child in living:
            with contextlib.suppress(psutil.Error):
                child.kill()
        await asyncio.sleep(PAUSE_S)
    _reap([child.pid for child in theirs if _parent(child.pid) == me.pid and child.pid not in ours])


def _survivors(pids: Collection[int]) -> HandsError:
    return HandsError(
        f"processes of the hands cannot be ended: {sorted(pids)}.",
        hint="they are probably stuck in the kernel (state D): end the job.",
    )


def _reap(zombies: Collection[int]) -> None:
    """Orphans that came to this process (pid 1 of a container, a subreaper) count until waited for."""
    for pid in zombies:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _parent(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).ppid()
    return -1


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.Error:
        return psutil.STATUS_ZOMBIE


def _is_hands(process: psutil.Process, marker: str) -> bool:
    """no_new_privs can be taken by nobody and is inherited by all; it is the launcher's first act."""
    if _no_new_privs("self") is False:
        return _no_new_privs(str(process.pid)) is True
    with contextlib.suppress(psutil.Error):
        return process.environ().get("TMPDIR") == marker
    return False


def _no_new_privs(pid: str) -> bool | None:
    try:
        return "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
