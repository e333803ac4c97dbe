"""Merges what people pushed into the checkpoint, and proves everything again."""

from __future__ import annotations

from autonomous_loop.domain.events import Added, Conflicted, Event, RequestAdded, Revoked, SuiteHeld, TakenIn
from autonomous_loop.domain.feature import Feature, FeatureKind, FeatureStatus
from autonomous_loop.domain.late_requests import joined
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.proof import Baseline, Verdict
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.attempt import Workbench
from autonomous_loop.errors import StopLoop

# Failures the agent cannot fix: a person must, before anything can be proved.
_FOR_A_PERSON = frozenset({"setup", "environment"})


class UpstreamMerger:
    """Merges other people's commits. A conflict or a broken proof becomes work for the loop.

    Args:
        bench: all connected parts.
        most_merges: how often the agent may be asked to merge the same branch.
    """

    def __init__(self, bench: Workbench, *, most_merges: int) -> None:
        self._bench = bench
        self._most_merges = most_merges

    def is_due(self) -> bool:
        """Whether the pull request's branch has commits that the checkpoint lacks."""
        head, record = self._bench.checkpoints.head("pr"), self._bench.journal.record()
        return head is not None and not self._bench.checkpoints.is_ancestor(head, record.checkpoint)

    async def take_in(self) -> None:
        """Merge commits that people pushed to the pull request's branch, and prove everything again.

        Raises:
            StopLoop: the branch was rewritten, or nothing can be proved with it. A person decides.
        """
        bench, record = self._bench, self._bench.journal.record()
        head = bench.checkpoints.head("pr")
        published = record.published or record.facts.base
        if head is None or bench.checkpoints.is_ancestor(head, record.checkpoint):
            return
        if not bench.checkpoints.is_ancestor(published, head):
            raise StopLoop(
                "the pull request's branch was rewritten: it does not contain what the loop published",
                hint=f"push {published[:12]} back, or close it and label the issue anew.",
            )
        message = "Merge commits pushed to the pull request\n"
        merged = bench.checkpoints.merge(record.checkpoint, head, message=message)
        if merged is None:
            if not self.merge_by_hand(head, branch="the pull request's branch"):
                raise StopLoop(
                    "the commits pushed to the pull request conflict with the newest checkpoint",
                    hint=f"merge checkpoint/{record.generation} into the pull request's branch yourself.",
                )
            return
        bench.progress.step("proving everything again with the commits people pushed")
        verdict = await bench.verifier.clean_room(
            merged, baseline=record.baseline or Baseline(), passing=record.proofs
        )
        taken = TakenIn(commit=head, checkpoint=merged)
        if verdict.accepted:
            held = SuiteHeld(commit=merged, accepted=True, run=verdict.suite)
            bench.journal.append([taken, held], checkpoint=merged)
            return
        if any(reason.code in _FOR_A_PERSON for reason in verdict.reasons):
            raise StopLoop(
                "nothing can be proved with the commits pushed to the pull request: "
                + _said(verdict)[:1_500],
                hint="push a commit that mends it, then comment `/loop continue`.",
            )
        bench.progress.step("the commits people pushed broke something: that is work now")
        bench.journal.append([taken, *self._broken(record, head, verdict)], checkpoint=merged)

    def merge_by_hand(self, theirs: CommitSha, *, branch: str) -> bool:
        """Turn a conflict into the next feature. One feature at most stands for the same branch.

        Returns:
            False if the agent was asked often enough, or if git cannot merge anything.
        """
        bench, record = self._bench, self._bench.journal.record()
        mine = [one for one in record.merges.values() if one.branch == branch]
        unsolved = [one for one in mine if record.status.get(one.feature_id) is not FeatureStatus.PASSING]
        if record.features is None or (not unsolved and len(mine) >= self._most_merges):
            return False
        message = f"Merge {branch}, up to the files in conflict\n"
        half = bench.checkpoints.half_merge(record.checkpoint, theirs, message=message)
        if half is None:
            return False
        if unsolved:
            last = unsolved[-1]
            if last.theirs != theirs:
                moved = last.model_copy(update={"theirs": theirs, "paths": half.paths[:200]})
                bench.journal.append([moved])
            return True
        features, (added,) = joined(record.features, [_merge_feature(branch, half.paths)])
        bench.journal.set_features(features)
        conflicted = Conflicted(feature_id=added.id, theirs=theirs, branch=branch, paths=half.paths[:200])
        bench.journal.append([Added(features=(added.id,)), conflicted])
        return True

    def _broken(self, record: LoopRecord, head: CommitSha, verdict: Verdict) -> list[Event]:
        """Revoke proofs that no longer hold; other tests that broke become a feature."""
        lost = set(verdict.lost)
        events: list[Event] = []
        owned: set[str] = set()
        for feature_id, proof in record.proofs.items():
            mine = sorted(lost & set(proof.green.passed)) if proof.green else []
            if not mine:
                continue
            owned.update(mine)
            why = (
                f"this feature was proved, but with the commits pushed to the pull request ({head[:12]})"
                f" its tests fail: {', '.join(mine[:20])}. Those commits are in the work tree and stay. Make"
                " the feature work with them, and submit its tests again."
            )
            events.append(Revoked(feature_id=feature_id, commit=head, tests=tuple(mine[:100]), why=why))
        if others := sorted(lost - owned):
            text = f"These tests passed before and do not now: {', '.join(others[:50])}."
        elif not events:
            text = _said(verdict)
        else:
            return events
        text += "\nMend it so that what was pushed stays."
        events.append(RequestAdded(id=f"pushed-{head}", source="push", subject=head, text=text[:20_000]))
        return events


def _merge_feature(branch: str, paths: tuple[str, ...]) -> Feature:
    shown = ", ".join(paths[:30]) or "nothing any more"
    return Feature(
        id="merge-" + ("pull-request" if branch.startswith("the ") else "base-branch"),
        kind=FeatureKind.CHORE,
        category="merge",
        description=(
            f"{branch[:1].upper()}{branch[1:]} is merged in. The work tree holds the merge; in conflict:"
            f" {shown[:3_000]}. Look for <<<<<<< and >>>>>>>, keep what both sides mean, run the whole suite,"
            " and submit without tests."
        ),
        priority=0,
    )


def _said(verdict: Verdict) -> str:
    return "; ".join(reason.text for reason in verdict.reasons)
