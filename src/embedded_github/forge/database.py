"""The store's SQLite database: one connection, one lock, write-ahead log."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE COLLATE NOCASE, type TEXT NOT NULL,
  name TEXT, email TEXT, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
  hash TEXT PRIMARY KEY, login TEXT NOT NULL, repo TEXT, run_id INTEGER, permissions TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS repositories (
  id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE,
  description TEXT, private INTEGER NOT NULL, default_branch TEXT NOT NULL,
  actions_may_open_pulls INTEGER NOT NULL, protect_default_branch INTEGER NOT NULL,
  next_number INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL, pushed_at TEXT NOT NULL, UNIQUE (owner, name));
CREATE TABLE IF NOT EXISTS collaborators (
  repo TEXT NOT NULL COLLATE NOCASE, login TEXT NOT NULL COLLATE NOCASE, role TEXT NOT NULL,
  PRIMARY KEY (repo, login));
CREATE TABLE IF NOT EXISTS labels (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE,
  color TEXT NOT NULL, description TEXT, UNIQUE (repo, name));
CREATE TABLE IF NOT EXISTS issues (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,
  title TEXT NOT NULL, body TEXT, state TEXT NOT NULL, state_reason TEXT, author TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, closed_at TEXT, closed_by TEXT, edited_at TEXT,
  is_pull_request INTEGER NOT NULL, UNIQUE (repo, number));
CREATE TABLE IF NOT EXISTS issue_labels (
  issue_id INTEGER NOT NULL, label_id INTEGER NOT NULL, PRIMARY KEY (issue_id, label_id));
CREATE TABLE IF NOT EXISTS comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,
  author TEXT NOT NULL, body TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  edited_at TEXT);
CREATE INDEX IF NOT EXISTS comments_by_issue ON comments (repo, number);
CREATE TABLE IF NOT EXISTS issue_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,
  event TEXT NOT NULL, actor TEXT NOT NULL, created_at TEXT NOT NULL, label_id INTEGER, label_name TEXT,
  label_color TEXT, old_title TEXT, new_title TEXT, commit_id TEXT);
CREATE INDEX IF NOT EXISTS events_by_issue ON issue_events (repo, number);
CREATE TABLE IF NOT EXISTS reactions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, subject_id INTEGER NOT NULL,
  author TEXT NOT NULL, content TEXT NOT NULL, created_at TEXT NOT NULL,
  UNIQUE (subject, subject_id, author, content));
CREATE TABLE IF NOT EXISTS pulls (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,
  head_ref TEXT NOT NULL, head_sha TEXT NOT NULL, base_ref TEXT NOT NULL, base_sha TEXT NOT NULL,
  draft INTEGER NOT NULL, merged_at TEXT, merged_by TEXT, merge_commit_sha TEXT, UNIQUE (repo, number));
CREATE TABLE IF NOT EXISTS reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,
  author TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL, commit_id TEXT NOT NULL,
  submitted_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS review_comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,
  review_id INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL, path TEXT NOT NULL, line INTEGER,
  side TEXT NOT NULL, commit_id TEXT NOT NULL, diff_hunk TEXT NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, in_reply_to INTEGER);
CREATE TABLE IF NOT EXISTS check_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL COLLATE NOCASE, head_sha TEXT NOT NULL,
  name TEXT NOT NULL, status TEXT NOT NULL, conclusion TEXT, started_at TEXT NOT NULL, completed_at TEXT,
  details_url TEXT, external_id TEXT, title TEXT, summary TEXT, text TEXT);
CREATE TABLE IF NOT EXISTS actions_settings (
  repo TEXT PRIMARY KEY COLLATE NOCASE, enabled INTEGER NOT NULL, allowed_actions TEXT NOT NULL,
  sha_pinning_required INTEGER NOT NULL, default_workflow_permissions TEXT NOT NULL);
"""

# Each kind counts from a number of its own: a client that mixes up an issue's id and its number, or a pull
# request's id and its issue's, then fails here as it would at GitHub.
_FIRST_IDS = {
    "users": 583_000,
    "repositories": 1_296_000,
    "labels": 208_045_000,
    "issues": 2_100_000_000,
    "comments": 2_700_000_000,
    "issue_events": 6_430_000_000,
    "reactions": 170_000_000,
    "pulls": 1_800_000_000,
    "reviews": 1_500_000_000,
    "review_comments": 1_600_000_000,
    "check_runs": 4_000_000_000,
}

Row = sqlite3.Row
Value = str | int | None


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class Database:
    """A SQLite file that several threads may use; each statement, or transaction, has it alone.

    Args:
        path: The database file; made when missing.
        clock: The time of every record; in UTC.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._depth = 0
        self._after: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA busy_timeout=10000")
        self._connection.executescript(_SCHEMA)
        with self.transaction():
            for table, first in _FIRST_IDS.items():
                known = self.one("SELECT 1 FROM sqlite_sequence WHERE name = ?", table)
                if known is None:
                    self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, first)

    def now(self) -> str:
        """Return the time as GitHub writes it."""
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def close(self) -> None:
        """Close the file; the database must not be used afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or rolled back together when an exception leaves it.

        Transactions may nest; only the outermost commits. What `after_commit` was given runs then, with the
        lock released.
        """
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                    self._after.clear()
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1
            after: list[Callable[[], None]] = []
            if outermost:
                after, self._after = self._after, after
        for callback in after:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Run `callback` once the present transaction is committed; now, when there is none."""
        with self._lock:
            if self._depth:
                self._after.append(callback)
                return
        callback()

    def execute(self, sql: str, *values: Value) -> int:
        """Run one statement; return the id of the row it inserted, if it inserted one."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def one(self, sql: str, *values: Value) -> Row | None:
        """Return the first row, or None."""
        with self._lock:
            row: Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, *values: Value) -> Sequence[Row]:
        """Return every row."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()
