"""Checks that a loop's branches match its journal, and what people would merge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.events import Event, Kept, TakenIn
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.record import Entry, LoopRecord
from autonomous_loop.errors import JournalError, UsageError
from autonomous_loop.git.repository import Repository

MOST_NAMED = 10
CHECKPOINT = re.compile(r"checkpoint/(\d+)")
NOT_HERE = "(deleted, or not fetched)"


@dataclass(frozen=True, slots=True)
class Heads:
    """The commits of a loop's branches.

    Attributes:
        pr: the commit people would merge; None: there is no such branch.
        checkpoints: by session.
    """

    pr: CommitSha | None
    checkpoints: dict[int, CommitSha]

    @classmethod
    def of(cls, repository: Repository, branches: str) -> Heads:
        """Read the branches that were fetched into the loop's own repository."""
        place = f"refs/heads/{branches}/"
        heads = {ref.removeprefix(place): sha for ref, sha in repository.remote_refs(f"{place}*").items()}
        numbered = ((CHECKPOINT.fullmatch(name), sha) for name, sha in heads.items())
        return cls(heads.get("pr"), {int(match[1]): sha for match, sha in numbered if match})


@dataclass(frozen=True, slots=True)
class Standing:
    """The commits and findings that an audit starts from.

    Attributes:
        commit: the commit to prove again: the head of `pr` if it has more than the record, or something
            else; otherwise the newest checkpoint.
        pr: the commit people would merge.
        findings: faults of the branches.
        notes: other facts a reader should know.
    """

    commit: CommitSha
    pr: CommitSha | None
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def refuse_without_proofs(heads: Heads, record: LoopRecord) -> None:
    """Refuse a journal without proofs, and tell an empty one from one whose end was cut off.

    Raises:
        UsageError: there is nothing to audit.
        JournalError: the branches are ahead of the journal.
    """
    loop = record.facts.loop
    moved = {f"checkpoint/{number}": sha for number, sha in heads.checkpoints.items()}
    moved |= {"pr": heads.pr} if heads.pr else {}
    beyond = [f"{name} at {sha[:12]}" for name, sha in moved.items() if sha != record.facts.base]
    if beyond:
        raise JournalError(
            f"{loop} has no proof in its journal, and yet its branches stand beyond what it started from"
            f" ({', '.join(beyond)}): its end is missing",
            hint="look for who moved the branch state back: git reflog, or the audit log of the forge.",
        )
    raise UsageError(
        f"{loop} has no proof yet: there is nothing to audit",
        hint="`autonomous-loop status` tells where it stands.",
    )


def standing(
    repository: Repository, branches: str, heads: Heads, record: LoopRecord, entries: Sequence[Entry]
) -> Standing:
    """Return the commit people would merge, and whether the journal knows it.

    Raises:
        UsageError: the newest checkpoint is not here.
    """
    if not repository.has(f"{record.checkpoint}^{{commit}}"):
        raise UsageError(
            f"the newest checkpoint, {record.checkpoint[:12]}, is not here",
            hint="fetch the loop's branches: git fetch origin"
            f" 'refs/heads/{branches}/*:refs/remotes/origin/{branches}/*'.",
        )
    events = [entry.event for entry in entries]
    findings = [
        *_gaps(repository, record.facts.base, events),
        *_checkpoints(heads, record, entries),
    ]
    found, note = _pull_request(repository, heads.pr, record, events)
    findings += [found] if found else []
    ours = heads.pr is None or repository.is_ancestor(heads.pr, record.checkpoint)
    commit = record.checkpoint if ours or heads.pr is None else heads.pr
    return Standing(commit, heads.pr, tuple(findings), (note,) if note else ())


def _gaps(repository: Repository, base: CommitSha, events: Sequence[Event]) -> Iterator[str]:
    """Check from the base on that each proof starts at the previous one's commit, without gaps."""
    at = base
    for event in events:
        if isinstance(event, Kept) and event.proof.after is not None:
            proof = event.proof
            if proof.before != at:
                stood = f"while the loop stood at {at[:12]}"
                yield f"{proof.feature_id} was proved on {proof.before[:12]}, {stood}"
            at = event.proof.after
        elif isinstance(event, TakenIn):
            if repository.has(event.checkpoint) and not repository.is_ancestor(at, event.checkpoint):
                yield f"{event.checkpoint[:12]}, taken in, does not contain {at[:12]}"
            at = event.checkpoint


def _checkpoints(heads: Heads, record: LoopRecord, entries: Sequence[Entry]) -> Iterator[str]:
    """Check that each session's branch is at its last proof; older branches are deleted after a while."""
    left: dict[int, CommitSha] = {}
    for entry in entries:
        match entry.event:
            case Kept(proof=proof) if proof.after is not None:
                left[entry.session] = proof.after
            case TakenIn(checkpoint=commit):
                left[entry.session] = commit
    for number, head in sorted(heads.checkpoints.items()):
        if number > record.generation:
            yield (
                f"the branch checkpoint/{number} is there, and the journal knows no session {number}:"
                " its end is missing, or the loop did not make that branch"
            )
        elif (said := left.get(number, record.facts.base)) != head:
            yield f"checkpoint/{number} stands at {head[:12]}, the record at {said[:12]}"
    newest = max(left, default=0)
    if newest and newest not in heads.checkpoints:
        where = left[newest][:12]
        yield f"the branch checkpoint/{newest} is missing: session {newest} left it at {where} {NOT_HERE}"


def _pull_request(
    repository: Repository, pr: CommitSha | None, record: LoopRecord, events: Sequence[Event]
) -> tuple[str, str]:
    """Return a fault of the branch that people would merge, or a note about it."""
    if pr is None:
        if record.closed is not None:
            return "", f"there is no branch pr any more: its pull request was {record.closed.how}"
        if record.published is None:
            return "", "there is no branch pr yet: no session has come to its end with something proved"
        moved = f"the journal moved it to {record.published[:12]}"
        return f"the branch pr is missing {NOT_HERE}: {moved}, and there is nothing to merge", ""
    if repository.is_ancestor(pr, record.checkpoint):
        taken = {event.commit for event in events if isinstance(event, TakenIn)}
        return _within(repository, pr, record, known=pr == record.published or pr in taken)
    if repository.is_ancestor(record.checkpoint, pr):
        return _unproved(repository, record.checkpoint, pr), ""
    lost = _lost(repository, pr, record)
    return f"the branch pr stands at {pr[:12]}, which does not contain what was proved{lost}", ""


def _within(repository: Repository, pr: CommitSha, record: LoopRecord, *, known: bool) -> tuple[str, str]:
    """Check a branch that holds only proved work. `known`: the journal mentions its commit."""
    stands, lost = f"the branch pr stands at {pr[:12]}", _lost(repository, pr, record)
    if record.published is not None and not repository.is_ancestor(record.published, pr):
        moved = f"the journal moved it to {record.published[:12]}"
        return f"the branch pr was moved back: it stands at {pr[:12]}, and {moved}{lost}", ""
    if not known:
        cut = "the journal's end is missing (it was cut, or its session was killed at that moment)"
        return f"{stands}, and the journal never moved it there: {cut}{lost}", ""
    if pr == record.checkpoint:
        return "", ""
    if record.sessions and record.sessions[-1].ended is None:
        return "", f"{stands}: the session that is at work has not moved it on yet{lost}"
    return f"{stands}, and the last session ended without moving it on{lost}", ""


def _lost(repository: Repository, pr: CommitSha, record: LoopRecord) -> str:
    """Name proved features that are missing from what people would merge."""
    names = [
        name
        for name, proof in record.proofs.items()
        if proof.after is not None and not repository.is_ancestor(proof.after, pr)
    ]
    return f"; whoever merges it does not get: {_some(names)}" if names else ""


def _unproved(repository: Repository, newest: CommitSha, pr: CommitSha) -> str:
    rows = repository.git.text("log", "--format=%h %s", f"{newest}..{pr}").splitlines()
    what = "1 commit" if len(rows) == 1 else f"{len(rows)} commits"
    return (
        f"the branch pr has {what} after the last proof ({newest[:12]}), which nobody proved, up to"
        f" {pr[:12]}: {_some([row[:100] for row in rows])}"
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
