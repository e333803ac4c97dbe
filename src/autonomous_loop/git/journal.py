"""The journal: one commit for each push of events on the loop's state branch, chained, never forced."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from autonomous_loop.domain.events import JOURNAL_SCHEMA, Added, Event, LoopFacts, Planned
from autonomous_loop.domain.feature import FeatureList
from autonomous_loop.domain.folding import fold
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.domain.model import CommitSha, scrubbed
from autonomous_loop.domain.record import Entry, LoopRecord
from autonomous_loop.engine.ports import Clock
from autonomous_loop.errors import JournalError, RepositoryError, TransientError
from autonomous_loop.git.repository import Repository

MOST_FILE = 90_000_000
"""The largest file of the journal, in bytes: GitHub rejects files of more than 100 MB."""
SESSION_FILE = re.compile(r"sessions/(\d{1,6})\.jsonl")


@dataclass(frozen=True, slots=True)
class _Sent:
    """One push: the branches it moves, and the journal's tip and new entries after it."""

    updates: Mapping[str, CommitSha | None]
    tip: CommitSha
    entries: Sequence[Entry]


class StateTracker:
    """Reads the journal and appends to it by compare-and-swap; implements `Journal`.

    Args:
        repository: the loop's own repository.
        branches: `autonomous-loop/<loop>`; the state branch is below it.
        name: the repository's name on its forge; each entry's signature covers it.
        loop: the loop's id.
        keys: sign and verify the chain; None: the journal is only read, unverified, and never written.
        redact: removes secrets from all text that is written.
    """

    def __init__(
        self,
        repository: Repository,
        *,
        branches: str,
        name: str,
        loop: str,
        keys: Keyring | None,
        clock: Clock,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._repository = repository
        self._branches = branches
        self._ref = f"refs/heads/{branches}/state"
        self._scope = f"{name}\0{loop}"
        self._keys = keys
        self._clock = clock
        self._tip: CommitSha | None = None
        self._entries: list[Entry] = []
        self._facts: LoopFacts | None = None
        self._features: FeatureList | None = None
        self._held: list[tuple[Sequence[Event], Mapping[str, bytes], CommitSha | None]] = []
        self._unsure: _Sent | None = None  # a push that may or may not have arrived
        self._redact = redact

    # --- reading ------------------------------------------------------------------------------------------

    def fetch(self) -> CommitSha | None:
        """Fetch the remote's state branch and return its tip, or None if there is no such branch."""
        refs = self._repository.remote_refs(self._ref)
        self._tip = refs.get(self._ref)
        # A job reads a journal several times before it claims. Do not fetch a tip that is already here.
        if self._tip and not self._repository.has(here := f"refs/loop/state-{self._tip}"):
            self._repository.fetch(f"{self._ref}:{here}")
        return self._tip

    def read(self) -> LoopRecord | None:
        """See `Journal`."""
        if self.fetch() is None:
            return None
        try:
            self._facts = LoopFacts.model_validate_json(self._must("loop.json"))
            listed = self.read_file("features.json")
            self._features = FeatureList.model_validate_json(listed) if listed else None
            self._entries = list(self._chain())
            self._check_features()
            return self.record()
        except ValueError as error:  # from pydantic, or from bytes that are not text
            said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "it is no text"
            raise JournalError(
                f"the journal cannot be read: {said}",
                hint=f"look at the last commits of the branch {self._branches}/state.",
            ) from None

    def record(self) -> LoopRecord:
        """The record as last read or written.

        Raises:
            JournalError: nothing has been read or begun yet.
        """
        if self._facts is None:
            raise JournalError("the journal was neither read nor begun")
        held = [event for events, _, _ in self._held for event in events]
        return fold(self._facts, self._features, [*self._entries, *self._sign(held)])

    def events(self) -> Sequence[Event]:
        """The events in order, as last read or written."""
        return [entry.event for entry in self._entries]

    def entries(self) -> Sequence[Entry]:
        """The events with their times and signatures."""
        return tuple(self._entries)

    def tip(self) -> CommitSha | None:
        """See `Journal`."""
        return self._tip

    def read_file(self, path: str) -> bytes | None:
        """See `Journal`."""
        if self._tip is None:
            return None
        return self._repository.read(self._repository.tree_of(self._tip), path, max_bytes=MOST_FILE)

    def holds(self) -> bool:
        """Return whether the remote is still where this session left it, so nobody else holds the claim."""
        self.settle()
        return self._repository.remote_refs(self._ref).get(self._ref) == self._tip

    # --- writing ------------------------------------------------------------------------------------------

    def begin(self, facts: LoopFacts) -> None:
        """Set up a new journal; the first `append` writes it."""
        self._facts = scrubbed(facts, self._redact)
        self._tip = None
        self._entries = []

    def set_features(self, features: FeatureList) -> None:
        """Set the feature list; the next `append` writes it."""
        self._features = scrubbed(features, self._redact)

    def flush(self) -> None:
        """See `Journal`."""
        self.settle()
        while self._held:
            events, files, checkpoint = held = self._held.pop(0)
            try:
                self.append(events, files=files, checkpoint=checkpoint)
            except BaseException:
                if self._unsure is None:  # otherwise `settle` writes it
                    self._held.insert(0, held)
                raise

    def append(
        self,
        events: Sequence[Event],
        *,
        files: Mapping[str, bytes] | None = None,
        checkpoint: CommitSha | None = None,
        push: bool = True,
    ) -> CommitSha:
        """See `Journal`."""
        assert self._facts is not None
        events = [self._fit(event) for event in events]
        if not push:
            assert self._tip is not None
            self._held.append((events, files or {}, checkpoint))
            return self._tip
        self.settle()
        entries = self._sign(events)
        session = entries[-1].session
        written: dict[str, bytes | None] = {}
        if self._tip is None:
            written["loop.json"] = _json(self._facts)
        if self._features is not None:
            written["features.json"] = _json(self._features)
        lines = [entry for entry in [*self._entries, *entries] if entry.session == session]
        written[f"sessions/{session}.jsonl"] = b"".join(
            entry.model_dump_json(exclude_none=True).encode() + b"\n" for entry in lines
        )
        written.update(files or {})
        _check_sizes(written)
        base = self._repository.tree_of(self._tip) if self._tip else None
        tree = self._repository.write_files(base, written)
        subject = ", ".join(event.type for event in events)
        commit = self._repository.commit(
            tree, [self._tip] if self._tip else [], f"session {session}: {subject}\n"
        )
        # Push code and record atomically, so that they cannot disagree.
        updates: dict[str, CommitSha | None] = {self._ref: commit}
        if checkpoint:
            updates[f"refs/heads/{self._branches}/checkpoint/{session}"] = checkpoint
        self._deliver(_Sent(updates, commit, entries))
        return commit

    def settle(self) -> None:
        """See `Journal`."""
        if self._unsure is not None:
            self._deliver(self._unsure)

    def _deliver(self, sent: _Sent) -> None:
        self._unsure = None
        try:
            self._repository.push(sent.updates)
        except (TransientError, RepositoryError):
            # Perhaps only the answer was lost. Repeating the same push later tells, and moves nothing twice.
            self._unsure = sent
            raise
        self._tip = sent.tip
        self._entries.extend(sent.entries)

    def _fit(self, event: Event) -> Event:
        made = scrubbed(event, self._redact)
        if isinstance(made, Planned | Added) and self._features is not None:
            return made.model_copy(update={"digest": digest_of(self._features)})
        return made

    def _session_of(self, events: Sequence[Event]) -> int:
        for event in events:
            if event.type == "claimed":
                return event.session
        return self._entries[-1].session if self._entries else 1

    # --- the chain ----------------------------------------------------------------------------------------

    def _sign(self, events: Sequence[Event]) -> list[Entry]:
        if not events:
            return []
        assert self._keys is not None
        session = self._session_of(events)
        before = self._entries[-1].mac if self._entries else ""
        sequence = self._entries[-1].sequence if self._entries else 0
        made = []
        for event in events:
            sequence += 1
            entry = Entry(sequence=sequence, session=session, at=self._clock.now(), event=event, mac="")
            before = self._keys.sign(self._signed_text(before, entry))
            made.append(entry.model_copy(update={"mac": before}))
        return made

    def _signed_text(self, before: str, entry: Entry) -> bytes:
        assert self._facts is not None
        parts = (
            before,
            self._scope,
            _canonical(self._facts),
            _canonical(entry.model_copy(update={"mac": ""})),
        )
        return "\0".join(parts).encode()

    def _chain(self) -> Sequence[Entry]:
        assert self._tip is not None
        tree = self._repository.tree_of(self._tip)
        names = [path for path in self._repository.paths(tree) if SESSION_FILE.fullmatch(path)]
        names.sort(key=lambda name: int(SESSION_FILE.fullmatch(name)[1]))  # type: ignore[index] # matched above
        entries: list[Entry] = []
        before = ""
        for name in names:
            for number, line in enumerate(self._must(name).splitlines(), 1):
                entry = _entry(line, f"{name}:{number}")
                if entry.sequence != len(entries) + 1 or not self._holds(before, entry):
                    raise self._broken(f"{name}:{number}", entry.mac)
                entries.append(entry)
                before = entry.mac
        return entries

    def _check_features(self) -> None:
        planned = [one.event.digest for one in self._entries if isinstance(one.event, Planned | Added)]
        if planned and (self._features is None or digest_of(self._features) != planned[-1]):
            raise JournalError(
                "features.json is not the list the journal speaks of: it was changed by something else",
                hint=f"look at the last commits of the branch {self._branches}/state.",
            )

    def _holds(self, before: str, entry: Entry) -> bool:
        return self._keys is None or self._keys.verify(self._signed_text(before, entry), entry.mac)

    def _broken(self, place: str, mac: str) -> JournalError:
        if self._keys is not None and not self._keys.knows(mac):
            return JournalError(
                f"the journal's chain at {place} was signed with another key",
                hint="give that key as handoff-key-previous, or label the issue anew for a new loop.",
            )
        return JournalError(
            f"the journal's chain fails at {place}: it was changed by something that is not this loop",
            hint=f"look at the branch {self._branches}/state; start a new loop by labelling the issue anew.",
        )

    def _must(self, path: str) -> bytes:
        data = self.read_file(path)
        if data is None:
            raise JournalError(f"the journal has no {path}: {self._branches}/state is not a loop's journal")
        if path == "loop.json" and not re.search(rb'"schema_version":\s*%d\b' % JOURNAL_SCHEMA, data):
            raise JournalError(
                "the journal was written by another version of Autonomous Loop",
                hint="run the version that wrote it, or update to the newest.",
            )
        return data


def _entry(line: bytes, place: str) -> Entry:
    try:
        return Entry.model_validate_json(line)
    except ValidationError as error:
        raise JournalError(f"the journal cannot be read at {place}: {error.errors()[0]['msg']}") from None


def _check_sizes(written: Mapping[str, bytes | None]) -> None:
    """Refuse files that are too large to be read again: the journal would be lost."""
    for path, data in written.items():
        if data is not None and len(data) > MOST_FILE:
            raise JournalError(
                f"the journal's {path} would take {len(data):,} bytes, and {MOST_FILE:,} is the most",
                hint="give parametrized tests short ids, or let suite-command run fewer; then run again.",
            )


def _json(model: LoopFacts | FeatureList) -> bytes:
    return model.model_dump_json(indent=1).encode() + b"\n"


def digest_of(features: FeatureList) -> str:
    """Return the SHA-256 of the list; a signed event holds it, so the chain protects the list too."""
    return hashlib.sha256(_json(features)).hexdigest()


def _canonical(model: LoopFacts | Entry) -> str:
    return model.model_dump_json(exclude_none=True)
