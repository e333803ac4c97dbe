"""Works on one feature: select, attempt, prove, keep or recover."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from autonomous_loop.domain.budget import Spending, Tokens
from autonomous_loop.domain.decision import HandoffReason, next_feature, ready_features
from autonomous_loop.domain.events import Blocked, Event, PutOff
from autonomous_loop.domain.feature import AttemptOutcome, Feature
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import CoderResult, Task
from autonomous_loop.engine.attempt import FeatureAttempt, Merge, Workbench
from autonomous_loop.engine.ports import Coder, Reporter
from autonomous_loop.engine.recovery import ErrorRecoverer, RecoveryStrategy
from autonomous_loop.errors import (
    LoopError,
    StopLoop,
    Superseded,
    UsageError,
    UsageLimitError,
    explain,
)

PATCH_LIMIT = 2_000_000
RESERVE = Spending(tokens=Tokens(input=20_000, output=5_000), usd=0.25)


@dataclass(frozen=True, slots=True)
class FeatureResult:
    """The outcome of work on a feature.

    Attributes:
        settled: the feature passes or is blocked, which counts as progress.
        over: why the session must end now; None if it may go on.
        not_before: when a usage limit ends.
        note: text for people.
    """

    settled: bool = False
    over: HandoffReason | None = None
    not_before: datetime | None = None
    note: str = ""


class FeatureOrchestrator:
    """Works on features, one at a time.

    Args:
        bench: all connected parts.
    """

    def __init__(self, bench: Workbench, *, coder: Coder, recoverer: ErrorRecoverer) -> None:
        self._bench = bench
        self._coder = coder
        self._recoverer = recoverer

    # --- before the first feature -------------------------------------------------------------------------

    async def open(self) -> None:
        """Open a fresh scratch clone at the newest checkpoint."""
        self._bench.progress.step("making a scratch clone")
        await self._bench.workspace.open(self._record().checkpoint)

    # --- one feature --------------------------------------------------------------------------------------

    def select(self) -> Feature | None:
        """Return the next ready feature, or None."""
        record = self._record()
        if record.features is None:
            return None
        return next_feature(
            record.features, record.status, in_progress=record.in_progress, put_off=record.put_off
        )

    async def work(self, feature: Feature) -> FeatureResult:
        """Make one attempt from the checkpoint, with the previous one's unfinished work if it still applies.

        Raises:
            Superseded, StopLoop, UsageError: the session must end; unfinished work was saved if possible.
        """
        record = self._record()
        start, checkpoint, merge = self._bench.trees.tree_of(record.checkpoint), record.checkpoint, None
        if (conflict := record.merges.get(feature.id)) is not None:
            message = f"Merge {conflict.branch}, up to the files in conflict\n"
            half = self._bench.checkpoints.half_merge(record.checkpoint, conflict.theirs, message=message)
            if half is not None:
                start, checkpoint, merge = half.start, half.commit, Merge(conflict.theirs, half.paths)
        attempt = FeatureAttempt(
            self._bench,
            feature=feature,
            number=len(record.attempts_at(feature.id)) + 1,
            session=record.generation,
            checkpoint=checkpoint,
            reserved=_reserve(record),
            merge=merge,
        )
        self._bench.journal.append([attempt.started()])
        task = await self._task(feature, record, start)
        self._bench.progress.update(self._record(), Spending())
        self._bench.progress.step(f"{feature.id}: attempt {task.number}")
        try:
            async with asyncio.timeout(self._bench.watch.seconds_left()):
                result = await self._coder.work(task, attempt)
        except TimeoutError:
            attempt.over = HandoffReason.TIME
            return await self._interrupted(attempt, FeatureResult(over=HandoffReason.TIME))
        except (Superseded, StopLoop):
            raise
        except UsageError:
            await self._interrupted(attempt, FeatureResult())
            raise
        except Exception as error:  # noqa: BLE001 - nobody foresaw it, but the work is worth as much
            return await self._interrupted(
                attempt, fault_of(error, self._recoverer, self._bench.reporter), fault=explain(error)
            )
        except asyncio.CancelledError:
            # A person stopped the session: save the unfinished work, then pass the stop on.
            await self._interrupted(attempt, FeatureResult())
            raise
        return await self._settle(feature, attempt, result)

    async def _task(self, feature: Feature, record: LoopRecord, start: TreeSha) -> Task:
        tree, patched = start, False
        kept = record.patches.get(feature.id)
        if kept is not None:
            patch = self._bench.journal.read_file(f"attempts/{feature.id}/{kept}.patch")
            before = self._bench.trees.tree_of(record.checkpoint)
            resumed = self._bench.trees.apply(before, patch) if patch else None
            if resumed is not None:
                tree, patched = resumed, True
        await self._bench.workspace.switch(tree)
        features = record.features.features if record.features else ()
        return Task(
            feature=feature,
            number=len(record.attempts_at(feature.id)) + 1,
            request=record.facts.request,
            earlier=record.attempts_at(feature.id),
            patched=patched,
            memory="\n".join(f"- {note}" for note in record.notes),
            done=tuple(one.description for one in features if one.id in record.proofs),
            tests=await self._bench.verifier.how_tests_run(record.checkpoint),
        )

    async def _settle(self, feature: Feature, attempt: FeatureAttempt, result: CoderResult) -> FeatureResult:
        if attempt.kept:
            return FeatureResult(settled=True, over=attempt.over)
        match result.ending:
            case "handed-off":
                over = attempt.over or HandoffReason.CONTEXT
                return await self._interrupted(attempt, FeatureResult(over=over))
            case "blocked":
                files = await self._unfinished(attempt)
                ended = attempt.ended(AttemptOutcome.BLOCKED, lesson=result.question, patch=bool(files))
                blocked = Blocked(
                    feature_id=feature.id,
                    reason="the model asks a question",
                    question=self._bench.reporter.redact(result.question)[:2_000],
                )
                self._bench.journal.append([ended, blocked], files=files | attempt.evidence)
                return FeatureResult(settled=True)
            case _:
                return self._recover(feature, attempt, result)

    def _recover(self, feature: Feature, attempt: FeatureAttempt, result: CoderResult) -> FeatureResult:
        gave_up = result.ending == "gave-up"
        reasons = result.verdict.reasons if result.verdict else ()
        lesson = "\n".join(f"{reason.code}: {reason.text}" for reason in reasons) or result.note
        ended = attempt.ended(
            AttemptOutcome.GAVE_UP if gave_up else AttemptOutcome.REFUSED,
            signature=result.verdict.signature if result.verdict else "",
            lesson=lesson,
        )
        record = self._record()
        others = len(ready_features(record.features, record.status)) > 1 if record.features else False
        strategy = self._recoverer.after_attempt(
            [*record.attempts_at(feature.id), ended.attempt], others_ready=others
        )
        events: list[Event] = []
        if strategy is RecoveryStrategy.ESCALATE:
            count = len(record.attempts_at(feature.id)) + 1
            why = f"{count} attempts did not pass; the last: {lesson[:1_000]}"
            events = [Blocked(feature_id=feature.id, reason=self._bench.reporter.redact(why))]
        elif strategy is RecoveryStrategy.SKIP:
            events = [PutOff(feature_id=feature.id)]
        else:
            # A fresh attempt from the checkpoint counts as a recovery.
            ended = ended.model_copy(update={"recovered": ended.recovered + 1})
        self._bench.journal.append([ended, *events], files=attempt.evidence)
        self._bench.progress.step(f"{feature.id}: {strategy}")
        return FeatureResult(settled=strategy is RecoveryStrategy.ESCALATE, over=attempt.over)

    async def _interrupted(
        self, attempt: FeatureAttempt, result: FeatureResult, *, fault: str = ""
    ) -> FeatureResult:
        """Keep unfinished work as a patch, so that the next attempt can start from it."""
        if attempt.kept:
            return FeatureResult(settled=True, over=result.over, not_before=result.not_before)
        # A push whose answer was lost may have kept the feature. Then there is nothing to save.
        self._bench.journal.settle()
        if told := attempt.told(self._record()):
            return FeatureResult(settled=told.outcome is AttemptOutcome.PROVED, over=attempt.over)
        files: dict[str, bytes] = {}
        try:
            files = await self._unfinished(attempt)
        except LoopError as error:
            fault = fault or f"the unfinished work could not be taken: {error}"
        outcome = AttemptOutcome.FAULT if fault else AttemptOutcome.INTERRUPTED
        ended = attempt.ended(outcome, lesson=fault, patch=bool(files))
        self._bench.journal.append([ended], files=files | attempt.evidence)
        return result

    async def _unfinished(self, attempt: FeatureAttempt) -> dict[str, bytes]:
        """Return the difference between checkpoint and work tree, as a file for the journal."""
        tree = attempt.proving or await self._bench.workspace.take()
        before = self._bench.trees.tree_of(self._record().checkpoint)
        patch = self._bench.trees.patch(before, tree, max_file=self._bench.config.max_file_bytes)
        if not patch or len(patch) > PATCH_LIMIT or self._bench.reporter.leaks(patch):
            return {}
        started = attempt.started()
        return {f"attempts/{started.feature_id}/{started.number}.patch": patch}

    def reason_for(self, error: Exception) -> HandoffReason:
        """Return the handoff reason for an error that ended a session."""
        return self._recoverer.handoff_for(self._recoverer.categorize(error))

    def _record(self) -> LoopRecord:
        return self._bench.journal.record()


def fault_of(error: Exception, recoverer: ErrorRecoverer, reporter: Reporter) -> FeatureResult:
    """Return the result, with the reason to end the session, for such an error."""
    until = error.resume_at if isinstance(error, UsageLimitError) else None
    over = recoverer.handoff_for(recoverer.categorize(error))
    return FeatureResult(over=over, not_before=until, note=reporter.redact(explain(error)))


def _reserve(record: LoopRecord) -> Spending:
    """Return the cost assumed for an attempt that dies: never below the loop's average so far."""
    tries, spent = len(record.attempts) or 1, record.spending
    counted = max(RESERVE.tokens.counted, spent.tokens.counted // tries)
    tokens = Tokens(input=counted - RESERVE.tokens.output, output=RESERVE.tokens.output)
    return Spending(tokens=tokens, usd=max(RESERVE.usd, spent.usd / tries))
