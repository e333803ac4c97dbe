"""Starts the sandbox's processes; each drops its rights, then executes its command.

The loop runs it once, before any foreign code, as `<python> -I -S launcher.py <fd> [fence]`. `fd` is a socket
of the loop. Each message on it starts a process or asks whether any is left (see `serve`). With `fence`, no
process reaches more than loopback. The launcher imports nothing but the standard library and its neighbours
`landlock.py` and `seccomp.py`. It holds no secret, and it is the only code in the sandbox that is root. If
any step fails, the new process ends before its command starts (exit code 126, the reason on standard error).

A command may be one of the loop's own Python programs. The new process then runs it in the interpreter that
it has from the fork, after it has dropped the same rights. Starting an interpreter costs more than most of
these programs do.

Every process of the sandbox descends from the launcher. Orphans are reparented to it, and it waits for all of
them, so it knows exactly whether one is left.
"""

from __future__ import annotations

import array  # noqa: F401 - this one and others are for the programs: the hands need not reach them
import base64
import contextlib
import fcntl
import glob  # noqa: F401
import json
import marshal
import mmap  # noqa: F401
import os
import selectors
import signal
import socket
import stat  # noqa: F401
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, TypedDict

if __package__:
    from autonomous_loop.sandbox import landlock, seccomp
else:  # run by its path, with nothing but the standard library to import from
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib doubles the start-up
    import landlock  # type: ignore[import-not-found, no-redef]  # the same file
    import seccomp  # type: ignore[import-not-found, no-redef]

# START carries five descriptors: the spec (JSON), standard input, output and error, and a socket for this one
# process. The launcher reports the exit status on that socket, and KILL on it ends the process group. The
# process, and nothing it starts, gets an optional sixth descriptor as MORE.
START, ANYONE, KILL = b"s", b"?", b"k"
HANDOVER, MORE = 3, 4
EXIT_SETUP_FAILED = 126
EXIT_NOT_FOUND = 127


class Spec(TypedDict):
    """Describes the process to start.

    Attributes:
        argv: the command; if empty, the process only kills every process of `uid`.
        program: a program of the loop, made by `compiled`, that gets `argv` as its arguments; if empty,
            `argv` is the command.
        env: the exact environment of the command.
        cwd: the folder it starts in.
        uid: user and group id to switch to; None: keep the current user.
        landlock: None if the kernel has no Landlock.
        limits: RLIMIT name (without the prefix) -> soft and hard limit.
    """

    argv: list[str]
    program: str
    env: dict[str, str]
    cwd: str
    uid: int | None
    landlock: landlock.Landlock | None
    limits: dict[str, int]


def launch(spec: Spec, *, parent: int, handover: socket.socket | None = None) -> NoReturn:
    """Drop privileges, restrict access, execute the command.

    Args:
        parent: when this process ends, the command ends too.
        handover: socket that takes the seccomp listener; None: no seccomp.
    """
    try:
        landlock.limit(spec["limits"])
        os.umask(0o022)
        if sys.platform == "linux":
            landlock.prctl(landlock.PR_SET_NO_NEW_PRIVS, 1)
            landlock.leave_session_keys()
        if spec["uid"] is not None:
            landlock.become(spec["uid"])
        if not spec["argv"]:
            # Do not apply Landlock here: its scope would block the signals.
            landlock.kill_everything(spec["uid"])
            os._exit(0)
        if spec["landlock"] is not None:
            landlock.restrict_files(spec["landlock"])
        if handover is not None:
            listener = seccomp.build()
            socket.send_fds(handover, [START], [listener])
            os.close(listener)  # a program goes on in this process
            handover.close()
        _die_with(parent)  # after the change of user, which clears it
        os.chdir(spec["cwd"])
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these; what it executes must not
            signal.signal(number, signal.SIG_DFL)
    except OSError as error:
        _fail(EXIT_SETUP_FAILED, f"the hands could not be set up: {error}")
    if spec["program"]:
        _run(spec)
    _become(spec)


def _become(spec: Spec) -> NoReturn:
    try:
        os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - becoming the command is the aim
    except FileNotFoundError:
        _fail(EXIT_NOT_FOUND, f"{spec['argv'][0]}: command not found")
    except (OSError, ValueError) as error:
        _fail(EXIT_SETUP_FAILED, f"{spec['argv'][0]}: {error}")


def compiled(source: str, name: str) -> str:
    """Compile a program for `Spec`; this interpreter must be the launcher's too.

    Args:
        name: the file name in tracebacks.
    """
    return base64.b64encode(marshal.dumps(compile(source, name, "exec"))).decode("ascii")


def _run(spec: Spec) -> NoReturn:
    os.environ.clear()
    os.environ.update(spec["env"])
    sys.argv = spec["argv"]
    code: object = 0
    try:
        exec(marshal.loads(base64.b64decode(spec["program"])), {"__name__": "__main__"})  # noqa: S102, S302 - ours
    except SystemExit as error:
        code = error.code or 0
    except BaseException:  # noqa: BLE001 - an interpreter ends by printing it
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _die_with(parent: int) -> None:
    """End with the parent: when the loop dies, its launcher ends, and so does the command."""
    if sys.platform == "linux":
        landlock.prctl(landlock.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before this process asked for the signal
        os._exit(EXIT_SETUP_FAILED)


def _fail(code: int, message: str) -> NoReturn:
    os.write(2, f"{message}\n".encode())
    os._exit(code)


def _child(descriptors: list[int], parent: int, handover: socket.socket | None) -> NoReturn:
    """Set up the forked process: its own session, its standard streams, no other open file."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with os.fdopen(descriptors[0], "rb") as file:
            spec: Spec = json.load(file)
        for number in range(3):
            os.dup2(descriptors[number + 1], number)
        kept = {HANDOVER: handover.detach() if handover else None, MORE: next(iter(descriptors[5:]), None)}
        # Move both descriptors out of each other's way first.
        high = {to: fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for to, fd in kept.items() if fd is not None}
        os.closerange(3, 64)
        for to, fd in high.items():
            os.dup2(fd, to, inheritable=False)
        os.closerange(MORE + 1, 65536)
        handover = socket.socket(fileno=HANDOVER) if HANDOVER in high else None
        launch(spec, parent=parent, handover=handover)
    finally:  # whatever happens, this process never goes on as the launcher
        os._exit(EXIT_SETUP_FAILED)


class _Launcher:
    """Keeps the running processes and the socket of each; with `fenced`, each gets the network filter."""

    def __init__(self, control: socket.socket, *, fenced: bool) -> None:
        self._control = control
        self._fenced = fenced
        self._over = False
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Serve until the loop closes its end or dies."""
        if sys.platform == "linux":
            landlock.prctl(landlock.PR_SET_CHILD_SUBREAPER, 1)
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
        """Kill all process groups, so that no process outlives the loop."""
        for pid in self._sockets:
            _kill_group(pid)

    def _obey(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 6)
        if message == ANYONE:
            self._control.sendall(b"y" if self._reap() else b"n")
        elif message == START and len(descriptors) >= 5:
            parent = os.getpid()
            ours, theirs = socket.socketpair() if self._fenced else (None, None)
            pid = os.fork()
            if pid == 0:
                _child(descriptors, parent, theirs)
            for descriptor in (*descriptors[:4], *descriptors[5:]):
                os.close(descriptor)
            self._sockets[pid] = socket.socket(fileno=descriptors[4])
            self._when_readable(self._sockets[pid], lambda: self._hear(pid))
            if ours is not None and theirs is not None:
                theirs.close()
                self._when_readable(ours, lambda: self._take_listener(ours))
        elif not message:
            self._over = True

    def _take_listener(self, handover: socket.socket) -> None:
        """Take over the seccomp listener of a new process, unless the process has already ended."""
        _, listeners, _, _ = socket.recv_fds(handover, 1, 1)
        self._selector.unregister(handover)
        handover.close()
        for listener in listeners:
            self._when_readable(listener, lambda: self._guard(listener))  # noqa: B023 - there is one at most

    def _guard(self, listener: int) -> None:
        if not seccomp.answer(listener):
            self._selector.unregister(listener)
            os.close(listener)

    def _hear(self, pid: int) -> None:
        """Handle KILL or a closed socket; a closed socket means that the loop no longer wants the process."""
        if pid not in self._sockets:  # the process ended a moment ago
            return
        _kill_group(pid)
        if not self._sockets[pid].recv(1):
            self._forget(pid)

    def _reap(self) -> bool:
        """Wait for all ended processes; return whether any child or descendant is left."""
        while True:
            pid = -1
            try:
                if hasattr(os, "waitid"):  # not on macOS before Python 3.13
                    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                    if found is None:
                        return True
                    pid = found.si_pid
                    self._end_group(pid)  # before the wait, while no other process can have its id
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
        """End the processes that a command leaves in its group."""
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
