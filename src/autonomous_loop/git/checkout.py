"""Reads and writes single files in a person's checkout, never through a link."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autonomous_loop.errors import RepositoryError
from autonomous_loop.git.command import Git
from autonomous_loop.git.project import open_repo

MOST_BYTES = 1_000_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LINK = (errno.ELOOP, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class Checkout:
    """The work tree of a git directory. None of its hooks, filters or helpers is run.

    Attributes:
        root: its top folder.
        origin: the address of the remote `origin` as configured; it may hold a credential, so never show it.
    """

    root: Path
    origin: str

    @classmethod
    def open(cls, folder: Path, *, path: str) -> Checkout:
        """Find the top folder and the remote.

        Args:
            path: the PATH to find git on.

        Raises:
            RepositoryError: there is no such folder, no git repository or no work tree.
        """
        repo = open_repo(folder)
        try:
            root, config = Path(repo.working_dir).resolve(), Path(repo.common_dir).resolve() / "config"
            bare = repo.bare
        finally:
            repo.close()
        # A repository's own configuration may name another folder as work tree. Never write there.
        if bare or not folder.resolve().is_relative_to(root):
            raise RepositoryError(
                f"{folder} is in no work tree: there is no place for files",
                hint="name a clone with files in it, with --project.",
            )
        git = Git(config.parent, home=Path("/nonexistent"), path=path)
        done = git.run("config", "--file", str(config), "--no-includes", "--get", "remote.origin.url")
        return cls(root, done.stdout.decode("utf-8", "replace").strip())

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None if there is no such file.

        Raises:
            RepositoryError: the path is a link, is not a regular file, or the file is too large.
        """
        try:
            with self._folder(path) as (folder, name):
                # O_NONBLOCK: do not wait for a writer if the file is a pipe.
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(path, error) from None
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise RepositoryError(f"{path} is not a regular file", hint="look at it, and move it away.")
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise RepositoryError(f"{path} is larger than {MOST_BYTES:,} bytes", hint="look at it first.")
        return data

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file atomically; create missing folders.

        Raises:
            RepositoryError: a link is on the way, or the file cannot be written.
        """
        try:
            with self._folder(path, make=True) as (folder, name):
                fresh = f".{name}.{secrets.token_hex(8)}"
                fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=folder)
                try:
                    with os.fdopen(fd, "wb") as file:
                        file.write(data)
                    os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
                except BaseException:
                    with suppress(FileNotFoundError):
                        os.unlink(fresh, dir_fd=folder)
                    raise
        except OSError as error:
            raise _refused(path, error) from None

    @contextmanager
    def _folder(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the file's folder step by step; yield its descriptor and the file's name."""
        *parts, name = path.split("/")
        fd = os.open(self.root, _FOLDER)
        try:
            for part in parts:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=fd)
                inner = os.open(part, _FOLDER, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd, name
        finally:
            os.close(fd)


def _refused(path: str, error: OSError) -> RepositoryError:
    if error.errno in _LINK:
        return RepositoryError(
            f"{path}: a symbolic link, or a file where a folder is expected, stands on the way",
            hint="nothing is read or written through links: put a plain folder or file there.",
        )
    return RepositoryError(f"{path}: {error.strerror}", hint="mend that and run again.")
