"""Empties whatever the hands can write: a program that runs as hands, so that it can do no more than they.

Standard input is JSON, see `main`. Exit code 1, and on standard error what is left, where something cannot be
removed. Imports nothing but the standard library.

Sources: sysvipc(7), proc(5) of /proc/sysvipc, keyctl(2), the kernel's include/uapi/linux/keyctl.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

AT_ONCE = 200  # arguments of a command: names can be 255 bytes long
IPC_RMID = 0
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
KEYCTL_CLEAR, KEYCTL_GET_PERSISTENT = 7, 22
OF_PROCESS, OF_USER, OF_USER_SESSION = -2, -4, -5
# Most often there is nothing. Folders of ours are opened on the way down; what is removed is found on the way
# up.
REMOVE = """
user=$1; shift
[ -n "$(find "$@" -user "$user" -print -quit 2>/dev/null)" ] || exit 0
find "$@" -user "$user" -type d ! -perm -700 -exec chmod u+rwx {} \\; 2>/dev/null
find "$@" -depth -user "$user" -delete 2>/dev/null
find "$@" -user "$user" -print -quit >&2 2>/dev/null
"""


def empty(folder: str, keep: Iterable[str], user: int) -> list[str]:
    """Remove what of `user` lies below a folder, but for the names in `keep`; what of it is left."""
    kept = frozenset(keep)
    there: list[str] = []
    with contextlib.suppress(OSError):
        there = [f"{folder.rstrip('/')}/{name}" for name in sorted(os.listdir(folder)) if name not in kept]
    parts = [there[at : at + AT_ONCE] for at in range(0, len(there), AT_ONCE)]
    return [line for part in parts for line in _remove(part, user)]


def _remove(paths: list[str], user: int) -> list[str]:
    reading, writing = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writing, 2), (os.POSIX_SPAWN_CLOSE, reading)]
    argv = ["sh", "-c", REMOVE, "sh", str(user), *paths]
    pid = os.posix_spawnp("sh", argv, os.environ, file_actions=actions)
    os.close(writing)
    with os.fdopen(reading, errors="backslashreplace") as said:
        left = said.read().splitlines()
    os.waitpid(pid, 0)
    return left


def objects(kind: str, user: int) -> Iterator[tuple[int, bool]]:
    """Those of System V that are the user's, or were made by it: their numbers, and whether one is in use."""
    try:
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            names, *rows = (line.split() for line in file)
    except (OSError, ValueError):
        return
    for row in rows:
        one = dict(zip(names, map(int, row), strict=False))
        if user in (one["uid"], one["cuid"]):
            yield one[names[1]], one.get("nattch", 0) > 0


def forget(kind: str, keep: Iterable[int], user: int, *, shared: bool) -> list[str]:
    """Remove them but for `keep`, and where others run as this user (`shared`), for those in use."""
    libc = ctypes.CDLL(None)
    ways = {
        "shm": lambda number: libc.shmctl(number, IPC_RMID, None),
        "sem": lambda number: libc.semctl(number, 0, IPC_RMID),
        "msg": lambda number: libc.msgctl(number, IPC_RMID, None),
    }
    kept = frozenset(keep)
    mine = [one for one, used in objects(kind, user) if one not in kept and not (shared and used)]
    return [f"{kind} {one} of System V" for one in mine if ways[kind](one) != 0]


def forget_keys() -> None:
    """Empty what the kernel keeps of keys for a user: it stays when their last process has ended."""
    number = SYS_KEYCTL.get(os.uname().machine)
    if number is None:
        return
    libc = ctypes.CDLL(None)
    persistent = libc.syscall(number, KEYCTL_GET_PERSISTENT, -1, OF_PROCESS)
    for ring in (OF_USER, OF_USER_SESSION, *((persistent,) if persistent > 0 else ())):
        libc.syscall(number, KEYCTL_CLEAR, ring)


def main() -> int:
    """Standard input: `places` (folder -> names to keep) and `objects` (kind -> numbers to keep).

    And `shared` (others run as this user too), `folders` (to be made again).
    """
    given: dict[str, Any] = json.load(sys.stdin)
    user = os.getuid()
    left = [line for folder, keep in given["places"].items() for line in empty(folder, keep, user)]
    for kind, keep in given["objects"].items():
        left += forget(kind, keep, user, shared=given["shared"])
    if not given["shared"]:
        forget_keys()
    for folder in given["folders"]:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    if left:
        print("\n".join(left[:10]), file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
