"""Uploads a session's evidence as one artifact of its run: best effort, after everything that counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from autonomous_loop.domain.feature import AttemptOutcome
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.session import Ending
from autonomous_loop.errors import LoopError
from autonomous_loop.github.action import RunFacts
from autonomous_loop.github.artifacts import ArtifactClient

MOST_BYTES: Final = 50_000_000
"""Maximum bytes of all files before packing. The artifact lists files that do not fit."""
_LEFT_OUT: Final = "LEFT-OUT.txt"


def keep(
    artifacts: ArtifactClient,
    ending: Ending,
    *,
    facts: RunFacts,
    handoff: Callable[[], str | None],
    read_file: Callable[[str], bytes | None],
    report: str,
    transcripts: Path,
    redact: Callable[[bytes], bytes],
) -> str:
    """Upload the evidence.

    Args:
        handoff: reads the handoff document that was written.
        read_file: reads a file of the state branch.
        report: the session's report in Markdown.
        transcripts: a folder; it may be missing.
        redact: removes secrets from each file.

    Returns:
        One line of Markdown: where the artifact is, or why there is none. A failure here fails no session.
    """
    record = ending.record
    if not record.sessions or record.sessions[-1].claimant.run_id != str(facts.run_id):
        return ""  # it ended before its claim, so it left no evidence
    claimant = record.sessions[-1].claimant
    name = f"autonomous-loop-{record.facts.loop}-session-{record.generation}-{claimant.nonce[:12]}"
    try:
        files = {"report.md": report.encode(), "handoff.json": (handoff() or "").encode()}
        for path in _paths(record):
            if (data := read_file(path)) is not None:
                files[path] = data
        for file in sorted(transcripts.glob("*.jsonl")):
            files[f"transcripts/{file.name}"] = file.read_bytes()
        made = artifacts.upload(name, _fitting({path: redact(data) for path, data in files.items()}))
    except (LoopError, OSError) as error:
        return f"This session's evidence could not be kept: {error.args[0]}"
    address = f"{facts.repository_url}/actions/runs/{facts.run_id}/artifacts/{made.id}"
    return f"Evidence of this session: [{made.name}]({address}), {made.size:,} bytes, `{made.digest}`."


def _paths(record: LoopRecord) -> list[str]:
    """Return the files this session wrote to the state branch: proofs, screenshots, patches, evidence."""
    found: list[str] = []
    for attempt in record.attempts:
        if attempt.session != record.generation:
            continue
        found += attempt.evidence
        found.append(f"attempts/{attempt.feature_id}/{attempt.number}.patch")  # only if unfinished
        if attempt.outcome is AttemptOutcome.PROVED and (proof := record.proofs.get(attempt.feature_id)):
            found.append(f"proofs/{attempt.feature_id}.json")
            found += [f"evidence/{attempt.feature_id}/{one.name}" for one in proof.evidence]
    return sorted(set(found))


def _fitting(files: dict[str, bytes]) -> dict[str, bytes]:
    """Take the smaller files first, so that one huge transcript displaces nothing else."""
    taken: dict[str, bytes] = {}
    left, out = MOST_BYTES, []
    for path, data in sorted(files.items(), key=lambda one: len(one[1])):
        if len(data) <= left:
            taken[path] = data
            left -= len(data)
        else:
            out.append(f"{path}: {len(data)} bytes")
    if out:
        taken[_LEFT_OUT] = ("\n".join(out) + "\n").encode()
    return taken
