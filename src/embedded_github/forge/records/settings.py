"""What a repository's settings say of Actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from embedded_github.forge.database import Database

ALLOWED = ("all", "local_only", "selected")
PERMISSIONS = ("read", "write")


@dataclass(frozen=True)
class ActionsSettings:
    """The settings below "Actions, General".

    Attributes:
        enabled: Whether workflows run at all.
        allowed_actions: Which actions they may use: `all`, `local_only` or `selected`.
        sha_pinning_required: Whether every action must be named by a full SHA.
        default_workflow_permissions: Of a token whose workflow asks for none: `read` or `write`.
    """

    enabled: bool = True
    allowed_actions: str = "all"
    sha_pinning_required: bool = False
    default_workflow_permissions: str = "read"


class Settings:
    """The settings of the repositories, and the names of their secrets.

    `secret_names` is asked whenever somebody asks for them; the values are the Actions player's and never
    here.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self.secret_names: Callable[[], Sequence[str]] = tuple

    def actions(self, repo: str) -> ActionsSettings:
        """Return a repository's; the defaults where nobody changed them."""
        row = self._db.one("SELECT * FROM actions_settings WHERE repo = ?", repo)
        if row is None:
            return ActionsSettings()
        return ActionsSettings(
            bool(row["enabled"]),
            row["allowed_actions"],
            bool(row["sha_pinning_required"]),
            row["default_workflow_permissions"],
        )

    def change_actions(self, repo: str, made: ActionsSettings) -> None:
        """Put these in the place of those there are.

        Raises:
            ValueError: a value is none of those there are.
        """
        if made.allowed_actions not in ALLOWED or made.default_workflow_permissions not in PERMISSIONS:
            raise ValueError(f"no such settings: {made}")
        self._db.execute(
            "INSERT OR REPLACE INTO actions_settings (repo, enabled, allowed_actions,"
            " sha_pinning_required, default_workflow_permissions) VALUES (?, ?, ?, ?, ?)",
            repo,
            int(made.enabled),
            made.allowed_actions,
            int(made.sha_pinning_required),
            made.default_workflow_permissions,
        )
