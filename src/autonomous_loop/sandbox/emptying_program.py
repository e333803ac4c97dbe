"""Removes everything the sandbox can write; runs inside the sandbox, so it has no more rights than it.

Standard input is JSON; see `main`. If something cannot be removed, the program lists it on standard error and
exits with code 1. It imports nothing but the standard library.

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

AT_ONCE = 200  # arguments per command: a name can be 255 bytes long
IPC_RMID = 0
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
KEYCTL_CLEAR, KEYCTL_GET_PERSISTENT = 7, 22
OF_PROCESS, OF_USER, OF_USER_SESSION = -2, -4, -5
# Usually there is nothing to remove. The first walk (downwards) makes the user's folders accessible; the
# second one deletes from the bottom up.
REMOVE = """
user=$1; shift
[ -n "$(find "$@" -user "$user" -print -quit 2>/dev/null)" ] || exit 0
find "$@" -user "$user" -type d ! -perm -700 -exec chmod u+rwx {} \\; 2>/dev/null
find "$@" -depth -user "$user" -delete 2>/dev/null
find "$@" -user "$user" -print -quit >&2 2>/dev/null
"""


def empty(folder: str, keep: Iterable[str], user: int) -> list[str]:
    """Remove what `user` owns below a folder, except the names in `keep`; return what is left."""
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
    """Yield the number of each System V object that the user owns or created, and whether it is in use."""
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
    """Remove these objects except `keep` and, if others run as this user (`shared`), except those in use."""
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
    """Clear the user's keyrings: the kernel keeps them after the user's last process has ended."""
    number = SYS_KEYCTL.get(os.uname().machine)
    if number is None:
        return
    libc = ctypes.CDLL(None)
    persistent = libc.syscall(number, KEYCTL_GET_PERSISTENT, -1, OF_PROCESS)
    for ring in (OF_USER, OF_USER_SESSION, *((persistent,) if persistent > 0 else ())):
        libc.syscall(number, KEYCTL_CLEAR, ring)


def main() -> int:
    """Read the request from standard input and remove what it names.

    Its keys are `places` (folder -> names to keep), `objects` (kind -> numbers to keep), `shared` (others run
    as this user too) and `folders` (to create again).
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
