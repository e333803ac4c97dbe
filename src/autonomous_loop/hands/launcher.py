"""The child side: starts processes; each gives up what the hands must not have, then becomes its command.

Run once, before anything foreign, as `<python> -I -S launcher.py <fd> [fence]`: `fd` is a socket of the
loop's, and each message on it starts a process or asks whether any is left (see `serve`); with `fence` no
process reaches more than loopback. It imports nothing but the standard library and `fence.py` beside it,
holds nothing secret, and is the only code that is root on the hands' side; any step that fails ends the new
process before its command starts (exit code 126, the reason on standard error).

Every process of the hands descends from this one, orphans come back to it, and it waits for all of them: it
knows exactly whether one is left.

Sources: prctl(2), capabilities(7), landlock(7), the kernel's include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import NoReturn, TypedDict

if __package__:
    from autonomous_loop.hands import fence
else:  # run by its path, with nothing but the standard library to import from
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib doubles the start-up
    import fence  # type: ignore[import-not-found, no-redef]  # the same file

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# Messages: START comes with five descriptors: the spec (JSON), standard input, output and error, and a socket
# for this one process, on which its exit status is answered and KILL ends its process group.
START, ANYONE, KILL = b"s", b"?", b"k"
EXIT_SETUP_FAILED = 126
EXIT_NOT_FOUND = 127

# System calls that libc has no wrapper for; the same numbers on every architecture (unified since Linux 5.1).
SYS_LANDLOCK_CREATE_RULESET = 444
SYS_LANDLOCK_ADD_RULE = 445
SYS_LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE = 1 << 14
# How many file rights each version of the interface knows (bits from 0). IOCTL_DEV (bit 15, version 5) is
# left out: devices that are not listed cannot be opened at all.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15}
SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL = 1, 2
ABI_WITH_SCOPES = 6


class Landlock(TypedDict):
    """Paths the command may use; those that do not exist or cannot be reached are left out."""

    read: list[str]
    write: list[str]


class Spec(TypedDict):
    """What to become.

    Attributes:
        argv: the command; empty: instead kill every process of `uid` (nothing else is done).
        env: exactly the environment of the command.
        cwd: where it starts.
        uid: user and group id to become; None: stay who we are.
        landlock: None where the kernel has none.
        limits: RLIMIT name (without the prefix) -> soft and hard limit.
    """

    argv: list[str]
    env: dict[str, str]
    cwd: str
    uid: int | None
    landlock: Landlock | None
    limits: dict[str, int]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int = 0, argument2: int = 0) -> None:
    """Call the kernel's prctl, its last two arguments 0.

    Raises:
        OSError: as the kernel answers.
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
    """The version of Landlock this kernel has; 0 for none, or for one that is switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return _landlock_call(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    except OSError:
        return 0


def restrict_files(rules: Landlock) -> None:
    """Take away every file but those of `rules`, for this process and all it will ever start.

    Where the kernel can (version 6), signals and abstract sockets reach no process outside either.
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


def become(uid: int) -> None:
    """Give up root for good: no capability is left, now or after an exec."""
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
    # struct __user_cap_header_struct (version 3, this process) and two empty __user_cap_data_struct: the
    # inheritable set is the only one that setresuid leaves.
    if _libc().capset(struct.pack("=Ii", 0x20080522, 0), bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (uid, uid, uid) or os.getgroups():
        raise OSError(0, "the uid was not given up")


def kill_everything(uid: int | None) -> None:
    """SIGKILL to every process of `uid`, which this one has become, but itself.

    The kernel walks them all under one lock: nothing forks away. Once, as zombies would answer for ever.
    """
    if not uid or os.geteuid() != uid:  # as root, or as a person, it would end the machine's or their own
        raise OSError(errno.EPERM, "only a user of the hands' own is ended as a whole")
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901
        resource.setrlimit(kind, (value, value))


def launch(spec: Spec, *, parent: int, handover: socket.socket | None = None) -> NoReturn:
    """Give up, restrict, exec.

    Args:
        parent: the process whose end ends the command.
        handover: takes the fence's listener; None: no fence.
    """
    try:
        _limit(spec["limits"])
        os.umask(0o022)
        if sys.platform == "linux":
            prctl(PR_SET_NO_NEW_PRIVS, 1)
        if spec["uid"] is not None:
            become(spec["uid"])
        if not spec["argv"]:
            # Not under Landlock: its scope would keep the signals in.
            kill_everything(spec["uid"])
            os._exit(0)
        if spec["landlock"] is not None:
            restrict_files(spec["landlock"])
        if handover is not None:
            socket.send_fds(handover, [START], [fence.build()])
        _die_with(parent)  # after the change of user, which clears it
        os.chdir(spec["cwd"])
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these; what it executes must not
            signal.signal(number, signal.SIG_DFL)
    except OSError as error:
        _fail(EXIT_SETUP_FAILED, f"the hands could not be set up: {error}")
    try:
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - becoming the command is the aim
    except FileNotFoundError:
        _fail(EXIT_NOT_FOUND, f"{spec['argv'][0]}: command not found")
    except (OSError, ValueError) as error:
        _fail(EXIT_SETUP_FAILED, f"{spec['argv'][0]}: {error}")


def _die_with(parent: int) -> None:
    """When the loop dies, its launcher ends, and so does the command."""
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the signal was asked for
        os._exit(EXIT_SETUP_FAILED)


def _fail(code: int, message: str) -> NoReturn:
    os.write(2, f"{message}\n".encode())
    os._exit(code)


def _child(descriptors: list[int], parent: int, handover: socket.socket | None) -> NoReturn:
    """What the forked process does: a session of its own, its standard streams, nothing else open."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with os.fdopen(descriptors[0], "rb") as file:
            spec: Spec = json.load(file)
        for number in range(3):
            os.dup2(descriptors[number + 1], number)
        if handover is not None:
            os.dup2(handover.detach(), 3, inheritable=False)
            handover = socket.socket(fileno=3)
        os.closerange(3 if handover is None else 4, 65536)
        launch(spec, parent=parent, handover=handover)
    finally:  # whatever happens, this process never goes on as the launcher
        os._exit(EXIT_SETUP_FAILED)


class _Launcher:
    """The running processes, each with the loop's end of its socket; with a fence round each if `fenced`."""

    def __init__(self, control: socket.socket, *, fenced: bool) -> None:
        self._control = control
        self._fenced = fenced
        self._over = False
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Until the loop closes its end, or dies."""
        if sys.platform == "linux":
            prctl(PR_SET_CHILD_SUBREAPER, 1)
        wake, wakeup = os.pipe()
        for end in (wake, wakeup):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._when_readable(self._control, self._obey)
        self._when_readable(wake, lambda: self._woken(wake))
        while not self._over:
            for key, _ in self._selector.select():
                key.data()

    def _when_readable(self, end: socket.socket | int, then: Callable[[], object]) -> None:
        self._selector.register(end, selectors.EVENT_READ, then)

    def _woken(self, wake: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 65536)
        self._reap()

    def end(self) -> None:
        """Nobody outlives the loop."""
        for pid in self._sockets:
            _kill_group(pid)

    def _obey(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 5)
        if message == ANYONE:
            self._control.sendall(b"y" if self._reap() else b"n")
        elif message == START and len(descriptors) == 5:
            parent = os.getpid()
            ours, theirs = socket.socketpair() if self._fenced else (None, None)
            pid = os.fork()
            if pid == 0:
                _child(descriptors, parent, theirs)
            for descriptor in descriptors[:4]:
                os.close(descriptor)
            self._sockets[pid] = socket.socket(fileno=descriptors[4])
            self._when_readable(self._sockets[pid], lambda: self._hear(pid))
            if ours is not None and theirs is not None:
                theirs.close()
                self._when_readable(ours, lambda: self._take_listener(ours))
        elif not message:
            self._over = True

    def _take_listener(self, handover: socket.socket) -> None:
        """A new process's fence is up (or it ended before that)."""
        _, listeners, _, _ = socket.recv_fds(handover, 1, 1)
        self._selector.unregister(handover)
        handover.close()
        for listener in listeners:
            self._when_readable(listener, lambda: self._guard(listener))  # noqa: B023 - there is one at most

    def _guard(self, listener: int) -> None:
        if not fence.answer(listener):
            self._selector.unregister(listener)
            os.close(listener)

    def _hear(self, pid: int) -> None:
        """KILL, or the loop has closed the socket: then it wants the process no more, either."""
        if pid not in self._sockets:  # it ended a moment ago
            return
        _kill_group(pid)
        if not self._sockets[pid].recv(1):
            self._forget(pid)

    def _reap(self) -> bool:
        """Wait for all that have ended. Whether somebody is left: a child, or who descends from one."""
        while True:
            pid = -1
            try:
                if hasattr(os, "waitid"):  # not on macOS before Python 3.13
                    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                    if found is None:
                        return True
                    pid = found.si_pid
                    self._end_group(pid)  # while its number is certainly its own: it is unwaited for
                pid, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid in self._sockets:
                with contextlib.suppress(OSError):
                    self._sockets[pid].sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                self._forget(pid)

    def _end_group(self, pid: int) -> None:
        """What a command leaves in its group ends with it."""
        if pid in self._sockets:
            _kill_group(pid)

    def _forget(self, pid: int) -> None:
        end = self._sockets.pop(pid)
        self._selector.unregister(end)
        end.close()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    """Serve the socket whose number is the first argument; the second is `fence` or missing."""
    launcher = _Launcher(socket.socket(fileno=int(sys.argv[1])), fenced=sys.argv[2:] == ["fence"])
    try:
        launcher.serve()
    finally:
        launcher.end()


if __name__ == "__main__":
    main()
