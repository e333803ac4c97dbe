"""Reads a person's own git directory; the loop changes nothing in it but its own branches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from git import Repo
from git.exc import InvalidGitRepositoryError, NoSuchPathError

from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import RepositoryError


@dataclass(frozen=True, slots=True)
class Project:
    """The facts about a project that a loop needs.

    Attributes:
        root: the top folder of its work tree.
        git_folder: its git folder (shared by its linked work trees).
        head: the commit a loop starts from.
        branch: the branch that HEAD names; empty if HEAD is detached.
        left_out: paths with uncommitted work, which the loop does not see.
    """

    root: Path
    git_folder: Path
    head: CommitSha
    branch: str
    left_out: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> Project:
        """Read the project without running anything in its work tree.

        Raises:
            RepositoryError: there is no such folder, no git repository or no commit.
        """
        repo = open_repo(folder)
        try:
            return cls._read(repo, folder)
        finally:
            repo.close()

    @classmethod
    def _read(cls, repo: Repo, folder: Path) -> Project:
        try:
            head = repo.head.commit.hexsha
        except ValueError:
            raise RepositoryError(
                f"{folder} has no commit yet: there is nothing to start from",
                hint="commit the project first: git add -A && git commit -m 'first'.",
            ) from None
        root = Path(repo.working_dir)
        return cls(
            root=root,
            git_folder=Path(repo.common_dir).resolve(),
            head=CommitSha(head),
            branch="" if repo.head.is_detached else repo.active_branch.name,
            left_out=() if repo.bare else _uncommitted(repo, root),
        )


def open_repo(folder: Path) -> Repo:
    """Open the git directory that `folder` is in; the caller closes it.

    Raises:
        RepositoryError: there is no such folder or no git repository.
    """
    try:
        return Repo(folder, search_parent_directories=True)
    except NoSuchPathError:
        raise RepositoryError(f"{folder} does not exist", hint="name an existing git directory.") from None
    except InvalidGitRepositoryError:
        raise RepositoryError(
            f"{folder} is not a git repository",
            hint="run `git init` there and commit the project first.",
        ) from None


def _uncommitted(repo: Repo, root: Path) -> tuple[str, ...]:
    """Return paths that differ from HEAD by size and time alone; comparing contents could run a filter."""
    found = {diff.a_path or diff.b_path or "" for diff in repo.head.commit.diff()}
    for (path, _), entry in repo.index.entries.items():
        try:
            now = os.lstat(root / path)
        except OSError:
            found.add(str(path))
            continue
        if entry.size and now.st_size != entry.size:
            found.add(str(path))
    listing = ["git", "-c", "core.fsmonitor=false", "ls-files", "-o", "--exclude-standard", "-z"]
    found.update(str(repo.git.execute(listing)).split("\0"))
    return tuple(sorted(found - {""}))
