"""A program that runs as hands round one run of tests (see `TestRunning`): one process in place of many.

Before the tests: what earlier runs left goes, old reports go, and the project's bytecode goes (none is
written either): a stale .pyc is new code in place of old. (A cache folder of its own for each run would do as
well, but then Python compiles its own library anew each time; and to look for bytecode everywhere takes long
in a large tree: it lies beside the tree's own sources.) Canaries and reporters are written. After the tests:
the canaries go, and what still runs is noted, told by the environment, which names the run. Shutting down
takes a browser or a worker a moment: one second of patience.

The tests print to standard error alone; standard output carries what was left and the reports, a line each:
what, name (ended by a zero byte), content in base64.

Arguments: the mark in the environment, the run's folder, the command for bash and its arguments. Standard
input is JSON, see `main`. Imports nothing but the standard library.
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

NOT_STARTED = 126  # as a shell says it
PATIENCE = 6
PAUSE_S = 0.2
AT_ONCE = 200  # arguments of a command: paths can be 4,096 bytes long
CHUNK = 3 << 16  # what base64 makes of several can be joined


def remove(paths: Iterable[str]) -> None:
    """Remove what of these is there, as `rm -rf` does: whatever was planted, no link is followed."""
    there = [path for path in paths if os.path.lexists(path)]
    for at in range(0, len(there), AT_ONCE):
        _wait(os.posix_spawnp("rm", ["rm", "-rf", "--", *there[at : at + AT_ONCE]], os.environ))


def plant(path: str, data: bytes) -> None:
    """Write a file; folders on the way are made. One that cannot be written is missed after the run."""
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)


def expand(patterns: Iterable[str]) -> list[str]:
    """The paths that are there for patterns as a shell has them."""
    found = []
    for pattern in patterns:
        if any(sign in pattern for sign in "*?["):
            found += sorted(glob.glob(pattern))
        else:
            found.append(pattern)
    return found


def run_tests(command: str, arguments: list[str], mark: str) -> int:
    """The exit code of the tests, as a shell says it."""
    name, _, value = mark.partition("=")
    # What is sent to all of the tests' group is theirs to heed; what we start hears it by default.
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
    """Numbers of the processes whose environment bears the mark; none where nobody tells."""
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
    """Pass one on, where it is a regular file or a link to one."""
    # A FIFO would hold us without O_NONBLOCK.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError), os.fdopen(os.open(path, flags), "rb") as file:
        # (What the kernel makes up as it is read has no size.)
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
    """Standard input: `work` (the work tree), `stale` (in it), `reports`, `canaries`, `files` (by path)."""
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
