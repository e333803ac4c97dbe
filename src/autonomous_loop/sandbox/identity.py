"""Chooses the sandbox's user: a numeric id that owns nothing and that no other session uses."""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import secrets
from collections.abc import Sequence
from pathlib import Path

from autonomous_loop.errors import SandboxError

UIDS = range(58000, 59000)


class Identity:
    """The sandbox's user, locked until `release`.

    Attributes:
        uid: user and group id; None if the loop is not root and the sandbox runs as the loop's user.
    """

    def __init__(self, uid: int | None, lock: int | None) -> None:
        self.uid = uid
        self._lock = lock

    @classmethod
    def take(cls, *, lock_folder: Path, uids: Sequence[int] = UIDS) -> Identity:
        """Choose a free user and lock it against every other session on this machine.

        If the loop is not root, the sandbox runs as the loop's user. The search starts at a random id, so a
        new session rarely gets the user of a killed one and what that one left behind.

        Args:
            lock_folder: created if missing; only root may access it.
            uids: the ids to choose from.

        Raises:
            SandboxError: no id is free, or others than root can access the folder.
        """
        if os.geteuid() != 0:
            return cls(None, None)
        lock_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = lock_folder.lstat()
        if status.st_uid != 0 or status.st_mode & 0o077 or lock_folder.is_symlink():
            raise SandboxError(
                f"{lock_folder} keeps the locks of the hands' users, but others than root can use it.",
                hint=f"remove {lock_folder}, or make it root's with mode 0700.",
            )
        start = secrets.randbelow(len(uids))
        for uid in [*uids[start:], *uids[:start]]:
            lock = os.open(
                lock_folder / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            if _is_named(uid) or processes_of(uid):
                os.close(lock)
                continue
            return cls(uid, lock)
        raise SandboxError(
            f"no user id from {uids[0]} to {uids[-1]} is free for the hands.",
            hint="end the processes that run under these ids, or wait for the other sessions to end.",
        )

    def release(self) -> None:
        """Release the user for other sessions."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def processes_of(uid: int) -> list[int]:
    """Return the ids of a user's living processes (no zombies), by real user id."""
    return [pid for pid, state in states_of(uid).items() if state not in "ZX"]


def states_of(uid: int) -> dict[int, str]:
    """Return process id -> state letter (proc(5)) for every process of a user."""
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - called in loops: pathlib makes it three times slower
        if not name.isdigit():
            continue
        try:
            # The owner of the /proc folder does not help: it is root if the process is not dumpable.
            status = Path(f"/proc/{name}/status").read_bytes()
        except OSError:  # it ended meanwhile
            continue
        fields = dict(line.split(b":", 1) for line in status.splitlines() if b":" in line)
        if int(fields[b"Uid"].split()[0]) == uid:
            found[int(name)] = fields[b"State"].split()[0].decode()
    return found


def _is_named(uid: int) -> bool:
    for lookup in (pwd.getpwuid, grp.getgrgid):
        try:
            lookup(uid)
        except KeyError:
            continue
        return True
    return False
