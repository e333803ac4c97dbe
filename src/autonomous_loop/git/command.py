"""Runs git for the loop: in its own bare repository, with no inherited environment or configuration."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from autonomous_loop.errors import RepositoryError, ServiceError, TransientError

# Hooks, file system monitors, helpers and prompts run programs, and none of them is ours. The repository is
# bare, so no work tree, filter or attribute is involved (docs/architecture.md, "Root and the sandbox").
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
PATIENCE_S = 30.0  # after this long, do not try again
# Messages of git and curl about a temporary network or server failure (git has no exit code for it).
NETWORK = re.compile(
    r"could not resolve|failed to connect|connection (was )?(refused|reset|timed out)|timed? ?out"
    r"|returned error: (408|429|5\d\d)|hung up unexpectedly|early EOF|RPC failed|unexpected disconnect"
    r"|internal server error|SSL_(read|connect|ERROR)|empty reply",
    re.IGNORECASE,
)
T = TypeVar("T")


class GitError(ServiceError):
    """git exited with an error.

    Args:
        exit_code: git's exit code.
        stderr: git's message; it holds no credential, because credentials go through the environment.
    """

    def __init__(self, what: str, exit_code: int, stderr: str) -> None:
        super().__init__(f"git {what} failed ({exit_code}): {stderr.strip()[:2_000]}")
        self.exit_code = exit_code
        self.stderr = stderr


class LockedError(TransientError):
    """A lock file of git is in the way.

    Args:
        file: the lock file, as the machine that holds the refs names it.
    """

    def __init__(self, file: str) -> None:
        super().__init__(f"a lock of git is in the way: {file}")
        self.file = file


def failed(what: str, exit_code: int, stderr: str) -> GitError | TransientError:
    """Return the error for a message of git: a transient one if the network failed."""
    error = GitError(what, exit_code, stderr)
    return TransientError(error.message) if NETWORK.search(stderr) else error


def patiently(act: Callable[[], T]) -> T:
    """Call `act`, and again at most twice if the network fails. `act` must be safe to repeat.

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
        home: git's HOME, a folder only the loop can read.
        path: the PATH to find git and its helpers on.
        auth: environment variables with credentials (`GIT_CONFIG_COUNT` and the ones that belong to it), or
            empty.
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
        """Run one git command and return its standard output.

        Args:
            stdin: its standard input.
            env: more environment variables, such as `GIT_INDEX_FILE`.
            remote: whether it talks to the remote; then it gets the credentials and the longer deadline.
            check: raise if the exit code is not 0.

        Raises:
            GitError: git failed.
            TransientError: git did not end in time.
        """
        done = self.run(*args, stdin=stdin, env=env, remote=remote)
        if check and done.returncode != 0:
            raise failed(args[0], done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def text(self, *args: str, env: Mapping[str, str] | None = None, remote: bool = False) -> str:
        """Run one git command and return its output as stripped text."""
        return self(*args, env=env, remote=remote).decode("utf-8", "surrogateescape").strip()

    def run(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, remote: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one git command and return the completed process, whatever its exit code.

        Raises:
            RepositoryError: git is not installed.
            TransientError: git did not end in time.
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
    """Return variables that authenticate git to `url`; the token is in no argument, URL or file."""
    from base64 import b64encode  # noqa: PLC0415

    value = b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {value}",
    }
