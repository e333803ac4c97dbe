"""Runs the whole suite, if it costs too much to run for each feature, and the clean room."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Blocked, CleanRoomHeld, Event, Revoked, SuiteHeld, TakenIn
from autonomous_loop.domain.feature import Attempt, AttemptOutcome
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.proof import Baseline, Verdict
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.attempt import Workbench
from autonomous_loop.engine.orchestrator import FeatureResult
from autonomous_loop.engine.recovery import ErrorRecoverer, RecoveryStrategy
from autonomous_loop.engine.upstream import UpstreamMerger

MEND = "push a commit that mends it to the pull request's branch, then comment `/loop continue`"


class FullSuite:
    """Checks that everything proved so far holds together, and finds the checkpoint that broke it.

    Args:
        bench: all connected parts.
        recoverer: decides when a feature was tried often enough.
        taking_in: turns a conflict with the base branch into a feature.
    """

    def __init__(self, bench: Workbench, *, recoverer: ErrorRecoverer, upstream: UpstreamMerger) -> None:
        self._taking_in = upstream
        self._bench = bench
        self._recoverer = recoverer

    def is_due(self, *, complete: bool) -> bool:
        """Whether the suite must run now, between two sessions or at the end (`complete`)."""
        mode, record = self._bench.config.regression, self._bench.journal.record()
        seen = record.suite.commit if record.suite else record.facts.base
        if mode == "feature" or record.checkpoint == seen:
            return False
        return complete or mode == "session"

    async def hold(self) -> FeatureResult:
        """Run the suite on the newest checkpoint. A feature that broke it loses its proof and is pending.

        Returns:
            Why the session must end and what a person should know; both empty while the loop can go on.
        """
        journal = self._bench.journal
        journal.flush()
        record = journal.record()
        self._bench.progress.step("the whole suite, on everything since it last ran")
        try:
            async with asyncio.timeout(self._bench.watch.seconds_left()):
                verdict = await self._bench.verifier.suite(
                    record.checkpoint, baseline=record.baseline or Baseline(), passing=record.proofs
                )
                broke = {} if verdict.accepted else await self._culprits(record, verdict)
        except TimeoutError:
            note = "the whole suite did not end within this session (`regression`)"
            return FeatureResult(over=HandoffReason.TIME, note=note)
        reasons = tuple(reason.text[:2_000] for reason in verdict.reasons)
        held = SuiteHeld(
            commit=record.checkpoint, accepted=verdict.accepted, run=verdict.suite, reasons=reasons
        )
        revoked = [one for commit, ids in broke.items() for one in self._revoke(record, commit, ids)]
        journal.append([held, *revoked])
        self._bench.progress.update(journal.record(), Spending())
        if verdict.accepted or any(isinstance(one, Revoked) for one in revoked):
            return FeatureResult()
        named = self._names(record, broke)
        note = "\n".join(["the whole suite does not hold:", *reasons, *named, MEND])
        return FeatureResult(over=HandoffReason.BLOCKED, note=note)

    async def clean_room(self) -> Sequence[str]:
        """Prove everything once more in a fresh clone, with the base branch merged in.

        Returns:
            Reasons why the loop is not complete; empty if every proof holds. Also empty if the base branch
            conflicts: the conflict is then a new feature, and the loop has work left.
        """
        bench = self._bench
        bench.journal.flush()
        record = bench.journal.record()
        commit = record.checkpoint
        base = bench.checkpoints.base_head(record.facts.base_branch)
        if base:
            message = f"Merge {record.facts.base_branch} into the pull request\n"
            merged = bench.checkpoints.merge(commit, base, message=message)
            if merged is None and self._taking_in.merge_by_hand(base, branch=record.facts.base_branch):
                return []
            if merged is None:
                return [f"{record.facts.base_branch} conflicts with the pull request: merge it in yourself"]
            commit = merged
        bench.progress.step("clean room: a fresh clone, a fresh setup, every proof once more")
        verdict = await bench.verifier.clean_room(
            commit, baseline=record.baseline or Baseline(), passing=record.proofs
        )
        reasons = tuple(reason.text for reason in verdict.reasons)
        if verdict.lost:
            broke = await self._culprits(record, verdict, newest=commit)
            reasons += tuple(self._names(record, broke))
        held = CleanRoomHeld(commit=commit, accepted=verdict.accepted, reasons=reasons)
        if commit != record.checkpoint and verdict.accepted:
            bench.journal.append([TakenIn(commit=commit, checkpoint=commit), held], checkpoint=commit)
        else:
            bench.journal.append([held])
        return () if verdict.accepted else (*reasons, MEND)

    async def _culprits(
        self, record: LoopRecord, verdict: Verdict, *, newest: CommitSha | None = None
    ) -> Mapping[CommitSha, Sequence[str]]:
        """Return the lost tests by the checkpoint that lost them; empty if they were lost from the start."""
        if any(reason.code == "environment" for reason in verdict.reasons):
            return {}
        kept = [CommitSha(proof.after) for proof in record.proofs.values() if proof.after]
        # The clean room is a different environment: only the loop's start commit is known to hold there.
        start = record.facts.base if newest else record.held
        if start in kept:
            kept = kept[kept.index(start) + 1 :]
        steps = list(dict.fromkeys([start, *kept, newest or record.checkpoint]))
        self._bench.progress.step(f"looking for what broke, among {len(steps) - 1} checkpoints")
        return await self._bench.verifier.culprits(steps, lost=verdict.lost, passing=record.proofs)

    def _revoke(self, record: LoopRecord, commit: CommitSha, ids: Sequence[str]) -> list[Event]:
        feature_id = _feature_at(record, commit)
        if not feature_id:
            return []
        tests = ", ".join(ids[:20])
        why = (
            f"this feature was proved, but since its checkpoint ({commit[:12]}) the whole suite fails:"
            f" {tests}. The feature's code is still there. Mend it so that these pass too, and submit them"
            " together with the feature's own tests: they must fail on the code as it is now."
        )
        revoked = Revoked(feature_id=feature_id, commit=commit, tests=tuple(ids[:100]), why=why)
        last = Attempt(
            feature_id=feature_id, number=1, session=record.generation, outcome=AttemptOutcome.REVOKED
        )
        attempts = [*record.attempts_at(feature_id), last]
        self._bench.progress.step(f"{feature_id}: its proof is taken back, it broke {tests[:200]}")
        if self._recoverer.after_attempt(attempts, others_ready=True) is RecoveryStrategy.ESCALATE:
            return [revoked, Blocked(feature_id=feature_id, reason=why)]
        return [revoked]

    def _names(self, record: LoopRecord, broke: Mapping[CommitSha, Sequence[str]]) -> list[str]:
        return [
            f"{', '.join(ids[:20])}: broken since the checkpoint {commit[:12]}"
            + (f", which is the feature {feature}" if (feature := _feature_at(record, commit)) else "")
            for commit, ids in broke.items()
        ]


def _feature_at(record: LoopRecord, commit: CommitSha) -> str:
    """Return the feature that a checkpoint was made for; empty for a merge of people's commits."""
    return next((proof.feature_id for proof in record.proofs.values() if proof.after == commit), "")
