"""Tokens: a person's, or a workflow run's. Only their hashes are kept."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping

from embedded_github.forge.database import Database
from embedded_github.forge.models import GITHUB_ACTIONS_BOT, Token
from embedded_github.forge.records.repositories import Repositories
from embedded_github.forge.records.users import Users

_LEVELS = ("none", "read", "write")


class Tokens:
    """The credentials the forge knows."""

    def __init__(self, db: Database, users: Users, repositories: Repositories) -> None:
        self._db = db
        self._users = users
        self._repositories = repositories

    def create(self, login: str) -> str:
        """Make a personal token (`ghp_...`) with all the rights of the user.

        Raises:
            LookupError: there is no such user.
        """
        user = self._users.require(login)
        return self._keep("ghp_", Token(user.login))

    def mint(self, repo: str, permissions: Mapping[str, str], run_id: int) -> str:
        """Make a run's GITHUB_TOKEN (`ghs_...`), acting as `github-actions[bot]` in `repo` alone.

        Args:
            repo: `owner/name`.
            permissions: `contents`, `issues`, `pull-requests`, `actions`, `checks`... to none, read or write;
                what is not named is none. `metadata` is always read.
            run_id: The run it belongs to.

        Raises:
            ValueError: a level is none of the three.
        """
        for name, level in permissions.items():
            if level not in _LEVELS:
                raise ValueError(f"the permission {name} is {level!r}: it must be none, read or write")
        repository = self._repositories.require(repo)
        token = Token(GITHUB_ACTIONS_BOT, repository.full_name, run_id, {"metadata": "read", **permissions})
        return self._keep("ghs_", token)

    def revoke(self, token: str) -> None:
        """Forget a token."""
        self._db.execute("DELETE FROM tokens WHERE hash = ?", _hash(token))

    def find(self, token: str) -> Token | None:
        """Return what a token stands for, or None when it is unknown or revoked."""
        row = self._db.one("SELECT * FROM tokens WHERE hash = ?", _hash(token))
        if row is None:
            return None
        return Token(row["login"], row["repo"], row["run_id"], json.loads(row["permissions"]))

    def _keep(self, prefix: str, token: Token) -> str:
        text = prefix + secrets.token_hex(18)
        self._db.execute(
            "INSERT INTO tokens (hash, login, repo, run_id, permissions) VALUES (?, ?, ?, ?, ?)",
            _hash(text),
            token.login,
            token.repo,
            token.run_id,
            json.dumps(token.permissions),
        )
        return text


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
