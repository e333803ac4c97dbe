"""Watches files and folders of the sandbox with inotify: the kernel reports what was opened or changed.

The sandbox's own word is not needed. A watch is on the file itself. Another name of the file (a hard link), a
write through memory or a renamed parent folder makes no difference. The loop holds the descriptor. A program
in the sandbox adds the watches, since only it may walk these paths.

Sources: inotify(7).
"""

from __future__ import annotations

import array
import ctypes
import os
import struct
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from autonomous_loop.domain.work import CommandResult, Touched
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox import watch_program
from autonomous_loop.sandbox.launcher import MORE

PROGRAM = Path(watch_program.__file__).read_text(encoding="utf-8")
EVENT = struct.Struct("=iIII")  # struct inotify_event: watch, mask, cookie, length of the name
ENTRY_IS_FOLDER, OVERFLOW, UNMOUNTED, IGNORED = 0x4000_0000, 0x4000, 0x2000, 0x8000
AT_ONCE = 1 << 20
Run = Callable[[list[str], bytes, int], Awaitable[CommandResult]]


class Watch:
    """A set of watches on paths; empty at first.

    Args:
        run: runs the program in the sandbox with arguments, standard input and one more descriptor.
        temporary: a folder of the sandbox.
    """

    def __init__(self, run: Run, temporary: str) -> None:
        self._run = run
        self._temporary = temporary
        self._descriptor: int | None = None
        self._paths: dict[int, tuple[str, ...]] = {}
        self._folders: set[int] = set()
        self._pending: list[tuple[int, int, str]] = []

    async def add(self, files: Sequence[str], folders: Sequence[str]) -> bool:
        """Add watches; see `Sandbox.watch`."""
        if self._descriptor is None and not self._begin():
            return False
        assert self._descriptor is not None
        asked = [f"f{path}\0" for path in files] + [f"d{path or '.'}\0" for path in folders]
        paths = "".join(asked).encode("utf-8", "surrogateescape")
        try:
            done = await self._run([str(MORE), self._temporary], paths, self._descriptor)
        except SandboxCallError:
            done = CommandResult(exit_code=1, stdout=b"", stderr=b"", duration_s=0.0)
        numbers = array.array("i", done.stdout[: len(done.stdout) // 4 * 4])
        tried = numbers[0] if numbers else -1
        works = self._tells(tried)
        if done.exit_code != 0 or len(numbers) != 1 + len(asked) or min(numbers) < 0 or not works:
            self.close()  # inotify does not work here, or a limit was reached
            return False
        for number, path in zip(numbers[1:], [*files, *folders], strict=True):
            self._paths[number] = tuple({*self._paths.get(number, ()), path})
        self._folders.update(numbers[1 + len(files) :])
        return True

    def touched(self) -> Touched | None:
        """Return what was opened or changed since the last call; None: it may be anything."""
        if self._descriptor is None:
            return None
        files, entries, folders = set[str](), set[str](), set[str]()
        whole = True
        for number, mask, name in self._events():
            if mask & (OVERFLOW | UNMOUNTED):
                whole = False
            for path in self._paths.get(number, ()):
                if number not in self._folders:
                    files.add(path)
                elif not name:
                    folders.add(path)
                else:
                    there = f"{path}/{name}" if path else name
                    (folders if mask & ENTRY_IS_FOLDER else entries).add(there)
            if mask & IGNORED:
                self._paths.pop(number, None)
                self._folders.discard(number)
        return Touched(frozenset(files), frozenset(entries), frozenset(folders)) if whole else None

    def close(self) -> None:
        """Remove all watches."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None
        self._paths, self._folders, self._pending = {}, set(), []

    def _begin(self) -> bool:
        if sys.platform != "linux":
            return False
        descriptor = int(ctypes.CDLL(None).inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._descriptor = descriptor if descriptor >= 0 else None
        return self._descriptor is not None

    def _tells(self, tried: int) -> bool:
        """Return whether inotify reported the trial, as it does on all native file systems of the kernel."""
        self._pending = self._events()
        of_trial = [mask for number, mask, _ in self._pending if number == tried]
        return any(mask & watch_program.OPEN for mask in of_trial)

    def _events(self) -> list[tuple[int, int, str]]:
        """Return all events since the last call."""
        found, self._pending = self._pending, []
        while self._descriptor is not None:
            try:
                data = os.read(self._descriptor, AT_ONCE)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                number, mask, _, length = EVENT.unpack_from(data, at)
                name = data[at + EVENT.size : at + EVENT.size + length].rstrip(b"\0") if length else b""
                found.append((number, mask, name.decode("utf-8", "surrogateescape")))
                at += EVENT.size + length
        return found
