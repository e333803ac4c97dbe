"""The loop's end of the launcher: asks it to start processes of the hands, and whether any is left."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox.launcher import ANYONE, START, Spec

LAUNCHER = str(Path(__file__).with_name("launcher.py"))
END_S = 5.0


class Starter:
    """A launcher of the loop's own; begun before any process of the hands exists.

    Args:
        fenced: none of its processes reaches more than this machine's loopback; see `fence`.

    Attributes:
        started: how many processes it was asked to start so far.
        pid: of the launcher, from which every process of the hands descends.
    """

    def __init__(self, *, fenced: bool = False) -> None:
        ours, theirs = socket.socketpair()
        self.started = 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the launcher
        try:
            # A session of its own: a terminal's interrupt is the loop's to handle.
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", LAUNCHER, str(theirs.fileno())),
                    *(["fence"] if fenced else []),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                env={"PATH": os.defpath},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            self._errors.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        ours.settimeout(0)
        self._control = ours
        self._turn = asyncio.Lock()

    def start(self, spec: Spec, streams: Sequence[int], more: int | None = None) -> socket.socket:
        """Start a process in a session and process group of its own.

        Args:
            spec: what to become.
            streams: its standard input, output and error; they stay the caller's to close.
            more: a descriptor for it alone (`launcher.MORE`); the caller's, too.

        Returns:
            A socket: `launcher.KILL` on it ends the group; the exit status comes as a line (-n: by signal n).
            It closes without one when the launcher is gone.

        Raises:
            SandboxCallError: the launcher is gone.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs, tempfile.TemporaryFile() as file:
                file.write(json.dumps(spec).encode())
                file.seek(0)
                given = [file.fileno(), *streams, theirs.fileno(), *([] if more is None else [more])]
                socket.send_fds(self._control, [START], given)
        except OSError:
            ours.close()
            raise self._gone() from None
        self.started += 1
        ours.settimeout(0)
        return ours

    async def anyone(self) -> bool:
        """Whether any process it started, or a descendant of one, is left, zombies included.

        Raises:
            SandboxCallError: the launcher is gone.
        """
        loop = asyncio.get_running_loop()
        async with self._turn:
            try:
                await loop.sock_sendall(self._control, ANYONE)
                answer = await loop.sock_recv(self._control, 1)
            except OSError:
                answer = b""
        if not answer:
            raise self._gone()
        return answer == b"y"

    async def end(self) -> None:
        """End the launcher, by closing its socket."""
        self._control.close()
        try:
            await asyncio.to_thread(self._process.wait, END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._errors.close()

    def _gone(self) -> SandboxCallError:
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode("utf-8", "replace").strip()
        code = self._process.poll()
        return SandboxCallError(
            f"the hands' launcher ended (exit code {code}). {said}".strip(),
            hint="start the session again; out of memory is the likeliest cause.",
        )
