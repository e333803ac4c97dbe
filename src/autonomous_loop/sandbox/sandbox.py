"""The sandbox: one user, one folder, one environment, and the operations on them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from autonomous_loop.domain.work import BrowserResult, CommandResult, Touched
from autonomous_loop.errors import SandboxCallError, SandboxError
from autonomous_loop.sandbox import emptying, seccomp, watch
from autonomous_loop.sandbox.browser import Browser
from autonomous_loop.sandbox.emptying import Emptying
from autonomous_loop.sandbox.helper import Helper
from autonomous_loop.sandbox.identity import Identity
from autonomous_loop.sandbox.landlock import Landlock, landlock_abi
from autonomous_loop.sandbox.launcher import Spec, compiled
from autonomous_loop.sandbox.layout import (
    SYSTEM_PATH,
    environment,
    landlock_rules,
    lend_file,
    lock_folder,
    make_folder,
    readable_paths,
    remove_folder,
)
from autonomous_loop.sandbox.process import Child, Output
from autonomous_loop.sandbox.process_cleanup import end_everyone
from autonomous_loop.sandbox.shell import Shell
from autonomous_loop.sandbox.starter import Starter
from autonomous_loop.sandbox.toolchain import find_interpreter
from autonomous_loop.sandbox.watch import Watch

# POSIX message queues are set to 0. Landlock hides the file system that lists them, so nothing could find and
# remove them.
LIMITS = {"CORE": 0, "FSIZE": 4 << 30, "NOFILE": 4096, "MSGQUEUE": 0}
# NPROC counts all processes of a user. For a person's own user it would count their desktop too.
LIMITS_AS_OTHER_USER = {"NPROC": 1024}
STDERR_MOST = 65536
COURIER_S = 60.0
EMPTY_S = 120.0
KILL_S = 5.0
FIND_MOST_BYTES = 8 << 20
WATCHES_MOST_BYTES = 64 << 20


class ProcessSandbox:
    """The `Sandbox` port on this machine. Create it with `ProcessSandbox.create`.

    Attributes:
        uid: the sandbox's user; None: the loop's own user, isolated by Landlock.
        landlock: the Landlock version in force; 0: none.
        unsandboxed: a person agreed to run without isolation.
        fenced: the sandbox reaches nothing but this machine's loopback.
        environment: the complete environment of every command.
        python: an interpreter that the sandbox can run.
        at_close: ends services that only the sandbox used, after its last process has ended.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        starter: Starter,
        folder: Path,
        environment: Mapping[str, str],
        rules: Landlock | None,
        unsandboxed: bool,
        browser: tuple[str, str] | None,
        fenced: bool = False,
    ) -> None:
        self.uid = identity.uid
        self.landlock = landlock_abi() if rules is not None else 0
        self.unsandboxed = unsandboxed
        self.fenced = fenced
        self.environment = dict(environment)
        self.python = ""
        self._identity = identity
        self._starter = starter
        self._folder = folder
        self._rules = rules
        self._limits = LIMITS | (LIMITS_AS_OTHER_USER if identity.uid is not None else {})
        self._shell = Shell(lambda argv, on_output: self._start(argv, on_output, merge_stderr=True))
        program = str(folder / "browser_child.py")
        self._browser = Browser((browser[0], program, browser[1]) if browser else None, self._start)
        self._emptying = Emptying.before(
            folder / "sandbox", rules["write"] if rules is not None else None, shared=identity.uid is None
        )
        self._courier: Helper | None = None
        self._watch = Watch(self._put_watches, str(folder / "sandbox" / "tmp"))
        self._closed = False
        self.at_close: Callable[[], Awaitable[None]] | None = None

    @classmethod
    async def create(
        cls,
        *,
        base: Path | None,
        path: Sequence[str],
        env: Mapping[str, str],
        read_paths: Sequence[str],
        unsandboxed: bool,
        chrome_path: str | None,
        browser_python: str | None,
        fenced: bool = False,
    ) -> ProcessSandbox:
        """Choose a user, create the folder, find an interpreter.

        Args:
            base: where to create the sandbox's folder (None: the system's temporary folder); other users must
                be able to enter every folder above it.
            path: the sandbox's PATH; if empty, the system's folders.
            env: added to the allow-listed environment. Never a secret.
            read_paths: files and folders that the sandbox may read and execute besides the system's.
            unsandboxed: continue if the sandbox cannot be isolated.
            chrome_path: a Chromium or Chrome for the browser tool, and CHROME_PATH.
            browser_python: an interpreter with Playwright for the browser tool.
            fenced: the sandbox reaches nothing but this machine's loopback.

        Raises:
            SandboxError: the loop is not root and there is no Landlock; other users cannot enter a folder;
                there is no interpreter; or this machine cannot restrict the network.
        """
        if os.geteuid() != 0 and landlock_abi() == 0 and not unsandboxed:
            raise SandboxError(
                "the hands cannot be kept apart: the loop is not root, and this kernel has no Landlock.",
                hint="run as root (in the container image, say) or on Linux 5.13 or newer with Landlock on; "
                "if what the model runs may read everything you can, say --unsandboxed.",
            )
        if fenced and (reason := seccomp.why_not()):
            raise SandboxError(
                f"the network cannot be closed to the hands: {reason}.",
                hint="use Linux 5.14 or newer on x86_64 or aarch64, where seccomp is allowed; or set "
                "the input network (--network) to open, if the hands may reach everything.",
            )
        readable = readable_paths(read_paths, browser_python, chrome_path)
        identity = Identity.take(lock_folder=lock_folder())
        try:
            folder = make_folder(base, identity.uid)
        except BaseException:
            identity.release()
            raise
        starter = Starter(fenced=fenced)
        inner = folder / "sandbox"
        sandbox = cls(
            identity=identity,
            starter=starter,
            folder=folder,
            environment=environment(inner, path, chrome_path) | dict(env),
            rules=landlock_rules(folder, readable, own_user=identity.uid is not None)
            if landlock_abi()
            else None,
            unsandboxed=unsandboxed,
            browser=(browser_python, chrome_path) if browser_python and chrome_path else None,
            fenced=fenced,
        )
        try:
            await sandbox.empty()  # this user may still own things that a killed session left
            sandbox.python = await find_interpreter(
                lambda argv: sandbox.run(argv, timeout_s=15, cwd=str(inner))
            )
        except BaseException:
            await sandbox.close()
            raise
        return sandbox

    @property
    def started(self) -> int:
        """The number of processes started so far; see `Sandbox.started`."""
        return self._starter.started

    def lend(self, data: bytes) -> str:
        """Write a file that the sandbox may read but not change; see `Sandbox.lend`."""
        return lend_file(self._folder, data)

    @property
    def work(self) -> str:
        """The absolute path of the work tree."""
        return str(self._folder / "sandbox" / "work")

    @property
    def temporary(self) -> str:
        """The absolute path of the sandbox's TMPDIR."""
        return str(self._folder / "sandbox" / "tmp")

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        max_output: int = 1_000_000,
        merge_stderr: bool = True,
        program: str = "",
        more: int | None = None,
    ) -> CommandResult:
        """Run one command and end everything it leaves in its process group; see `Sandbox.run`.

        Only this command gets `more`, a descriptor of the loop, as `launcher.MORE`.
        """
        began = time.monotonic()
        output, errors = Output(max_output), Output(STDERR_MOST)
        too_much = asyncio.Event()

        def take(fd: int, data: bytes) -> None:
            (output if fd == 1 else errors).add(data)
            if output.overflowed and not merge_stderr:
                too_much.set()

        child = await self._start(
            argv,
            take,
            cwd=cwd,
            env=env,
            stdin=bool(stdin),
            merge_stderr=merge_stderr,
            program=program,
            more=more,
        )
        ends = [asyncio.ensure_future(child.wait()), asyncio.ensure_future(too_much.wait())]
        try:
            if stdin:
                child.write(stdin)
                child.end_input()
            await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            code = child.exit_code
        finally:
            for end in ends:
                end.cancel()
            await child.end()
        if output.overflowed and not merge_stderr:
            raise SandboxCallError(f"{argv[0]} printed more than {max_output} bytes, which must not be cut.")
        return CommandResult(
            exit_code=code,
            stdout=output.value(),
            stderr=errors.value(),
            truncated=output.overflowed or errors.overflowed,
            duration_s=time.monotonic() - began,
        )

    async def shell(self, command: str, *, timeout_s: float, max_output: int = 30_000) -> CommandResult:
        """Run `command` in the persistent bash; see `Sandbox.shell`."""
        return await self._shell.run(command, timeout_s=timeout_s, max_output=max_output)

    async def restart_shell(self) -> None:
        """End the persistent bash and its process group."""
        await self._shell.restart()

    async def read_file(self, path: str, *, max_bytes: int) -> bytes:
        """Return the bytes of a regular file in the sandbox's folder; see `Sandbox.read_file`."""
        answer = await self._carry({"do": "read", "most": max_bytes}, path, most=max_bytes * 4 // 3)
        try:
            data = base64.b64decode(answer["data"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise SandboxCallError(f"{path} cannot be read: the hands sent no data.") from None
        if len(data) > max_bytes:
            raise SandboxCallError(f"{path} cannot be read: it is larger than {max_bytes} bytes.")
        return data

    async def write_file(self, path: str, data: bytes) -> None:
        """Write a regular file in the sandbox's folder; see `Sandbox.write_file`."""
        await self._carry({"do": "write", "data": base64.b64encode(data).decode()}, path, most=0)

    async def find(self, folder: str, *, suffixes: Sequence[str], most: int) -> Sequence[str]:
        """List regular files below `folder`; see `Sandbox.find`. The paths begin with `folder`."""
        request = {"do": "find", "suffixes": list(suffixes), "most": most}
        answer = await self._carry(request, folder, most=FIND_MOST_BYTES)
        paths = [PurePosixPath(str(path)) for path in answer.get("paths", [])][:most]
        return sorted(
            str(folder / path) for path in paths if not path.is_absolute() and ".." not in path.parts
        )

    async def browse(
        self, action: str, *, url: str = "", selector: str = "", value: str = ""
    ) -> BrowserResult:
        """Perform one action of the browser tool; see `Sandbox.browse`."""
        return await self._browser.act(action, url=url, selector=selector, value=value)

    async def watch(self, files: Sequence[str], folders: Sequence[str]) -> bool:
        """Watch files and folders of the work tree; see `Sandbox.watch`."""
        return await self._watch.add(files, folders)

    def touched(self) -> Touched | None:
        """Return the watched paths that were opened or changed; see `Sandbox.touched`."""
        return self._watch.touched()

    async def end_all(self) -> None:
        """End every process of the sandbox; see `Sandbox.end_all`."""
        # Kill first and clean up afterwards: callers that wait for a command then learn that it ended.
        await end_everyone(self._starter, kill=self._kill_user if self.uid is not None else None)
        await self._shell.restart()
        await self._browser.end()
        if self._courier is not None:
            await self._courier.end()

    async def empty(self) -> None:
        """End every process and remove everything the sandbox can write; see `Sandbox.empty`."""
        await self._empty(again=True)

    async def _empty(self, *, again: bool) -> None:
        await self.end_all()
        done = await self.run(
            ["empty"],
            program=emptying.PROGRAM,
            timeout_s=EMPTY_S,
            cwd="/",
            env={"PATH": SYSTEM_PATH},
            stdin=self._emptying.request(again=again),
        )
        if done.exit_code != 0:
            said = done.text.strip()[-1_000:] or f"no end within {EMPTY_S:.0f} s"
            raise SandboxCallError(
                f"what the hands left behind cannot be removed: {said}",
                hint="remove it by hand, or run this on a fresh machine.",
            )

    async def close(self) -> None:
        """End everything, remove the sandbox's folder (as the sandbox's user), release the user."""
        if self._closed:
            return
        self._closed = True
        try:
            with contextlib.suppress(SandboxCallError):
                await self._empty(again=False)
            await self.end_all()
        finally:
            self._watch.close()
            await self._starter.end()
            remove_folder(self._folder)
            self._identity.release()
            if self.at_close is not None:
                await self.at_close()

    async def _carry(self, request: dict[str, object], path: str, *, most: int) -> dict[str, Any]:
        if self._courier is None:
            argv = [self.python, "-I", "-S", str(self._folder / "courier.py"), str(self._folder / "sandbox")]
            self._courier = Helper("the courier", argv, self._start)
        absolute = str(PurePosixPath(self.work) / path)
        try:
            return await self._courier.ask(request | {"path": absolute}, most=most, timeout_s=COURIER_S)
        except SandboxCallError as error:
            raise type(error)(f"{path} cannot be {_PAST[str(request['do'])]}: {error.message}") from None

    async def _put_watches(self, argv: list[str], stdin: bytes, descriptor: int) -> CommandResult:
        return await self.run(
            ["watch", *argv],
            program=watch.PROGRAM,
            timeout_s=COURIER_S,
            stdin=stdin,
            max_output=WATCHES_MOST_BYTES,
            merge_stderr=False,
            more=descriptor,
        )

    async def _kill_user(self) -> None:
        child = await self._start([], lambda *_: None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_S):
                await child.wait()
        await child.end()

    async def _start(
        self,
        argv: Sequence[str],
        on_output: Callable[[int, bytes], None],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bool = True,
        merge_stderr: bool = False,
        program: str = "",
        more: int | None = None,
    ) -> Child:
        spec = Spec(
            argv=list(argv),
            program=_compiled(program, argv[0]) if program else "",
            env=self.environment | dict(env or {}),
            cwd=str(PurePosixPath(self.work) / (cwd or "")) if argv else "/",
            uid=self.uid,
            landlock=self._rules,
            limits=self._limits,
        )
        return await Child.start(
            self._starter, spec, on_output, stdin=stdin, merge_stderr=merge_stderr, more=more
        )


_compiled = lru_cache(maxsize=16)(compiled)
_PAST = {"read": "read", "write": "written", "find": "searched"}
