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
CREATE TABLE IF NOT EXISTS likes (
    entry_id INTEGER PRIMARY KEY REFERENCES entries,
    count INTEGER NOT NULL
);
"""


COLUMNS = "id, name, message, written, COALESCE(count, 0)"
TABLES = "entries LEFT JOIN likes ON entry_id = id"


@dataclass(frozen=True)
class Entry:
    """What one visitor wrote, and when (UTC)."""

    id: int
    name: str
    message: str
    written: datetime
    likes: int = 0


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
            rows = connection.execute(f"SELECT {COLUMNS} FROM {TABLES} ORDER BY id").fetchall()
        return [_entry(row) for row in rows]

    def page(self, number: int, query: str = "") -> Page:
        """One page of the entries with `query` in them, newest first; a number beyond gives the nearest."""
        where = "WHERE instr(folded(name || char(10) || message), folded(?))"
        with self._connection() as connection:
            # SQLite's own lower() knows the letters of English only.
            connection.create_function("folded", 1, str.casefold, deterministic=True)
            (total,) = connection.execute(f"SELECT COUNT(*) FROM entries {where}", (query,)).fetchone()
            last = max(1, -(-total // PAGE_SIZE))
            number = min(max(number, 1), last)
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM {TABLES} {where} ORDER BY id DESC LIMIT ? OFFSET ?",
                (query, PAGE_SIZE, (number - 1) * PAGE_SIZE),
            ).fetchall()
        return Page([_entry(row) for row in rows], number, last, total)

    def like(self, entry_id: int) -> int:
        """Count one more like, and say how many there are now; KeyError if there is no such entry."""
        with self._connection() as connection:
            if not connection.execute("SELECT 1 FROM entries WHERE id = ?", (entry_id,)).fetchone():
                raise KeyError(entry_id)
            # One statement, so that two likes at the same moment are two.
            (likes,) = connection.execute(
                "INSERT INTO likes VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
                (entry_id,),
            ).fetchone()
        return likes

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # One connection a call: requests come on threads of their own.
        with closing(sqlite3.connect(self._path)) as connection, connection:
            # Waiting for the disk takes longer than all else; in a power cut a guestbook may lose an entry.
            connection.execute("PRAGMA synchronous = OFF")
            yield connection


def _entry(row: tuple[int, str, str, str, int]) -> Entry:
    return Entry(row[0], row[1], row[2], datetime.fromisoformat(row[3]), row[4])
