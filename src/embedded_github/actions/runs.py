"""Records of workflows, runs and jobs, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from embedded_github.actions.ports import Annotation, StepResult

_SCHEMA = """
CREATE TABLE IF NOT EXISTS workflows (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL,
  state TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (repo, path));
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL, workflow_id INTEGER NOT NULL, path TEXT NOT NULL,
  name TEXT NOT NULL, title TEXT NOT NULL, run_number INTEGER NOT NULL, attempt INTEGER NOT NULL,
  event TEXT NOT NULL, ref TEXT NOT NULL, head_branch TEXT NOT NULL, head_sha TEXT NOT NULL,
  status TEXT NOT NULL, conclusion TEXT, actor TEXT NOT NULL, triggering_actor TEXT NOT NULL,
  caused_by INTEGER, message TEXT NOT NULL, created_at TEXT NOT NULL, started_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, payload TEXT NOT NULL, inputs TEXT NOT NULL, source BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES runs (id),
  attempt INTEGER NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, runs_on TEXT NOT NULL,
  status TEXT NOT NULL, conclusion TEXT, created_at TEXT NOT NULL, started_at TEXT, completed_at TEXT,
  log TEXT, summary TEXT NOT NULL,  outputs TEXT NOT NULL, annotations TEXT NOT NULL, steps TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_of_run ON jobs (run_id, attempt);
"""
_JSON = {"payload", "inputs", "outputs", "annotations", "steps"}
LIVE = ("queued", "in_progress", "pending")


@dataclass(frozen=True)
class WorkflowRecord:
    """A workflow file the player has seen; `state` is active or disabled_manually."""

    id: int
    repo: str
    path: str
    name: str
    state: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class RunRecord:
    """One run. Times in ISO 8601, UTC.

    Args:
        status: queued, pending (a concurrency group is taken), in_progress or completed.
        conclusion: success, failure, cancelled, skipped or startup_failure, once completed.
        title: what lists show: the evaluated `run-name`, or the event's own title.
        caused_by: the run whose job dispatched it, for display.
        message: why it could not start, or was cancelled; often empty.
        source: the workflow file as it was, for a re-run.
    """

    repo: str
    workflow_id: int
    path: str
    name: str
    title: str
    event: str
    ref: str
    head_branch: str
    head_sha: str
    actor: str
    triggering_actor: str
    created_at: str
    started_at: str
    updated_at: str
    payload: dict[str, Any]
    source: bytes
    inputs: dict[str, Any] = field(default_factory=dict)
    caused_by: int | None = None
    status: str = "queued"
    conclusion: str | None = None
    message: str = ""
    attempt: int = 1
    run_number: int = 0
    id: int = 0


@dataclass(frozen=True)
class JobRecord:
    """One job of one attempt; `log` is the path of its log file, once it started."""

    run_id: int
    attempt: int
    key: str
    name: str
    created_at: str
    runs_on: str = ""
    status: str = "queued"
    conclusion: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    log: str | None = None
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    steps: tuple[StepResult, ...] = ()
    id: int = 0


def timestamp(moment: datetime) -> str:
    """A time as GitHub writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Runs:
    """The records. Every method may be called from any thread; what it returns is a snapshot.

    Args:
        file: the database; made when missing.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # A record lost with the machine is no loss here; a slow disk at every step would be.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def workflow(self, repo: str, path: str, name: str, now: str) -> WorkflowRecord:
        """The record of a workflow file, made when new and renamed when its name changed."""
        with self._lock:
            self._db.execute(
                "INSERT INTO workflows (repo, path, name, state, created_at, updated_at)"
                " VALUES (?, ?, ?, 'active', ?, ?)"
                " ON CONFLICT (repo, path)"
                " DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at"
                " WHERE name <> excluded.name",
                (repo, path, name, now, now),
            )
            row = self._db.execute(
                "SELECT * FROM workflows WHERE repo = ? AND path = ?", (repo, path)
            ).fetchone()
        return WorkflowRecord(**row)

    def workflows(self, repo: str) -> list[WorkflowRecord]:
        """Every workflow of a repository that was ever seen, in order of id."""
        rows = self._rows("SELECT * FROM workflows WHERE repo = ? ORDER BY id", repo)
        return [WorkflowRecord(**row) for row in rows]

    def set_state(self, workflow_id: int, state: str, now: str) -> None:
        """Enable (`active`) or disable (`disabled_manually`) a workflow."""
        self._rows("UPDATE workflows SET state = ?, updated_at = ? WHERE id = ?", state, now, workflow_id)

    def add_run(self, run: RunRecord) -> RunRecord:
        """Keep a new run; its id and number are given here."""
        with self._lock:
            number = self._rows(
                "SELECT coalesce(max(run_number), 0) + 1 FROM runs WHERE workflow_id = ?", run.workflow_id
            )[0][0]
            row = _row(run) | {"run_number": number}
            return self.run(self._insert("runs", row))

    def run(self, run_id: int) -> RunRecord:
        """One run.

        Raises:
            LookupError: there is no such run.
        """
        rows = self._rows("SELECT * FROM runs WHERE id = ?", run_id)
        if not rows:
            raise LookupError(f"no run {run_id}")
        return RunRecord(**_values(rows[0]))

    def update_run(self, run_id: int, **changes: Any) -> RunRecord:  # noqa: ANN401 - columns of RunRecord
        """Change columns of a run."""
        self._update("runs", run_id, changes)
        return self.run(run_id)

    def remove_run(self, run_id: int) -> None:
        """Forget a run and its jobs; no other gets its id."""
        self._rows("DELETE FROM jobs WHERE run_id = ?", run_id)
        self._rows("DELETE FROM runs WHERE id = ?", run_id)

    def runs(
        self,
        repo: str,
        *,
        workflow_id: int | None = None,
        event: str | None = None,
        status: str | None = None,
        branch: str | None = None,
        actor: str | None = None,
        head_sha: str | None = None,
        limit: int = -1,
        offset: int = 0,
    ) -> tuple[int, list[RunRecord]]:
        """How many runs there are, and some of them, newest first; `status` may be a conclusion too."""
        wanted = {
            "workflow_id": workflow_id,
            "event": event,
            "head_branch": branch,
            "actor": actor,
            "head_sha": head_sha,
        }
        where, values = ["repo = ?"], [repo]
        for column, value in wanted.items():
            if value is not None:
                where.append(f"{column} = ?")
                values.append(str(value))
        if status is not None:
            where.append("(status = ? OR conclusion = ?)")
            values += [status, status]
        condition = " AND ".join(where)
        # The names of columns are this module's own; every value is bound.
        total = self._rows(f"SELECT count(*) FROM runs WHERE {condition}", *values)[0][0]  # noqa: S608
        rows = self._rows(
            f"SELECT * FROM runs WHERE {condition} ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608
            *values,
            limit,
            offset,
        )
        return total, [RunRecord(**_values(row)) for row in rows]

    def unfinished(self) -> list[RunRecord]:
        """Runs that are not completed, in order of id."""
        rows = self._rows("SELECT * FROM runs WHERE status <> 'completed' ORDER BY id")
        return [RunRecord(**_values(row)) for row in rows]

    def add_job(self, job: JobRecord) -> JobRecord:
        """Keep a new job; its id is given here."""
        return self.job(self._insert("jobs", _row(job)))

    def job(self, job_id: int) -> JobRecord:
        """One job.

        Raises:
            LookupError: there is no such job.
        """
        rows = self._rows("SELECT * FROM jobs WHERE id = ?", job_id)
        if not rows:
            raise LookupError(f"no job {job_id}")
        return _job(rows[0])

    def update_job(self, job_id: int, **changes: Any) -> JobRecord:  # noqa: ANN401 - columns of JobRecord
        """Change columns of a job."""
        self._update("jobs", job_id, changes)
        return self.job(job_id)

    def remove_job(self, job_id: int) -> None:
        """Forget a job that gave way to others before it was played."""
        self._rows("DELETE FROM jobs WHERE id = ?", job_id)

    def jobs(self, run_id: int, attempt: int | None = None) -> list[JobRecord]:
        """The jobs of a run's attempt (None: of all), in order of the workflow file."""
        rows = self._rows("SELECT * FROM jobs WHERE run_id = ? ORDER BY id", run_id)
        return [job for job in map(_job, rows) if attempt is None or job.attempt == attempt]

    def _rows(self, statement: str, *values: object) -> Sequence[sqlite3.Row]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        with self._lock:
            statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - own names
            cursor = self._db.execute(statement, tuple(row.values()))
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def _update(self, table: str, key: int, changes: dict[str, Any]) -> None:
        row = {name: _column(name, value) for name, value in changes.items()}
        settings = ", ".join(f"{name} = ?" for name in row)
        self._rows(f"UPDATE {table} SET {settings} WHERE id = ?", *row.values(), key)  # noqa: S608 - own names


def _column(name: str, value: object) -> Any:  # noqa: ANN401 - whatever the column holds
    if name in {"annotations", "steps"} and isinstance(value, Sequence):
        value = [asdict(one) for one in value]
    return json.dumps(value) if name in _JSON else value


def _row(record: RunRecord | JobRecord) -> dict[str, Any]:
    return {
        one.name: _column(one.name, getattr(record, one.name)) for one in fields(record) if one.name != "id"
    }


def _values(row: sqlite3.Row) -> dict[str, Any]:
    return {name: json.loads(row[name]) if name in _JSON else row[name] for name in row.keys()}  # noqa: SIM118 - a Row yields values


def _job(row: sqlite3.Row) -> JobRecord:
    values = _values(row)
    values["annotations"] = tuple(Annotation(**one) for one in values["annotations"])
    values["steps"] = tuple(StepResult(**one) for one in values["steps"])
    return JobRecord(**values)
