"""The store: everything the embedded GitHub knows, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from embedded_github.forge.database import Database, utc_now
from embedded_github.forge.events import EventBus, Subscriber
from embedded_github.forge.models import Links, Repository, Role, User, UserType
from embedded_github.forge.records.records import Records
from embedded_github.forge.webhooks import event_of


class Store(Records):
    """Users, repositories, issues and pull requests, kept in a folder.

    Args:
        folder: Where `forge.sqlite3` and `repos/OWNER/NAME.git` stand; made when missing.
        public_url: The address of the web pages, for payloads of changes that no request made.
        clock: The time of every record; in UTC.
    """

    def __init__(
        self,
        folder: Path,
        *,
        public_url: str = "http://127.0.0.1",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.folder = folder
        self.public_url = public_url
        folder.mkdir(parents=True, exist_ok=True)
        self.db = Database(folder / "forge.sqlite3", clock)
        self.bus = EventBus(self.db, lambda change: event_of(change, self, self.links))
        super().__init__(self.db, self.bus, folder)

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def subscribe(self, callback: Subscriber) -> None:
        """Call `callback` with every event; see `EventBus.subscribe`."""
        self.bus.subscribe(callback)

    def now(self) -> str:
        """Return the time as GitHub writes it."""
        return self.db.now()

    @property
    def links(self) -> Links:
        """The addresses for changes that no request made."""
        return Links(html=self.public_url, api=f"{self.public_url}/api/v3")

    # -- conveniences

    def create_user(self, login: str, type: UserType = "User") -> User:  # noqa: A002 - GitHub's own word
        """Make a user; return the one there is when the login is taken."""
        return self.users.get(login) or self.users.create(login, type)

    def create_token(self, login: str) -> str:
        """Make a personal token with all the rights of the user (as an app token, for a bot)."""
        return self.tokens.create(login)

    def mint_token(self, repo: str, permissions: Mapping[str, str], run_id: int) -> str:
        """Make a run's GITHUB_TOKEN: `permissions` by name (`contents`, ...) to none, read or write."""
        return self.tokens.mint(repo, permissions, run_id)

    def revoke_token(self, token: str) -> None:
        """Make a token worthless; unknown tokens are ignored."""
        self.tokens.revoke(token)

    def create_repository(
        self,
        full_name: str,
        *,
        from_folder: Path | None = None,
        default_branch: str = "main",
        private: bool = False,
        description: str | None = None,
        allow_actions_to_create_pull_requests: bool = False,
        protect_default_branch: bool = False,
        collaborators: Mapping[str, Role] | None = None,
    ) -> Repository:
        """Make a repository, its owner where there is none yet, and its first commit from a folder's files.

        Args:
            full_name: `owner/name`; the owner is its admin.
            from_folder: Its files (symlinks kept, a `.git` left out) become the first commit; None: empty.
            default_branch: The branch of that commit.
            private: Whether people without a role see it at all.
            description: A line about it.
            allow_actions_to_create_pull_requests: GitHub's setting of that name; off, as at GitHub.
            protect_default_branch: Refuse every push to the default branch.
            collaborators: Roles by login; the users are made where there are none yet.

        Raises:
            ValueError: the name is malformed or taken.
        """
        owner = full_name.partition("/")[0]
        self.create_user(owner)
        repository = self.repositories.create(
            full_name,
            default_branch=default_branch,
            private=private,
            description=description,
            allow_actions_to_create_pull_requests=allow_actions_to_create_pull_requests,
            protect_default_branch=protect_default_branch,
        )
        for login, role in (collaborators or {}).items():
            self.create_user(login)
            self.repositories.set_role(full_name, login, role)
        if from_folder is not None:
            self.repositories.commit_folder(full_name, from_folder, branch=default_branch, author=owner)
        return repository
