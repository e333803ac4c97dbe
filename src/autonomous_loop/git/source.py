"""A git directory that commits are read from; nothing in it runs or changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import RepositoryError
from autonomous_loop.git.command import Git
from autonomous_loop.git.project import open_repo
from autonomous_loop.git.repository import OTHER_SIDE, Repository


class Source:
    """A person's git directory or a CI job's checkout, regardless of its owner.

    Args:
        folder: the directory, or one below its top.
        home: a folder only the loop can read.
        path: the PATH to find git on.

    Raises:
        RepositoryError: there is no such folder or no git repository.
    """

    def __init__(self, folder: Path, *, home: Path, path: str) -> None:
        repo = open_repo(folder)
        try:
            # A linked work tree has its own HEAD and shares everything else.
            own, self._shared = Path(repo.git_dir).resolve(), Path(repo.common_dir).resolve()
        finally:
            repo.close()
        self.folder = folder
        self._git = Git(own, home=home, path=path)

    @property
    def shallow(self) -> bool:
        """Whether the clone has no full history."""
        return (self._shared / "shallow").is_file()

    def commit(self, revision: str) -> CommitSha:
        """Return the commit that a revision names in git's syntax: a branch, a tag, a SHA, `HEAD~2`.

        Raises:
            RepositoryError: the revision names no commit here.
        """
        name = f"{revision}^{{commit}}"
        done = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        found = done.stdout.decode("utf-8", "replace").strip()
        if done.returncode != 0 or not found:
            raise RepositoryError(
                f"{self.folder} has no commit {revision!r}",
                hint="this clone is shallow: fetch the whole history (in CI, `fetch-depth: 0` of"
                " actions/checkout; elsewhere `git fetch --unshallow`)."
                if self.shallow
                else "check the name, and `git fetch` it first if it is on a remote.",
            )
        return CommitSha(found)

    def refs(self) -> dict[str, CommitSha]:
        """Return local and remote-tracking branches by full name."""
        listed = self._git.text(
            "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes"
        )
        rows = (line.split(" ", 1) for line in listed.splitlines())
        return {ref: CommitSha(sha) for sha, ref in rows}

    def has_file(self, commit: CommitSha, path: str) -> bool:
        """Return whether a commit's tree has the file."""
        return self._git.run("cat-file", "-e", f"{commit}:{path}").returncode == 0

    def is_ancestor(self, older: CommitSha, newer: CommitSha) -> bool:
        """Return whether `newer` contains `older`."""
        return self._git.run("merge-base", "--is-ancestor", older, newer).returncode == 0

    def bring(self, repository: Repository, specs: Sequence[str]) -> None:
        """Fetch commits into the loop's own repository.

        Args:
            specs: `<commit or full ref>:<full ref there>`.
        """
        repository.git(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow",
            f"--upload-pack={OTHER_SIDE} upload-pack",
            "--", str(self._shared), *specs,
            remote=True,
        )  # fmt: skip
