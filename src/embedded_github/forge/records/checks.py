"""Check runs on commits."""

from __future__ import annotations

from embedded_github.forge.database import Database
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import Actor, CheckRun
from embedded_github.forge.records.repositories import Repositories

_COLUMNS = (
    "name",
    "status",
    "conclusion",
    "started_at",
    "completed_at",
    "details_url",
    "external_id",
    "title",
    "summary",
    "text",
)


class Checks:
    """The check runs of every repository."""

    def __init__(self, db: Database, bus: EventBus, repositories: Repositories) -> None:
        self._db = db
        self._bus = bus
        self._repositories = repositories

    def create(self, repo: str, head_sha: str, actor: Actor, *, name: str, **values: str | None) -> CheckRun:
        """Make a check run: `check_run: created`, and `completed` where it has a conclusion already.

        Args:
            repo: `owner/name`.
            head_sha: The commit.
            actor: Whose app it is.
            name: The check's name.
            values: `status`, `conclusion`, `started_at`, `completed_at`, `details_url`, `external_id`,
                `title`, `summary`, `text`.
        """
        with self._db.transaction():
            repo = self._repositories.require(repo).full_name
            check_id = self._db.execute(
                "INSERT INTO check_runs (repo, head_sha, name, status, started_at)"
                " VALUES (?, ?, ?, 'queued', ?)",
                repo,
                head_sha,
                name,
                self._db.now(),
            )
            check = self._set(repo, check_id, values)
            self._announce(check, "created", actor)
            if check.status == "completed":
                self._announce(check, "completed", actor)
        return check

    def edit(self, repo: str, check_id: int, actor: Actor, **values: str | None) -> CheckRun:
        """Change a check run; `check_run: completed` when that completes it."""
        with self._db.transaction():
            old = self.require(repo, check_id)
            check = self._set(repo, check_id, values)
            if check.status == "completed" and old.status != "completed":
                self._announce(check, "completed", actor)
        return check

    def require(self, repo: str, check_id: int) -> CheckRun:
        """Return a check run.

        Raises:
            LookupError: there is none of that id.
        """
        row = self._db.one("SELECT * FROM check_runs WHERE repo = ? AND id = ?", repo, check_id)
        if row is None:
            raise LookupError(f"no check run {check_id} in {repo}")
        return CheckRun(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row is no dict

    def list(self, repo: str, head_sha: str, *, name: str | None = None) -> list[CheckRun]:
        """Return the check runs of a commit, newest first."""
        rows = self._db.all(
            "SELECT id FROM check_runs WHERE repo = ? AND head_sha = ? ORDER BY id DESC", repo, head_sha
        )
        runs = [self.require(repo, row["id"]) for row in rows]
        return [run for run in runs if name in (None, run.name)]

    def _set(self, repo: str, check_id: int, values: dict[str, str | None]) -> CheckRun:
        if values.get("conclusion"):
            values = {"status": "completed", "completed_at": self._db.now(), **values}
        for column, value in values.items():
            if column not in _COLUMNS:
                raise ValueError(f"a check run has no {column}")
            if value is not None:
                self._db.execute(
                    f"UPDATE check_runs SET {column} = ? WHERE id = ?",  # noqa: S608 - one of _COLUMNS
                    value,
                    check_id,
                )
        return self.require(repo, check_id)

    def _announce(self, check: CheckRun, action: str, actor: Actor) -> None:
        self._bus.publish(Change(check.repo, "check_run", action, actor, {"check_run": check}))
