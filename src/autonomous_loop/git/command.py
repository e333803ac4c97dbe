"""The one way the loop runs git: in a bare repository of its own, with nothing inherited."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from autonomous_loop.errors import RepositoryError, ServiceError, TransientError

# Hooks, file system monitors, helpers and prompts run programs: none of them is ours. The repository is
# bare, so that no work tree, filter or attribute can be met (docs/architecture.md, "Root and the sandbox").
HARDENED = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "credential.helper=",
    "-c", "protocol.ext.allow=never",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "commit.gpgSign=false",
    "-c", "safe.directory=*",
)  # fmt: skip
NETWORK_TIMEOUT_S = 300.0
LOCAL_TIMEOUT_S = 120.0
PAUSES_S = (0.5, 2.0)
PATIENCE_S = 30.0  # what took so long is not asked for again
# What git and curl say of a network or a server that fails for a while (git has no exit code for it).
NETWORK = re.compile(
    r"could not resolve|failed to connect|connection (was )?(refused|reset|timed out)|timed? ?out"
    r"|returned error: (408|429|5\d\d)|hung up unexpectedly|early EOF|RPC failed|unexpected disconnect"
    r"|internal server error|SSL_(read|connect|ERROR)|empty reply",
    re.IGNORECASE,
)
T = TypeVar("T")


class GitError(ServiceError):
    """git ended with an error.

    Args:
        exit_code: of git.
        stderr: what it said; credentials travel by environment, so none can stand here.
    """

    def __init__(self, what: str, exit_code: int, stderr: str) -> None:
        super().__init__(f"git {what} failed ({exit_code}): {stderr.strip()[:2_000]}")
        self.exit_code = exit_code
        self.stderr = stderr


class LockedError(TransientError):
    """A lock of git is in the way.

    Args:
        file: the lock, as the machine calls it on which the refs stand.
    """

    def __init__(self, file: str) -> None:
        super().__init__(f"a lock of git is in the way: {file}")
        self.file = file


def failed(what: str, exit_code: int, stderr: str) -> GitError | TransientError:
    """The error for what git said: one that may pass by itself where it is the network's."""
    error = GitError(what, exit_code, stderr)
    return TransientError(error.message) if NETWORK.search(stderr) else error


def patiently(act: Callable[[], T]) -> T:
    """Do it again, twice at most, where the network failed: what is done may be done twice.

    Raises:
        TransientError: the network failed each time.
    """
    began = time.monotonic()
    for pause in PAUSES_S:
        try:
            return act()
        except TransientError:
            if time.monotonic() - began > PATIENCE_S:
                raise
            time.sleep(pause)
    return act()


class Git:
    """Runs git on one git folder.

    Args:
        git_dir: a bare repository (or the git folder of a project, for reading).
        home: a folder only the loop can read; git's HOME.
        path: the PATH git and its helpers are found on.
        auth: environment that carries credentials (`GIT_CONFIG_COUNT` and what belongs to it), or empty.
    """

    def __init__(
        self, git_dir: Path, *, home: Path, path: str, auth: Mapping[str, str] | None = None
    ) -> None:
        self.git_dir = git_dir
        self._env = {
            "PATH": path,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }
        self._auth = dict(auth or {})

    def __call__(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        remote: bool = False,
        check: bool = True,
    ) -> bytes:
        """Standard output of one git command.

        Args:
            stdin: its standard input.
            env: more environment, such as `GIT_INDEX_FILE`.
            remote: it talks to the remote: give it the credentials and the longer deadline.
            check: raise on an exit code that is not 0.

        Raises:
            GitError: it failed.
            TransientError: it did not end in time.
        """
        done = self.run(*args, stdin=stdin, env=env, remote=remote)
        if check and done.returncode != 0:
            raise failed(args[0], done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def text(self, *args: str, env: Mapping[str, str] | None = None, remote: bool = False) -> str:
        """The same, as text without white space around it."""
        return self(*args, env=env, remote=remote).decode("utf-8", "surrogateescape").strip()

    def run(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, remote: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        """The completed process, whatever its exit code.

        Raises:
            RepositoryError: git is not installed.
            TransientError: it did not end in time.
        """
        argv: Sequence[str] = ("git", *HARDENED, f"--git-dir={self.git_dir}", *args)
        full = {**self._env, **(self._auth if remote else {}), **(env or {})}
        timeout = NETWORK_TIMEOUT_S if remote else LOCAL_TIMEOUT_S
        try:
            return subprocess.run(
                argv, input=stdin, env=full, cwd="/", capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise TransientError(f"git {args[0]} did not end within {timeout:.0f} s") from None
        except FileNotFoundError:
            raise RepositoryError("git was not found", hint="install git 2.38 or newer.") from None


def bearer(url: str, token: str) -> dict[str, str]:
    """Environment that authenticates git to `url` with a token: never an argument, an URL or a file."""
    from base64 import b64encode  # noqa: PLC0415

    value = b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {value}",
    }
