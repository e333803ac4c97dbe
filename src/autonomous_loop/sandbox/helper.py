"""Runs one of the loop's own programs in the sandbox; each request and each answer is one JSON line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from autonomous_loop.errors import DeadlineError, SandboxCallError
from autonomous_loop.sandbox.process import Child

SLACK = 65536


class Helper:
    """Starts the program at the first request and again after it ended. Its answers are untrusted.

    Any code in the sandbox could have produced them.

    Args:
        name: name of the program in messages.
        argv: the command.
        start: starts a process in the sandbox with standard input.
    """

    def __init__(self, name: str, argv: Sequence[str], start: Callable[..., Awaitable[Child]]) -> None:
        self._name = name
        self._argv = argv
        self._start = start
        self._child: Child | None = None
        self._line = bytearray()
        self._errors = b""
        self._most = SLACK
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()

    async def ask(self, request: Mapping[str, object], *, most: int, timeout_s: float) -> dict[str, Any]:
        """Send a request and return the answer, a line of at most about `most` bytes.

        Raises:
            SandboxCallError: the program refused ("refused" in the answer), died, or sent something else.
            DeadlineError: no answer arrived in time.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(timeout_s):
                    answer = await self._answer(request, most + SLACK)
            except TimeoutError:
                await self._end()
                raise DeadlineError(f"{self._name} did not answer within {timeout_s:g} s.") from None
            except BaseException:
                await self._end()
                raise
        if "refused" in answer:
            raise SandboxCallError(str(answer["refused"]))
        return answer

    async def end(self) -> None:
        """End the program; the next request starts it again."""
        async with self._turn:
            await self._end()

    async def _answer(self, request: Mapping[str, object], most: int) -> dict[str, Any]:
        if self._child is None or self._child.ended:
            await self._end()
            self._errors = b""
            self._child = await self._start(self._argv, self._take)
        child = self._child
        self._most = most
        self._line.clear()
        child.write(json.dumps(request).encode() + b"\n")
        gone = asyncio.ensure_future(child.wait())
        try:
            while not self._line.endswith(b"\n"):
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait([news, gone], return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if gone.done():
                    said = self._errors.decode("utf-8", "backslashreplace").strip()[-2000:]
                    raise SandboxCallError(f"{self._name} ended with exit code {child.exit_code}: {said}")
                if len(self._line) > most:
                    raise SandboxCallError(f"{self._name} answered more than {most} bytes.")
        finally:
            gone.cancel()
        line = bytes(self._line)
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise SandboxCallError(f"{self._name} answered something that is not a JSON object.")
        return answer

    def _take(self, fd: int, data: bytes) -> None:
        if fd == 1:
            if len(self._line) <= self._most:
                self._line += data
        else:
            self._errors = (self._errors + data)[-4096:]
        self._news.set()

    async def _end(self) -> None:
        if self._child is not None:
            await self._child.end()
            self._child = None
