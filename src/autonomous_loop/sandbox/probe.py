"""Tries, inside the sandbox (`python -I -S -c`), what must be impossible; prints what worked as JSON."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
SO_BINDTODEVICE, SO_BINDTOIFINDEX = 25, 62
SYS_IO_URING_SETUP = 425
OTHER_SOCKETS = (
    (socket.AF_INET, socket.SOCK_DGRAM),
    (socket.AF_INET, socket.SOCK_RAW),
    (socket.AF_INET6, socket.SOCK_STREAM),
    (socket.AF_INET6, socket.SOCK_DGRAM),
)


def works(attempt: Callable[[], object]) -> bool:
    """Return whether the attempt succeeds."""
    try:
        attempt()
    except OSError:
        return False
    return True


def read(path: str) -> None:
    """Open a file or list a folder."""
    if os.path.isdir(path):  # noqa: PTH112 - -S: as little as possible is imported
        os.listdir(path)  # noqa: PTH208 - the same
    else:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))


def attach(pid: int) -> None:
    """Attach to a process as its debugger."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ctypes.c_long(PTRACE_ATTACH), ctypes.c_int(pid), None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(pid, os.WUNTRACED)
    libc.ptrace(ctypes.c_long(PTRACE_DETACH), ctypes.c_int(pid), None, None)


def descriptors(pid: int) -> list[str]:
    """Return the paths of a process's open files; the numbers alone reveal nothing."""
    try:
        return [f"fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]  # noqa: PTH208 - the same
    except OSError:
        return []


def connect(path: str) -> None:
    """Connect to a Unix socket in the file system."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(path)


def privileges(own_user: int | None) -> list[str]:
    """Return the privileges that remain."""
    with open("/proc/self/status") as file:  # noqa: PTH123 - -S: as little as possible is imported
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    found = []
    if status["NoNewPrivs"].strip() != "1":
        found.append("more rights by setuid files: no_new_privs is off")
    if own_user is not None:
        if set(status["Uid"].split() + status["Gid"].split()) != {str(own_user)}:
            found.append("another user: " + status["Uid"])
        if status["Groups"].strip():
            found.append("groups: " + status["Groups"])
        sets = [name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status[name], 16)]
        found += [f"capabilities: {name} {status[name]}" for name in sets]
        if works(lambda: os.setuid(0)):
            found.append("root, by setuid(0)")
    return found


def outside(listener: Sequence[object]) -> list[str]:
    """Return what a process with the network filter can still reach.

    Args:
        listener: address and port of a listening socket of the loop that is not on loopback; empty: none.
    """
    found = []
    with socket.socket() as one:
        if one.getsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, 16) != b"lo\0":
            found.append("a socket that is not bound to loopback")
        for option, none in ((SO_BINDTODEVICE, b"\0"), (SO_BINDTOIFINDEX, bytes(4))):
            if works(lambda option=option, none=none: one.setsockopt(socket.SOL_SOCKET, option, none)):  # type: ignore[misc]
                found.append("a socket that loses its binding to loopback")
    for family, kind in OTHER_SOCKETS:
        if works(lambda family=family, kind=kind: socket.socket(family, kind).close()):  # type: ignore[misc]
            found.append(f"a socket of {family.name} and {kind.name}")
    if ctypes.CDLL(None).syscall(SYS_IO_URING_SETUP, 1, bytes(120)) >= 0:
        found.append("io_uring, which makes sockets of its own")
    if listener and works(lambda: socket.create_connection((str(listener[0]), listener[1]), 5).close()):  # type: ignore[arg-type]
        found.append(f"a TCP connection to {listener[0]}")
    return found


def probe(
    *, loop: int, paths: Sequence[str], sockets: Sequence[str], own_user: int | None, signals: bool
) -> list[str]:
    """Return descriptions of everything that could be reached."""
    found = privileges(own_user)
    for name in ("environ", "mem", "maps", "root", "cwd", *descriptors(loop)):
        if works(lambda name=name: read(f"/proc/{loop}/{name}")):  # type: ignore[misc]
            found.append(f"the loop's /proc/{loop}/{name}")
    if works(lambda: attach(loop)):
        found.append("the loop itself, by ptrace")
    if signals and works(lambda: os.kill(loop, 0)):
        found.append("the loop itself, by signals")
    found += [path for path in paths if works(lambda path=path: read(path))]  # type: ignore[misc]
    found += [f"the socket {path}" for path in sockets if works(lambda path=path: connect(path))]  # type: ignore[misc]
    return found


def main() -> None:
    """Print what could be reached, and the environment of this process."""
    environment = [f"{name}={value}" for name, value in os.environ.items()]
    request = json.loads(sys.argv[1])
    listener = request.pop("listener")
    beyond = outside(listener) if listener is not None else []
    print(json.dumps({"reached": probe(**request), "outside": beyond, "environment": environment}))  # noqa: T201


if __name__ == "__main__":
    main()
