"""Drops rights of a sandbox process before it executes its command: files, privileges, resource limits.

Imports nothing but the standard library, because the launcher has nothing else.

Sources: prctl(2), capabilities(7), landlock(7), the kernel's include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from typing import TypedDict

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# System calls without a libc wrapper. Their numbers are the same on every architecture (since Linux 5.1).
SYS_LANDLOCK_CREATE_RULESET = 444
SYS_LANDLOCK_ADD_RULE = 445
SYS_LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_RULE_PATH_BENEATH = 1
# This number differs between architectures.
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
KEYCTL_JOIN_SESSION_KEYRING = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE = 1 << 14
# The number of file rights that each version of the interface knows (bits from 0). IOCTL_DEV (bit 15, version
# 5) is left out: devices that are not listed cannot be opened at all.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15}
SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL = 1, 2
ABI_WITH_SCOPES = 6


class Landlock(TypedDict):
    """Paths that the command may use. Paths that do not exist or cannot be reached are skipped."""

    read: list[str]
    write: list[str]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int = 0, argument2: int = 0) -> None:
    """Call the kernel's prctl with 0 as its last two arguments.

    Raises:
        OSError: the kernel's answer.
    """
    if _libc().prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(argument2), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def _landlock_call(number: int, *arguments: object) -> int:
    result = int(_libc().syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"landlock: {os.strerror(error)}")
    return result


def landlock_abi() -> int:
    """Return the kernel's Landlock version; 0 if Landlock is missing or switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return _landlock_call(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    except OSError:
        return 0


def restrict_files(rules: Landlock) -> None:
    """Deny all files except those in `rules`, for this process and all its descendants.

    If the kernel supports it (version 6), signals and abstract sockets cannot reach processes outside either.
    """
    abi = landlock_abi()
    handled = (1 << FILE_RIGHTS[min(abi, 3)]) - 1
    scopes = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL if abi >= ABI_WITH_SCOPES else 0
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped.
    attributes = struct.pack("=QQQ", handled, 0, scopes)[: 24 if scopes else 8]
    ruleset = _landlock_call(
        SYS_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
    )
    for path in rules["read"]:
        _allow(ruleset, path, (EXECUTE | READ_FILE | READ_DIR) & handled)
    for path in rules["write"]:
        _allow(ruleset, path, handled)
    _landlock_call(SYS_LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib would double the start-up time
        rights &= EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE
    # struct landlock_path_beneath_attr, packed: allowed_access, parent_fd.
    rule = struct.pack("=Qi", rights, beneath)
    _landlock_call(
        SYS_LANDLOCK_ADD_RULE,
        ctypes.c_int(ruleset),
        ctypes.c_int(LANDLOCK_RULE_PATH_BENEATH),
        rule,
        ctypes.c_uint(0),
    )
    os.close(beneath)


def leave_session_keys() -> None:
    """Replace the session keyring with a new one, so that no key survives from one command to the next.

    If the kernel or a container's seccomp filter blocks keys, no process has any.
    """
    if (number := SYS_KEYCTL.get(os.uname().machine)) is not None:
        _libc().syscall(ctypes.c_long(number), ctypes.c_int(KEYCTL_JOIN_SESSION_KEYRING), None)


def become(uid: int) -> None:
    """Give up root for good: no capability remains, neither now nor after an exec."""
    last = 0
    while True:  # drop the bounding set up to the last capability this kernel knows
        try:
            prctl(PR_CAPBSET_DROP, last)
        except OSError:
            break
        last += 1
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # struct __user_cap_header_struct (version 3, this process) and two empty __user_cap_data_struct.
    # setresuid clears every set but the inheritable one; this clears that one.
    if _libc().capset(struct.pack("=Ii", 0x20080522, 0), bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (uid, uid, uid) or os.getgroups():
        raise OSError(0, "the uid was not given up")


def kill_everything(uid: int | None) -> None:
    """Send SIGKILL to every process of `uid` except this one, which already runs as `uid`.

    The kernel walks all processes under one lock, so none escapes by forking. This runs once, since zombies
    would answer for ever.
    """
    if not uid or os.geteuid() != uid:  # as root, or as a person, it would end the machine's or their own
        raise OSError(errno.EPERM, "only a user of the hands' own is ended as a whole")
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def limit(limits: dict[str, int]) -> None:
    """Lower resource limits, named as RLIMIT without the prefix; never raise one."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901
        resource.setrlimit(kind, (value, value))
