"""Every kind of record, on one database."""

from __future__ import annotations

from pathlib import Path

from embedded_github.forge.database import Database
from embedded_github.forge.events import EventBus
from embedded_github.forge.git.repository import GitRepository
from embedded_github.forge.records.checks import Checks
from embedded_github.forge.records.comments import Comments
from embedded_github.forge.records.issues import Issues
from embedded_github.forge.records.labels import Labels
from embedded_github.forge.records.pulls import Pulls
from embedded_github.forge.records.reactions import Reactions
from embedded_github.forge.records.refs import Refs
from embedded_github.forge.records.repositories import Repositories
from embedded_github.forge.records.reviews import Reviews
from embedded_github.forge.records.settings import Settings
from embedded_github.forge.records.tokens import Tokens
from embedded_github.forge.records.users import Users


class Records:
    """The records, one attribute a kind.

    Their reading methods return the frozen values of `models`; their changing methods take an `Actor`, check
    no permission (the REST and git layers do) and publish the change. All may be called from any thread.

    Args:
        db: where they are kept.
        bus: told of changes.
        folder: holds the bare git repositories, as `repos/OWNER/NAME.git`.
    """

    def __init__(self, db: Database, bus: EventBus, folder: Path) -> None:
        self.users = Users(db)
        self.repositories = Repositories(db, self.users, folder)
        self.tokens = Tokens(db, self.users, self.repositories)
        self.labels = Labels(db, bus)
        self.issues = Issues(db, bus, self.repositories, self.labels)
        self.comments = Comments(db, bus, self.issues)
        self.reactions = Reactions(db)
        self.refs = Refs(db, bus, self.repositories)
        self.pulls = Pulls(db, bus, self.repositories, self.issues, self.refs)
        self.reviews = Reviews(db, bus, self.issues, self.pulls)
        self.checks = Checks(db, bus, self.repositories)
        self.settings = Settings(db)

    def git(self, repo: str) -> GitRepository:
        """Return the bare repository of `owner/name`."""
        return self.repositories.git(repo)
