"""Users."""

from __future__ import annotations

from embedded_github.forge.database import Database, Row
from embedded_github.forge.models import GITHUB_ACTIONS_BOT, GITHUB_ACTIONS_BOT_ID, User, UserType


class Users:
    """The people and bots of the store; `github-actions[bot]` is always among them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.execute(
            "INSERT OR IGNORE INTO users (id, login, type, created_at) VALUES (?, ?, 'Bot', ?)",
            GITHUB_ACTIONS_BOT_ID,
            GITHUB_ACTIONS_BOT,
            db.now(),
        )

    def create(
        self,
        login: str,
        type: UserType = "User",  # noqa: A002 - GitHub's own word
        *,
        name: str | None = None,
        email: str | None = None,
    ) -> User:
        """Make a user.

        Raises:
            ValueError: the login is taken.
        """
        with self._db.transaction():
            if self.get(login) is not None:
                raise ValueError(f"the login {login} is taken")
            self._db.execute(
                "INSERT INTO users (login, type, name, email, created_at) VALUES (?, ?, ?, ?, ?)",
                login,
                type,
                name,
                email,
                self._db.now(),
            )
        return self.require(login)

    def get(self, login: str) -> User | None:
        """Return the user of this login (in any case), or None."""
        row = self._db.one("SELECT * FROM users WHERE login = ?", login)
        return _user(row) if row else None

    def require(self, login: str) -> User:
        """Return the user of this login.

        Raises:
            LookupError: there is none.
        """
        user = self.get(login)
        if user is None:
            raise LookupError(f"no user {login}")
        return user

    def list(self) -> list[User]:
        """Return every user, in order of login."""
        return [_user(row) for row in self._db.all("SELECT * FROM users ORDER BY login")]


def _user(row: Row) -> User:
    return User(row["id"], row["login"], row["type"], row["name"], row["email"], row["created_at"])
