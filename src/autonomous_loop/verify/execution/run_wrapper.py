"""Wraps one test run in a single program; runs inside the sandbox (see `TestRunning`).

Before the tests it removes files of earlier runs, old reports and the project's bytecode, and writes canaries
and reporters. A stale .pyc would run new code in place of old, so no bytecode is written either. (A separate
cache folder for each run would do too, but Python would compile its own library again each time. Searching
bytecode everywhere takes long in a large tree, so only folders of the tree's own sources are cleaned.) After
the tests it removes the canaries and reports processes that still run. It finds them by an environment
variable that names the run. A browser or worker takes a moment to shut down, so it waits up to one second.

The tests print to standard error only. Standard output carries leftover processes and reports, one a line:
kind, name (ended by a zero byte), content in base64.

Arguments: the environment mark, the run's folder, the command for bash and its arguments. Standard input is
JSON; see `main`. The program imports nothing but the standard library.
"""

from __future__ import annotations

import base64
import contextlib
import glob
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterable
from typing import Any

NOT_STARTED = 126  # as a shell reports it
PATIENCE = 6
PAUSE_S = 0.2
AT_ONCE = 200  # arguments per command: a path can be 4,096 bytes long
CHUNK = 3 << 16  # divisible by 3, so base64 chunks can be joined


def remove(paths: Iterable[str]) -> None:
    """Remove existing paths like `rm -rf`; it follows no link, whatever was planted."""
    there = [path for path in paths if os.path.lexists(path)]
    for at in range(0, len(there), AT_ONCE):
        _wait(os.posix_spawnp("rm", ["rm", "-rf", "--", *there[at : at + AT_ONCE]], os.environ))


def plant(path: str, data: bytes) -> None:
    """Write a file and create its folders; a file that cannot be written will be missing after the run."""
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)


def expand(patterns: Iterable[str]) -> list[str]:
    """Expand shell patterns to existing paths; keep plain paths."""
    found = []
    for pattern in patterns:
        if any(sign in pattern for sign in "*?["):
            found += sorted(glob.glob(pattern))
        else:
            found.append(pattern)
    return found


def run_tests(command: str, arguments: list[str], mark: str) -> int:
    """Run the tests and return their exit code as a shell reports it."""
    name, _, value = mark.partition("=")
    # A signal to the whole group is for the tests to handle; the processes started here get the default.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        pid = os.posix_spawnp(
            "bash",
            ["bash", "-c", command, "tests", *arguments],
            os.environ | {name: value},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, 2, 1),
            ],
        )
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
        return NOT_STARTED
    return _wait(pid)


def left_running(mark: bytes) -> list[str]:
    """Return ids of processes whose environment has the mark; empty if /proc is missing."""
    if not os.path.isdir("/proc"):
        return []
    for turn in range(PATIENCE):
        found = [pid for pid in os.listdir("/proc") if pid.isdigit() and mark in _words(pid, "environ")]
        if not found:
            break
        if turn < PATIENCE - 1:
            time.sleep(PAUSE_S)
    return found


def tell_report(path: str) -> None:
    """Pass a report on if it is a regular file or a link to one."""
    # Without O_NONBLOCK, opening a FIFO would block.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError), os.fdopen(os.open(path, flags), "rb") as file:
        # (Files that the kernel generates on reading have no size.)
        seen = os.fstat(file.fileno())
        if stat.S_ISREG(seen.st_mode) and seen.st_size:
            _tell("report", path, iter(lambda: file.read(CHUNK), b""))


def _words(pid: str, name: str) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def _wait(pid: int) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


def _tell(what: str, name: str, data: Iterable[bytes]) -> None:
    out = sys.stdout.buffer
    out.write(os.fsencode(f"{what} {name}") + b"\0")
    for chunk in data:
        out.write(base64.b64encode(chunk))
    out.write(b"\n")


def main() -> int:
    """Read `work` (the work tree), `stale` (in it), `reports`, `canaries`, `files` (by path) and run."""
    mark, folder, command, *arguments = sys.argv[1:]
    given: dict[str, Any] = json.load(sys.stdin)
    runs = os.path.dirname(folder)
    earlier = [f"{runs}/{name}" for name in os.listdir(runs) if name.startswith("run-")]
    beside = [f"{given['work']}/{path}" for path in given["stale"]]
    remove([*earlier, *expand(given["reports"]), *beside])
    os.makedirs(folder, exist_ok=True)
    for path, data in (given["canaries"] | given["files"]).items():
        plant(path, base64.b64decode(data))
    code = run_tests(command, arguments, mark)
    for path in given["canaries"]:
        with contextlib.suppress(OSError):
            os.unlink(path)
    for pid in left_running(os.fsencode(mark)):
        _tell("left", "-", [b" ".join(_words(pid, "cmdline")).replace(b"\n", b" ")])
    for path in expand(given["reports"]):
        tell_report(path)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
