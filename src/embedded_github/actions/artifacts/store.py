"""Artifacts of runs: records in SQLite, zips in a folder, and the tokens and addresses that reach them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from embedded_github.actions.runs import timestamp

KEEP: Final = timedelta(days=90)
"""GitHub's default retention."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS artifacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL, run_id INTEGER NOT NULL, name TEXT NOT NULL,
  size INTEGER NOT NULL, digest TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL,
  finalized INTEGER NOT NULL, UNIQUE (run_id, name));
"""
_COLUMNS: Final = "id, repo, run_id, name, size, digest, created_at, expires_at"


@dataclass(frozen=True)
class ArtifactRecord:
    """One artifact; `size` is of its zip in bytes, `digest` is `sha256:<hexadecimal>`."""

    id: int
    repo: str
    run_id: int
    name: str
    size: int
    digest: str
    created_at: str
    expires_at: str


@dataclass(frozen=True)
class Scope:
    """What a runtime token is for: one job of one run, by the ids of the Actions service."""

    repo: str
    run_id: int
    run_backend: str
    job_backend: str


class TakenError(Exception):
    """A run has an artifact of this name: names are unique there, and nothing is overwritten."""


class Artifacts:
    """All artifacts of all runs. Every method may be called from any thread.

    Args:
        folder: records and zips; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            folder / "artifacts.sqlite3", check_same_thread=False, isolation_level=None
        )
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)
        self._key = secrets.token_bytes(32)
        self._scopes: dict[str, Scope] = {}

    def close(self) -> None:
        """Close the records."""
        with self._lock:
            self._db.close()

    # -- a job's runtime token

    def mint_token(self, repo: str, run_id: int, job_id: int) -> str:
        """A job's ACTIONS_RUNTIME_TOKEN: a JWT whose `scp` names run and job, as the service's is."""
        run, job = (str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{n}")) for kind, n in
                    (("run", run_id), ("job", job_id)))  # fmt: skip
        claims = {"scp": f"Actions.Results:{run}:{job} Actions.UploadArtifacts:{run}:{job}", "nbf": 0}
        body = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        nonce = secrets.token_hex(8)
        signature = hmac.new(self._key, f"{body}{nonce}".encode(), "sha256").digest()
        token = f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
        with self._lock:
            self._scopes[token] = Scope(repo, run_id, run, job)
        return token

    def revoke_token(self, token: str) -> None:
        """The job ended."""
        with self._lock:
            self._scopes.pop(token, None)

    def scope_of(self, token: str) -> Scope | None:
        """Whose token it is; None for one that was never given, or whose job ended."""
        with self._lock:
            return self._scopes.get(token)

    # -- uploads

    def create(self, repo: str, run_id: int, name: str, now: datetime) -> int:
        """Begin an artifact.

        Raises:
            TakenError: see there; one that was begun and never finished may be begun again.
        """
        with self._lock:
            self._db.execute("DELETE FROM artifacts WHERE run_id = ? AND name = ? AND finalized = 0",
                             (run_id, name))  # fmt: skip
            try:
                cursor = self._db.execute(
                    "INSERT INTO artifacts"
                    " (repo, run_id, name, size, digest, created_at, expires_at, finalized)"
                    " VALUES (?, ?, ?, 0, '', ?, ?, 0)",
                    (repo, run_id, name, timestamp(now), timestamp(now + KEEP)),
                )
            except sqlite3.IntegrityError:
                raise TakenError(name) from None
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def blocks_folder(self, artifact_id: int) -> Path:
        """Where blocks wait for their list."""
        folder = self._folder / f"{artifact_id}.blocks"
        folder.mkdir(exist_ok=True)
        return folder

    def file(self, artifact_id: int) -> Path:
        """An artifact's zip."""
        return self._folder / f"{artifact_id}.zip"

    def is_open(self, artifact_id: int) -> bool:
        """Whether it was begun and may still be written."""
        with self._lock:
            found = self._db.execute(
                "SELECT 1 FROM artifacts WHERE id = ? AND finalized = 0", (artifact_id,)
            ).fetchone()
        return found is not None

    def finalize(self, run_id: int, name: str, *, size: int, digest: str | None) -> ArtifactRecord:
        """Make it immutable.

        Raises:
            LookupError: none of this name was begun.
            ValueError: what was uploaded has another size or digest.
        """
        with self._lock:
            row = self._db.execute(
                "SELECT id FROM artifacts WHERE run_id = ? AND name = ? AND finalized = 0", (run_id, name)
            ).fetchone()
            if row is None or not self.file(row[0]).is_file():
                raise LookupError(name)
            data = self.file(row[0]).read_bytes()
            found = f"sha256:{hashlib.sha256(data).hexdigest()}"
            if len(data) != size or (digest is not None and digest != found):
                raise ValueError(f"{len(data)} bytes, {found}")
            self._db.execute(
                "UPDATE artifacts SET size = ?, digest = ?, finalized = 1 WHERE id = ?", (size, found, row[0])
            )
            return self.artifact(row[0])

    # -- reading

    def artifact(self, artifact_id: int) -> ArtifactRecord:
        """One finished artifact.

        Raises:
            LookupError: there is none.
        """
        for one in self._rows("id = ?", artifact_id):
            return one
        raise LookupError(f"no artifact {artifact_id}")

    def of_run(self, run_id: int) -> list[ArtifactRecord]:
        """A run's, newest first."""
        return self._rows("run_id = ?", run_id)

    def of_repository(self, repo: str) -> list[ArtifactRecord]:
        """A repository's, newest first."""
        return self._rows("repo = ?", repo)

    def delete(self, artifact_id: int) -> None:
        """Remove an artifact and its zip."""
        with self._lock:
            self._db.execute("DELETE FROM artifacts WHERE id = ?", (artifact_id,))
        self.file(artifact_id).unlink(missing_ok=True)

    def sign(self, what: str) -> str:
        """The `sig` of an address that needs no token."""
        return hmac.new(self._key, what.encode(), "sha256").hexdigest()

    def _rows(self, where: str, value: object) -> list[ArtifactRecord]:
        # The conditions are this module's own; the value is bound.
        statement = f"SELECT {_COLUMNS} FROM artifacts WHERE {where} AND finalized = 1 ORDER BY id DESC"  # noqa: S608
        with self._lock:
            return [ArtifactRecord(*row) for row in self._db.execute(statement, (value,)).fetchall()]


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
