"""Keeps the entries, in SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MESSAGE_LIMIT = 280  # characters of one message
PAGE_SIZE = 10  # entries

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    written TEXT NOT NULL
);
"""


@dataclass(frozen=True)
class Entry:
    """What one visitor wrote, and when (UTC)."""

    id: int
    name: str
    message: str
    written: datetime


@dataclass(frozen=True)
class Page:
    """Some of the entries, newest first: page `number` of `last`. `total` counts all there are."""

    entries: list[Entry]
    number: int
    last: int
    total: int


class Store:
    """The entries of one guestbook, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connection() as connection:
            connection.executescript(SCHEMA)

    def add(self, name: str, message: str) -> Entry:
        """Keep a new entry, written now."""
        written = datetime.now(UTC).replace(microsecond=0)
        with self._connection() as connection:
            cursor = connection.execute(
                "INSERT INTO entries (name, message, written) VALUES (?, ?, ?)",
                (name, message, written.isoformat()),
            )
            return Entry(cursor.lastrowid or 0, name, message, written)

    def entries(self) -> list[Entry]:
        """Every entry, in the order they were written."""
        with self._connection() as connection:
            rows = connection.execute("SELECT id, name, message, written FROM entries ORDER BY id").fetchall()
        return [_entry(row) for row in rows]

    def page(self, number: int) -> Page:
        """One page, newest first; a number beyond the pages there are gives the nearest."""
        with self._connection() as connection:
            (total,) = connection.execute("SELECT COUNT(*) FROM entries").fetchone()
            last = max(1, -(-total // PAGE_SIZE))
            number = min(max(number, 1), last)
            rows = connection.execute(
                "SELECT id, name, message, written FROM entries ORDER BY id DESC LIMIT ? OFFSET ?",
                (PAGE_SIZE, (number - 1) * PAGE_SIZE),
            ).fetchall()
        return Page([_entry(row) for row in rows], number, last, total)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # One connection a call: requests come on threads of their own.
        with closing(sqlite3.connect(self._path)) as connection, connection:
            # Waiting for the disk takes longer than all else; in a power cut a guestbook may lose an entry.
            connection.execute("PRAGMA synchronous = OFF")
            yield connection


def _entry(row: tuple[int, str, str, str]) -> Entry:
    return Entry(row[0], row[1], row[2], datetime.fromisoformat(row[3]))
