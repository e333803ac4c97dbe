"""The loop's side of a conversation: accounting, proving and keeping."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason, NextStep
from autonomous_loop.domain.events import AttemptEnded, AttemptStarted, Event, Kept, Remembered, TakenIn
from autonomous_loop.domain.feature import Attempt, AttemptOutcome, Feature
from autonomous_loop.domain.model import CommitSha, TreeSha, scrubbed
from autonomous_loop.domain.proof import (
    Baseline,
    GateReport,
    Proof,
    Reason,
    Submission,
    Verdict,
    oversized,
)
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Turn
from autonomous_loop.engine.ports import (
    Checkpoints,
    Gate,
    Journal,
    Progress,
    Reporter,
    Trees,
    Verifier,
    Watch,
    Workspace,
)
from autonomous_loop.errors import SandboxCallError, SecretLeakError

DOUBLE = 2.0
MARKER = re.compile(rb"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Workbench:
    """All parts that work on a feature needs. `wiring` connects them once."""

    journal: Journal
    checkpoints: Checkpoints
    trees: Trees
    workspace: Workspace
    gate: Gate
    verifier: Verifier
    watch: Watch
    progress: Progress
    reporter: Reporter
    config: LoopConfig


class Conversation:
    """Accounts for the spending of any conversation. Subclasses implement the rest of `Control`.

    Args:
        subject: the feature's id, or `PLANNING`.
        number: number of the attempt.
        reserved: spending already journaled, in case the session dies before it reports its own.
    """

    def __init__(self, bench: Workbench, *, subject: str, number: int, reserved: Spending) -> None:
        self._bench = bench
        self._subject = subject
        self._number = number
        self._reserved = reserved
        self._journal = bench.journal
        self._watch = bench.watch
        self._progress = bench.progress
        self._config = bench.config
        self._compactions = 0
        self.spent = Spending()
        self.recovered = 0
        self.over: HandoffReason | None = None

    async def after_turn(self, turn: Turn) -> NextStep:
        """See `Control`."""
        self._watch.spend(turn.spending, answered=turn.answered)
        self.spent += turn.spending
        self.recovered += turn.recovered
        self._progress.update(self._journal.record(), self.spent)
        # The reservation must cover what a crash would leave unreported, including the cost of a next turn.
        ahead = self.spent + turn.spending
        if ahead.usd > self._reserved.usd or ahead.tokens.counted > self._reserved.tokens.counted:
            self._reserved = Spending(
                tokens=self.spent.tokens + self.spent.tokens, usd=self.spent.usd * DOUBLE
            )
            self._journal.append([self.started()])
        self.over = self._watch.over()
        if self.over:
            return NextStep.HAND_OFF
        if turn.context_used > self._config.context_threshold * turn.context_window:
            self._compactions += 1
            if self._compactions > self._config.max_compactions:
                self.over = HandoffReason.CONTEXT
                return NextStep.HAND_OFF
            self.progress("the conversation is compacted")
            return NextStep.COMPACT
        return NextStep.GO_ON

    def started(self) -> AttemptStarted:
        """Return the event that reserves this conversation's allowance."""
        return AttemptStarted(feature_id=self._subject, number=self._number, reserved=self._reserved)

    async def remember(self, note: str) -> None:
        """See `Control`."""
        self._journal.append([Remembered(note=self._bench.reporter.redact(note)[:2_000])])

    def progress(self, step: str) -> None:
        """See `Control`."""
        self._progress.step(step)

    def seconds_left(self) -> float:
        """See `Control`."""
        return self._watch.seconds_left()

    async def submit(self, submission: Submission) -> Verdict:
        """Refuse: this conversation has no feature to prove."""
        return refuse("no-feature", f"there is no feature to submit {submission.feature_id} for")


@dataclass(frozen=True, slots=True)
class Merge:
    """The merge that a feature consists of.

    Attributes:
        theirs: the commit to merge in.
        paths: files in conflict.
    """

    theirs: CommitSha
    paths: tuple[str, ...]


class FeatureAttempt(Conversation):
    """One attempt at a feature. Implements all of `Control`.

    Args:
        checkpoint: the commit the attempt starts from; for a merge, the part of it that git could do alone.
        merge: set if the feature is a merge.
    """

    def __init__(
        self,
        bench: Workbench,
        *,
        feature: Feature,
        number: int,
        session: int,
        checkpoint: CommitSha,
        reserved: Spending,
        merge: Merge | None = None,
    ) -> None:
        super().__init__(bench, subject=feature.id, number=number, reserved=reserved)
        self._feature = feature
        self._session = session
        self._checkpoint = checkpoint
        self._merge = merge
        self._reporter = bench.reporter
        self.kept: Proof | None = None
        self.proving: TreeSha | None = None  # the candidate, while the work tree may hold other content
        self.refusals = 0
        self._seen: Mapping[str, bytes] = {}

    @property
    def evidence(self) -> dict[str, bytes]:
        """Evidence from the last refused submission, as files for the journal."""
        folder = f"attempts/{self._feature.id}/{self._number}"
        return {f"{folder}/{name}": data for name, data in self._seen.items()}

    async def submit(self, submission: Submission) -> Verdict:
        """Prove exactly the tree that was taken, and keep it at once, before anything can change."""
        if self.kept:
            return refuse("already-kept", f"{self._feature.id} was proved already")
        self.progress(f"{self._feature.id}: proving")
        try:
            verdict = await self._prove(submission)
        except SandboxCallError as error:
            verdict = refuse("work-tree", str(error))
        if not verdict.accepted:
            self.refusals += 1
            self.recovered += self.refusals < self._config.max_submissions
            self.progress(f"{self._feature.id}: refused: {verdict.reasons[0].code}")
        return verdict

    async def _prove(self, submission: Submission) -> Verdict:
        record = self._journal.record()
        before = self._bench.trees.tree_of(self._checkpoint)
        candidate = await self._bench.workspace.take()
        report = await self._bench.gate.check(before, candidate)
        # Keep nothing of work that is too large. Do not make a patch either: it would have to fit in memory.
        fits = all(reason.code != "size" for reason in report.refusals)
        if fits and self._reporter.leaks(self._bench.trees.patch(before, candidate) or b""):
            raise SecretLeakError(
                f"a key of the loop stands in the work on {self._feature.id}: nothing of it was kept",
                hint="change that key, and find out how it came there.",
            )
        self.proving = candidate
        if report.held_back:
            candidate = self._bench.trees.overlay(candidate, before, report.held_back)
            await self._bench.workspace.switch(candidate)
            self.proving = candidate
        if report.refusals:
            self.proving = None
            return Verdict(accepted=False, reasons=report.refusals)
        if self._merge is None and candidate == before:
            return self._unchanged(report)
        if unsolved := self._unsolved(candidate):
            self.proving = None
            names = ", ".join(unsolved)
            return refuse("conflict", f"these files still hold conflict markers: {names}")
        verdict, evidence = await self._bench.verifier.prove(
            self._feature,
            submission,
            before=self._checkpoint,
            after=candidate,
            baseline=record.baseline or Baseline(),
            passing=self._passing(record),
            gate=report,
        )
        self.proving = None
        self._seen = {} if verdict.accepted else evidence
        if verdict.accepted and verdict.proof:
            held = tuple(f"held back, for you to apply: {path}" for path in report.held_back)
            proof = verdict.proof.model_copy(update={"notices": verdict.proof.notices + held})
            if too_much := oversized(proof):
                return refuse("too-many-ids", too_much)
            self._keep(proof, evidence)
        return verdict

    def _unsolved(self, candidate: TreeSha) -> list[str]:
        paths = self._merge.paths if self._merge else ()
        return [path for path in paths if MARKER.search(self._bench.trees.read(candidate, path) or b"")]

    def _passing(self, record: LoopRecord) -> Mapping[str, Proof]:
        """Return the proofs; the checkpoint's own in full, since it lists what passed in the whole suite."""
        newest = next((one for one in record.proofs.values() if one.after == self._checkpoint), None)
        if newest is None:
            return record.proofs
        data = self._journal.read_file(f"proofs/{newest.feature_id}.json") or b""
        if digest_of(data) != record.digests.get(newest.feature_id):
            return record.proofs
        return {**record.proofs, newest.feature_id: Proof.model_validate_json(data)}

    def _unchanged(self, report: GateReport) -> Verdict:
        self.proving = None
        if report.held_back:
            names = ", ".join(report.held_back)
            return refuse(
                "protected-path", f"only protected paths were changed, and they are held back: {names}"
            )
        return refuse("no-change", "nothing differs from the last checkpoint: there is nothing to prove")

    def _keep(self, proof: Proof, evidence: Mapping[str, bytes]) -> None:
        message = commit_message(self._feature, proof, self._reporter)
        commit = self._bench.checkpoints.create(self._checkpoint, proof.after_tree, message=message)
        proof = scrubbed(proof.model_copy(update={"after": commit}), self._reporter.redact)
        data = proof.model_dump_json(indent=1).encode()
        files = {f"proofs/{self._feature.id}.json": data}
        files |= {f"evidence/{self._feature.id}/{name}": data for name, data in evidence.items()}
        ended = self.ended(AttemptOutcome.PROVED)
        merged: list[Event] = []
        if self._merge is not None:
            merged = [TakenIn(commit=self._merge.theirs, checkpoint=self._checkpoint)]
        kept = Kept(proof=proof.brief, digest=digest_of(data))
        if self._config.auto_checkpoint:
            self._journal.append([*merged, ended, kept], files=files, checkpoint=commit)
        else:
            # Journal spending immediately: a crash may lose a feature here, but never under-reports cost.
            self._journal.append([*merged, kept], files=files, checkpoint=commit, push=False)
            self._journal.append([ended])
        self.kept = proof
        self.progress(f"{self._feature.id}: proved and kept")
        self._progress.update(self._journal.record(), Spending())

    def told(self, record: LoopRecord) -> Attempt | None:
        """Return how the attempt ended, or None if the journal does not say."""
        tries = record.attempts_at(self._feature.id)
        return next((one for one in tries if one.number == self._number), None)

    def ended(
        self, outcome: AttemptOutcome, *, signature: str = "", lesson: str = "", patch: bool = False
    ) -> AttemptEnded:
        """Return the event that settles this attempt at its real cost."""
        attempt = Attempt(
            feature_id=self._feature.id,
            number=self._number,
            session=self._session,
            outcome=outcome,
            signature=signature,
            lesson=self._reporter.redact(lesson)[:4_000],
            evidence=tuple(sorted(self.evidence)),
        )
        return AttemptEnded(attempt=attempt, spending=self.spent, patch=patch, recovered=self.recovered)


def digest_of(data: bytes) -> str:
    """Return the SHA-256 digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def refuse(code: str, text: str) -> Verdict:
    """Return a refusal with one reason."""
    return Verdict(accepted=False, reasons=(Reason(code=code, text=text),))


def commit_message(feature: Feature, proof: Proof, reporter: Reporter) -> str:
    """Return subject, summary and a one-line proof, as text that `git log` can show."""
    first = feature.description.strip().partition("\n")[0].strip().rstrip(".")
    subject = f"{feature.id}: {first}"
    lines = [subject if len(subject) <= 72 else subject[:69].rstrip() + "..."]
    if proof.summary.strip():
        lines += ["", proof.summary.strip()[:2_000]]
    red = f"red: {len(proof.red.failing)} failing, " if proof.red else ""
    green = (
        f"green: {proof.green.counts.passed} passing" if proof.green and proof.green.counts else "gates clean"
    )
    lines += ["", f"Proof: {red}{green}"]
    text = "".join(one for one in "\n".join(lines) if one.isprintable() or one in "\n\t")  # git rejects NUL
    return reporter.redact(text) + "\n"
