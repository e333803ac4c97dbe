"""Repositories, their settings, their collaborators and their bare git folders."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from embedded_github.forge.database import Database, Row
from embedded_github.forge.git.hooks import write_hooks
from embedded_github.forge.git.repository import GitRepository
from embedded_github.forge.models import ROLES, Repository, Role, Signature, User
from embedded_github.forge.records.users import Users

_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")

# Hooks stand beside `repos`, named so that the folder can be moved (git reads the path from the repository).
# `receive.hideRefs`: pull requests' own refs are the forge's to write. No collection of garbage: it would run
# beside the pushes of tests and demos for nothing.
_CONFIG = """
[core]
\tlogAllRefUpdates = true
\thooksPath = ../../../hooks
[http]
\treceivepack = true
[receive]
\tadvertiseAtomic = true
\thideRefs = refs/pull
\tfsckObjects = true
\tautogc = false
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[gc]
\tauto = 0
"""


class Repositories:
    """The repositories of the store."""

    def __init__(self, db: Database, users: Users, folder: Path) -> None:
        self._db = db
        self._users = users
        self._folder = folder
        write_hooks(folder / "hooks")

    def create(
        self,
        full_name: str,
        *,
        default_branch: str = "main",
        private: bool = False,
        description: str | None = None,
        allow_actions_to_create_pull_requests: bool = False,
        protect_default_branch: bool = False,
    ) -> Repository:
        """Make an empty repository; its owner must exist and becomes its admin.

        Raises:
            ValueError: the name is malformed or taken.
            LookupError: there is no such owner.
        """
        parts = full_name.split("/")
        if not _NAME.fullmatch(full_name) or {".", ".."} & {*parts} or full_name.endswith(".git"):
            raise ValueError(f"{full_name!r} is not owner/name")
        login, name = parts
        owner = self._users.require(login).login
        with self._db.transaction():
            if self.get(full_name) is not None:
                raise ValueError(f"the repository {full_name} exists")
            now = self._db.now()
            self._db.execute(
                "INSERT INTO repositories (owner, name, description, private, default_branch,"
                " actions_may_open_pulls, protect_default_branch, created_at, pushed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                owner,
                name,
                description,
                int(private),
                default_branch,
                int(allow_actions_to_create_pull_requests),
                int(protect_default_branch),
                now,
                now,
            )
            self.set_role(full_name, owner, "admin")
            path = self._path(owner, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            git = GitRepository(path)
            git.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}")
            with (path / "config").open("a", encoding="utf-8") as config:
                config.write(_CONFIG)
        return self.require(full_name)

    def get(self, full_name: str) -> Repository | None:
        """Return a repository (the name in any case), or None."""
        owner, _, name = full_name.partition("/")
        row = self._db.one("SELECT * FROM repositories WHERE owner = ? AND name = ?", owner, name)
        return self._repository(row) if row else None

    def require(self, full_name: str) -> Repository:
        """Return a repository.

        Raises:
            LookupError: there is none of that name.
        """
        repository = self.get(full_name)
        if repository is None:
            raise LookupError(f"no repository {full_name}")
        return repository

    def list(self) -> list[Repository]:
        """Return every repository, in order of name."""
        rows = self._db.all("SELECT * FROM repositories ORDER BY owner, name")
        return [self._repository(row) for row in rows]

    def configure(
        self,
        full_name: str,
        *,
        private: bool | None = None,
        allow_actions_to_create_pull_requests: bool | None = None,
        protect_default_branch: bool | None = None,
    ) -> Repository:
        """Change settings; None leaves one as it is."""
        repository = self.require(full_name)
        self._db.execute(
            "UPDATE repositories SET private = COALESCE(?, private), actions_may_open_pulls ="
            " COALESCE(?, actions_may_open_pulls),"
            " protect_default_branch = COALESCE(?, protect_default_branch) WHERE id = ?",
            private,
            allow_actions_to_create_pull_requests,
            protect_default_branch,
            repository.id,
        )
        return self.require(full_name)

    # -- who may do what

    def set_role(self, full_name: str, login: str, role: Role) -> None:
        """Give someone a role; `none` takes it away.

        Raises:
            ValueError: there is no such role.
        """
        if role not in ROLES:
            raise ValueError(f"{role!r} is no role: {', '.join(ROLES)}")
        self._db.execute(
            "INSERT OR REPLACE INTO collaborators (repo, login, role) VALUES (?, ?, ?)",
            full_name,
            login,
            role,
        )

    def role(self, full_name: str, login: str) -> Role:
        """Return someone's role; an empty login is nobody signed in. A public repository is `read` by all."""
        row = self._db.one("SELECT role FROM collaborators WHERE repo = ? AND login = ?", full_name, login)
        given: Role = row["role"] if row else "none"
        return "read" if given == "none" and not self.require(full_name).private else given

    def has_role_of_own(self, full_name: str, login: str) -> bool:
        """Whether somebody was given a role, rather than having what everyone has."""
        return any(user.login.lower() == login.lower() for user, _ in self.collaborators(full_name))

    def collaborators(self, full_name: str) -> Sequence[tuple[User, Role]]:
        """Return everyone with a role of their own, the owner first."""
        rows = self._db.all(
            "SELECT login, role FROM collaborators WHERE repo = ? AND role != 'none' ORDER BY rowid",
            full_name,
        )
        return [(self._users.require(row["login"]), row["role"]) for row in rows]

    # -- git

    def git(self, full_name: str) -> GitRepository:
        """Return the bare repository of `owner/name`."""
        return GitRepository(self.require(full_name).path)

    def commit_folder(self, full_name: str, folder: Path, *, branch: str, author: str) -> str:
        """Commit a folder's files on top of `branch` and return the commit's SHA; no event is told.

        Raises:
            NotADirectoryError: there is no such folder.
        """
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is not a folder")
        git = self.git(full_name)
        with tempfile.TemporaryDirectory() as scratch:
            environment = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), "GIT_WORK_TREE": str(folder)}
            git.run("add", "--all", "--force", ".", environment=environment)
            tree = git.run("write-tree", environment=environment).decode().strip()
        parent = git.branch(branch)
        who = Signature(author, f"{author}@users.noreply.github.com", self._db.now())
        message = "Initial commit" if parent is None else f"Files of {folder.name}"
        sha = git.commit_tree(tree, [parent] if parent else [], message, who)
        git.update_ref(f"refs/heads/{branch}", sha, parent)
        return sha

    def next_number(self, full_name: str) -> int:
        """Take the next number, shared by issues and pull requests."""
        with self._db.transaction():
            repository = self.require(full_name)
            row = self._db.one("SELECT next_number FROM repositories WHERE id = ?", repository.id)
            assert row is not None
            self._db.execute(
                "UPDATE repositories SET next_number = next_number + 1 WHERE id = ?", repository.id
            )
            return int(row["next_number"])

    def touch_pushed(self, full_name: str) -> None:
        """Note that something was pushed just now."""
        repository = self.require(full_name)
        self._db.execute("UPDATE repositories SET pushed_at = ? WHERE id = ?", self._db.now(), repository.id)

    def _path(self, owner: str, name: str) -> Path:
        return self._folder / "repos" / owner / f"{name}.git"

    def _repository(self, row: Row) -> Repository:
        return Repository(
            id=row["id"],
            owner=row["owner"],
            name=row["name"],
            description=row["description"],
            private=bool(row["private"]),
            default_branch=row["default_branch"],
            allow_actions_to_create_pull_requests=bool(row["actions_may_open_pulls"]),
            protect_default_branch=bool(row["protect_default_branch"]),
            created_at=row["created_at"],
            pushed_at=row["pushed_at"],
            path=self._path(row["owner"], row["name"]),
        )
