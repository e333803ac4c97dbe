"""One sandbox process as the loop sees it: start it, read its output, end its group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping
from functools import partial

from autonomous_loop.sandbox.launcher import KILL, Spec
from autonomous_loop.sandbox.starter import Starter

DRAIN_S = 0.5
END_S = 10.0


class Output:
    """Keeps the head and the tail of the output, never more than about twice `most` bytes in memory."""

    def __init__(self, most: int) -> None:
        self.total = 0
        self._most = most
        self._head = bytearray()
        self._tail = bytearray()

    @property
    def overflowed(self) -> bool:
        """Whether more was added than is kept."""
        return self.total > self._most

    def add(self, data: bytes) -> None:
        """Add the next piece."""
        self.total += len(data)
        room = self._most - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > self._most:
            del self._tail[: -(self._most // 2) or None]

    def value(self) -> bytes:
        """Return the kept bytes; a line replaces the middle if there were more than `most` bytes."""
        if not self.overflowed:
            return bytes(self._head)
        half = self._most // 2
        tail = bytes(self._head + self._tail)[-half:] if half else b""
        missing = self.total - 2 * half
        return bytes(self._head[:half]) + f"\n[... {missing} bytes left out ...]\n".encode() + tail


class _Pipe(asyncio.Protocol):
    """One end of a standard stream; passes data to `on_data` and calls `on_end` at its end."""

    def __init__(self, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._on_data = on_data
        self._on_end = on_end

    def data_received(self, data: bytes) -> None:
        self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_end()


class Child:
    """A process in the sandbox. Its output goes to `on_output(fd, data)` as it arrives."""

    def __init__(self, on_output: Callable[[int, bytes], None]) -> None:
        self.exit_code: int | None = None
        self._on_output = on_output
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._open = set[int]()
        self._outputs: dict[int, asyncio.BaseTransport] = {}
        self._input: asyncio.WriteTransport | None = None
        self._control: socket.socket | None = None
        self._report = bytearray()

    @classmethod
    async def start(
        cls,
        starter: Starter,
        spec: Spec,
        on_output: Callable[[int, bytes], None],
        *,
        stdin: bool,
        merge_stderr: bool,
        more: int | None = None,
    ) -> Child:
        """Start the process in its own session and process group; with `stdin` it takes input.

        Only this process gets `more`, an extra descriptor.

        Raises:
            SandboxCallError: the launcher is gone.
        """
        child = cls(on_output)
        theirs = list[int]()
        ours = list[int]()
        try:
            feed = _pipe(theirs, ours, 0) if stdin else None
            if feed is None:
                theirs.append(os.open(os.devnull, os.O_RDONLY))
            reads = {fd: _pipe(theirs, ours, 1) for fd in ((1,) if merge_stderr else (1, 2))}
            child._control = starter.start(spec, theirs if len(theirs) == 3 else [*theirs, theirs[1]], more)
            asyncio.get_running_loop().add_reader(child._control, child._hear)
            await child._connect(feed, reads, ours)
        except BaseException:
            child._close()
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return child

    @property
    def ended(self) -> bool:
        """Whether the process itself has ended; its children may still live."""
        return self._exited.is_set()

    def write(self, data: bytes) -> None:
        """Write to its standard input; data that an ended process does not read is dropped."""
        if self._input is not None and not self._input.is_closing():
            self._input.write(data)

    def end_input(self) -> None:
        """Close its standard input after everything written before."""
        if self._input is not None and not self._input.is_closing():
            self._input.write_eof()

    async def wait(self) -> None:
        """Wait until the process itself has ended, even if others still hold its pipes."""
        await self._exited.wait()

    def kill_group(self) -> None:
        """Send SIGKILL to its whole process group; after its end the launcher has already done so."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(KILL)

    async def end(self) -> None:
        """Kill the group, read what is left in the pipes, close them."""
        self.kill_group()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._exited.wait()
        # A process that left the group may hold the pipes for ever, so do not wait for it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._closed.wait()
        self._close()

    async def _connect(self, feed: int | None, reads: Mapping[int, int], ours: list[int]) -> None:
        loop = asyncio.get_running_loop()
        self._open = set(reads)
        for fd, descriptor in reads.items():
            # From here on the transport closes this descriptor.
            ours.remove(descriptor)
            made = partial(_Pipe, partial(self._on_output, fd), partial(self._lost, fd))
            self._outputs[fd], _ = await loop.connect_read_pipe(made, os.fdopen(descriptor, "rb", 0))
        if feed is not None:
            ours.remove(feed)
            self._input, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(feed, "wb", 0))

    def _lost(self, fd: int) -> None:
        """Note that the process, and everyone it passed the pipe to, closed it."""
        self._open.discard(fd)
        if not self._open:
            self._closed.set()

    def _hear(self) -> None:
        """Read the exit status from the launcher; if the launcher is gone, the process was killed with it."""
        control = self._control
        if control is None:
            return
        try:
            said = control.recv(64)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        self._report += said
        if said and not self._report.endswith(b"\n"):
            return
        code = int(self._report) if self._report.endswith(b"\n") else -signal.SIGKILL
        # Report signal n as a shell does: 128 + n.
        self.exit_code = code if code >= 0 else 128 - code
        self._hang_up()
        self._exited.set()

    def _hang_up(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None

    def _close(self) -> None:
        self._hang_up()
        for transport in (*self._outputs.values(), self._input):
            if transport is not None:
                transport.close()


def _pipe(theirs: list[int], ours: list[int], side: int) -> int:
    """Create a pipe; return the loop's end; `side` is the index of the process's end (0 reads, 1 writes)."""
    ends = os.pipe()
    theirs.append(ends[side])
    ours.append(ends[1 - side])
    return ends[1 - side]
