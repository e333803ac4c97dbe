"""The persistent bash in the sandbox."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox.process import Child, Output

BASH = ("bash", "--noprofile", "--norc")
# Descriptor 198 is the shell's way back to the loop. A command's streams are redirected only while it runs.
# So neither `exec >file` nor a command that reads standard input can take over the shell's streams.
_OPEN = b"exec 198>&1 2>&1\n"
_RUN = b"IFS= read -r -d '' __command\n%s\0eval \"$__command\" </dev/null >&198 2>&1 198>&-\n"
_DONE = b"builtin printf '\\0%%s:%%d\\0' %s \"$?\" >&198\n"
_GONE = b"\n[the shell ended; the next command starts a fresh one]\n"


class _Answer:
    """Splits the shell's output at the sentinel of the running command."""

    def __init__(self) -> None:
        self.output = Output(0)
        self.done = asyncio.Event()
        self.exit_code: int | None = None
        self._sentinel = b""
        self._rest = b""

    def expect(self, sentinel: bytes, most: int) -> None:
        """Expect a new command; output since the last one (of a background job) comes before its output."""
        between = self._rest
        self.output, self._sentinel, self._rest, self.exit_code = Output(most), sentinel, b"", None
        self.done.clear()
        self.add(1, between)

    def add(self, _: int, data: bytes) -> None:
        self._rest += data
        if not self._sentinel:
            self._rest = self._rest[-65536:]
            return
        before, mark, after = self._rest.partition(b"\0" + self._sentinel + b":")
        if not mark:  # all but a possible beginning of a sentinel
            keep = len(self._sentinel) + 1
            self.output.add(self._rest[:-keep])
            self._rest = self._rest[-keep:]
            return
        code, end, rest = after.partition(b"\0")
        if not end:
            return
        self.output.add(before)
        self.exit_code = int(code) if code.isdigit() else None
        self._sentinel, self._rest = b"", rest
        self.done.set()

    def flush(self) -> None:
        """Take the rest as output, because the shell is gone."""
        self.output.add(self._rest)
        self._sentinel, self._rest = b"", b""


class Shell:
    """A bash that keeps its folder and variables between commands.

    Args:
        start: starts a process in the sandbox with standard input and merged output streams.
    """

    def __init__(self, start: Callable[..., Awaitable[Child]]) -> None:
        self._start = start
        self._child: Child | None = None
        self._answer = _Answer()
        self._turn = asyncio.Lock()

    async def run(self, command: str, *, timeout_s: float, max_output: int) -> CommandResult:
        """Run `command`; see `Sandbox.shell`."""
        if "\0" in command:
            raise SandboxCallError(
                "a command cannot contain a NUL character.", hint="write it to a file instead."
            )
        async with self._turn:
            began = time.monotonic()
            child = await self._living()
            sentinel = secrets.token_hex(16).encode()
            self._answer.expect(sentinel, max_output)
            child.write(_RUN % command.encode() + _DONE % sentinel)
            over = [asyncio.ensure_future(self._answer.done.wait()), asyncio.ensure_future(child.wait())]
            try:
                await asyncio.wait(over, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await self._end()
                raise
            finally:
                for waiting in over:
                    waiting.cancel()
            code = self._answer.exit_code
            if not self._answer.done.is_set():
                code = await self._give_up(child)
            output = self._answer.output
            return CommandResult(
                exit_code=code,
                stdout=output.value(),
                truncated=output.overflowed,
                duration_s=time.monotonic() - began,
            )

    async def restart(self) -> None:
        """End the shell and its process group; the next command starts a new one."""
        async with self._turn:
            await self._end()

    async def _living(self) -> Child:
        if self._child is None or self._child.ended:
            await self._end()
            self._answer = _Answer()
            self._child = await self._start(BASH, self._answer.add)
            self._child.write(_OPEN)
        return self._child

    async def _give_up(self, child: Child) -> int | None:
        """Handle a command that ended its shell (return the exit code) or ran out of time (return None)."""
        ended = child.ended
        await self._end()
        if self._answer.done.is_set():  # the sentinel was still in the pipe
            return self._answer.exit_code
        self._answer.flush()
        if ended:
            self._answer.output.add(_GONE)
        return child.exit_code if ended else None

    async def _end(self) -> None:
        if self._child is not None:
            await self._child.end()
            self._child = None
