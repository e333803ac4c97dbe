"""A stand-in for a job container's end: when the first process ends, everything it started ends too.

Run as a script, with the standard library alone: `python -I -S container.py PIDFILE COMMAND...`. It starts
the command in a session of its own, passes SIGINT and SIGTERM on to it alone (as Docker does to PID 1), and
adopts orphans (a Linux subreaper), so that nothing outlives it, whatever session or user it moved to. SIGHUP,
or the death of the player that started it, kills all of it. Exit status: the command's; 128 + n when signal n
ended it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SWEEP_S = 5.0
"""How long the killed may take to go; one that hangs in the kernel is left behind."""


def main(arguments: list[str]) -> int:
    """Play one command to its end."""
    pidfile, command = Path(arguments[0]), arguments[1:]
    parent = os.getppid()
    # Blocked while the command starts: a signal that comes this early must reach it, not only us.
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGHUP)
    child = os.fork()
    if child == 0:
        _become(command, signals)
    with contextlib.suppress(OSError):  # its folder may be gone already: then nobody asks
        pidfile.write_text(str(child), encoding="ascii")
    # The player may have died before the death signal was armed.
    status = _watch(child, signals) if os.getppid() == parent else None
    _sweep(child)
    if status is None:
        return 128 + signal.SIGKILL
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(command: list[str], signals: set[signal.Signals]) -> None:
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, for itself
            signal.signal(ignored, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.execvp(command[0], command)  # noqa: S606 - the command is the caller's, no shell between
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _watch(child: int, signals: set[signal.Signals]) -> int | None:
    """The child's wait status; None when it has to be killed."""
    while True:
        match signal.sigwait(signals):
            case signal.SIGHUP:
                return None
            case signal.SIGCHLD:
                while True:
                    try:
                        pid, status = os.waitpid(-1, os.WNOHANG)
                    except ChildProcessError:
                        return None
                    if pid == child:
                        return status
                    if pid == 0:
                        break
            case other:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, other)


def _sweep(child: int) -> None:
    """Kill and reap until no descendant is left."""
    deadline = time.monotonic() + _SWEEP_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _descendants(root: int) -> list[int]:
    """Every process below `root`, by /proc; empty where there is none (the process group must do there)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat") if Path("/proc").is_dir() else ():
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name may hold blanks and parentheses: the fields are counted from its last one.
            parent = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found, frontier = [], [root]
    while frontier:
        below = children.get(frontier.pop(), [])
        found += below
        frontier += below
    return found


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # other systems have none
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
