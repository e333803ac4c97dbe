"""The loop's end of the launcher: starts processes in the sandbox and asks whether any is left."""

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
    """Starts the launcher, before any process of the sandbox exists, and talks to it.

    Args:
        fenced: no process reaches more than this machine's loopback; see `seccomp`.

    Attributes:
        started: the number of processes it was asked to start so far.
        pid: the launcher's process id; every process of the sandbox descends from it.
    """

    def __init__(self, *, fenced: bool = False) -> None:
        ours, theirs = socket.socketpair()
        self.started = 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the launcher
        try:
            # A new session: the loop, not the launcher, handles an interrupt from the terminal.
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
        """Start a process in its own session and process group.

        Args:
            spec: describes the process.
            streams: its standard input, output and error; the caller closes them.
            more: an extra descriptor for this process only (`launcher.MORE`); the caller closes it too.

        Returns:
            A socket. Sending `launcher.KILL` on it ends the process group. The exit status arrives on it as a
            line (-n: ended by signal n). It closes without one if the launcher is gone.

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
        """Return whether any started process or descendant is left, zombies included.

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
        """End the launcher by closing its socket."""
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
