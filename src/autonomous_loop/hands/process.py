"""One process of the hands seen by the loop: started by the launcher, read while it runs, ended by group."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from autonomous_loop.hands.launcher import Spec

LAUNCHER = str(Path(__file__).with_name("launcher.py"))
DRAIN_S = 0.5
END_S = 10.0


class Output:
    """Keeps the head and the tail of what is added, never more than about twice `most` bytes in memory."""

    def __init__(self, most: int) -> None:
        self.total = 0
        self._most = most
        self._head = bytearray()
        self._tail = bytearray()

    @property
    def overflowed(self) -> bool:
        """More was added than is kept."""
        return self.total > self._most

    def add(self, data: bytes) -> None:
        """Take the next piece."""
        self.total += len(data)
        room = self._most - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > self._most:
            del self._tail[: -(self._most // 2) or None]

    def value(self) -> bytes:
        """What is kept, with a line in place of the middle where there was more than `most` bytes."""
        if not self.overflowed:
            return bytes(self._head)
        half = self._most // 2
        tail = bytes(self._head + self._tail)[-half:] if half else b""
        missing = self.total - 2 * half
        return bytes(self._head[:half]) + f"\n[... {missing} bytes left out ...]\n".encode() + tail


class Child(asyncio.SubprocessProtocol):
    """A process started by the launcher. What it prints goes to `on_output(fd, data)` as it comes."""

    def __init__(self, on_output: Callable[[int, bytes], None]) -> None:
        self.exit_code: int | None = None
        self.pid = 0
        self._on_output = on_output
        self._on_exit: list[Callable[[], None]] = []
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._open_pipes = set[int]()
        self._group_killed = False

    @classmethod
    async def start(
        cls, spec: Spec, on_output: Callable[[int, bytes], None], *, stdin: bool, merge_stderr: bool
    ) -> Child:
        """Start it in a session and process group of its own; with `stdin` its standard input can be fed."""
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(spec).encode())
            file.seek(0)
            _, child = await asyncio.get_running_loop().subprocess_exec(
                lambda: cls(on_output),
                *(sys.executable, "-I", "-S", LAUNCHER, str(file.fileno())),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
                cwd="/",
                env={"PATH": os.defpath},
                pass_fds=(file.fileno(),),
                start_new_session=True,
            )
        return child

    @property
    def ended(self) -> bool:
        """Whether the process itself has ended; what it started may live on."""
        return self._exited.is_set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: it was started."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self.pid = self._transport.get_pid()
        self._open_pipes = {fd for fd in (1, 2) if self._transport.get_pipe_transport(fd) is not None}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """asyncio: it printed."""
        self._on_output(fd, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """asyncio: it, and everyone it gave the pipe to, closed it."""
        self._open_pipes.discard(fd)
        if not self._open_pipes:
            self._closed.set()

    def process_exited(self) -> None:
        """asyncio: the process itself ended."""
        code = self._transport.get_returncode()
        # A signal n is shown as a shell shows it: 128 + n.
        self.exit_code = code if code is None or code >= 0 else 128 - code
        self._exited.set()

    def write(self, data: bytes) -> None:
        """Feed its standard input; what a process that ended does not take is dropped."""
        pipe = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if pipe is not None and not pipe.is_closing():
            pipe.write(data)

    def end_input(self) -> None:
        """Close its standard input, after what was written."""
        pipe = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if pipe is not None:
            pipe.write_eof()

    async def wait(self) -> None:
        """Until the process itself has ended, whoever still holds its pipes."""
        await self._exited.wait()

    def kill_group(self) -> None:
        """SIGKILL to its whole process group. Once: later the number may be somebody else's."""
        if self._group_killed:
            return
        self._group_killed = self.ended
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill the group, take what is left in the pipes, close them."""
        self.kill_group()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._exited.wait()
        self.kill_group()
        # A process that left the group may hold the pipes for ever: do not wait for it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._closed.wait()
        self._transport.close()
