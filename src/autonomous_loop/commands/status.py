"""Reads from the journals how the loops of a git directory stand."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.project import Project
from autonomous_loop.git.repository import Repository
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import IDENTITY, SystemClock


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """The figures of one loop.

    Attributes:
        note: if an error stopped it, what happened and what to do.
    """

    loop: str
    state: str
    passing: int
    blocked: int
    total: int
    sessions: int
    total_tokens: int
    usd: float
    errors_recovered: int
    features: tuple[tuple[str, str], ...]
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return plain data, for `--json`."""
        return {**asdict(self), "features": dict(self.features)}


def status_of(record: LoopRecord) -> LoopStatus:
    """Return the figures of a record."""
    last = record.sessions[-1] if record.sessions else None
    state = (
        "not begun" if last is None else str(last.reason) if last.reason else f"session {last.number} runs"
    )
    features = record.features.features if record.features else ()
    return LoopStatus(
        loop=record.facts.loop,
        state=state,
        passing=record.passing,
        blocked=len(record.blocked),
        total=record.total,
        sessions=record.generation,
        total_tokens=record.spending.tokens.total,
        usd=round(record.spending.usd, 4),
        errors_recovered=record.recovered,
        features=tuple((one.id, str(record.status[one.id])) for one in features),
        note=last.note if last is not None and last.reason is HandoffReason.FAILED else "",
    )


def read_loops(
    remote: str, runtime: RuntimeEnvironment, *, prefix: str = "autonomous-loop"
) -> list[LoopRecord]:
    """Read the records of every loop below `prefix`, unverified, because verifying needs the key."""
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=runtime.temporary))
    repository = Repository.create(home, remote=remote, identity=IDENTITY, path=runtime.path, auth={})
    try:
        found = []
        for ref in sorted(repository.remote_refs(f"refs/heads/{prefix}/*/state")):
            branches = ref.removeprefix("refs/heads/").removesuffix("/state")
            tracker = StateTracker(
                repository,
                branches=branches,
                name="",
                loop=branches.rpartition("/")[2],
                keys=None,
                clock=SystemClock(),
            )
            record = tracker.read()
            if record is not None:
                found.append(record)
        return found
    finally:
        repository.close()
        shutil.rmtree(home, ignore_errors=True)


def loops_of(folder: Path, runtime: RuntimeEnvironment) -> list[LoopStatus]:
    """Return every loop of a git directory.

    Raises:
        RepositoryError: the folder is no git directory.
    """
    project = Project.open(folder)
    return [status_of(record) for record in read_loops(str(project.git_folder), runtime)]


def render(found: list[LoopStatus]) -> str:
    """Return text for people."""
    if not found:
        return "no loop has run here yet"
    lines = []
    for one in found:
        lines.append(
            f"{one.loop}: {one.state}; {one.passing} of {one.total} features proved, "
            f"{one.sessions} sessions, {one.total_tokens:,} tokens, about ${one.usd:.2f}"
        )
        lines += [f"  {status:8} {feature}" for feature, status in one.features]
        lines += [f"  {line}" for line in one.note.splitlines()]
    return "\n".join(lines)
