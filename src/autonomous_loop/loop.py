"""The whole loop, on one page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.orchestrator import FeatureResult
from autonomous_loop.engine.session import Ending
from autonomous_loop.errors import StopLoop, Superseded, UsageError
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import Parts, local_parts


@dataclass(frozen=True, slots=True)
class LoopResult:
    """The state of a loop at the end of a run.

    Attributes:
        success: every feature is proved, and the clean room held.
        features_completed: number of features that pass.
        features_total: number of features.
        sessions_used: sessions of the whole loop.
        total_tokens: all tokens, cache reads included.
        errors_recovered: refusals fixed, rollbacks and retries.
        duration_minutes: wall-clock minutes of this run.
        handoff_reason: why the last session ended, such as "complete", "money" or "blocked".
    """

    success: bool
    features_completed: int
    features_total: int
    sessions_used: int
    total_tokens: int
    errors_recovered: int
    duration_minutes: float
    handoff_reason: str

    def as_dict(self) -> dict[str, object]:
        """Return plain data, for `--json`."""
        return asdict(self)


class AutonomousLoop:
    """Takes one request to proved code, on branches of a git directory.

    Args:
        project_dir: a git directory with at least one commit; its checkout is never touched.
        request: a Markdown file; None means `feature_list.json` in the project's root.
        surroundings: credentials, addresses and progress observers; None reads them from the environment.
        overrides: keys that take precedence over the project's own configuration.

    Attributes:
        branches: the prefix of the loop's branches, after a run.
        note: the last session's note to people, after a run.
    """

    def __init__(
        self,
        project_dir: str | Path,
        *,
        request: str | Path | None = None,
        surroundings: RuntimeEnvironment | None = None,
        overrides: Mapping[str, object] | None = None,
    ) -> None:
        self._project = Path(project_dir)
        self._request = Path(request) if request is not None else None
        self._overrides = dict(overrides or {})
        self.branches = ""
        self.note = ""
        self._surroundings = surroundings or RuntimeEnvironment.from_environment()

    async def run(self, config: LoopConfig | None = None) -> LoopResult:
        """Run session after session until an end state; a second run resumes.

        Args:
            config: None uses the project's own.

        Raises:
            UsageError: a person must fix input, configuration or environment.
            StopLoop: the journal or the handoff cannot be trusted.
        """
        began = time.monotonic()
        while True:
            parts = await local_parts(
                self._project, self._request, config, self._surroundings, overrides=self._overrides
            )
            self.branches = parts.branches
            try:
                ending = await run_session(parts)
            finally:
                await parts.close()
            self.note = ending.note
            if not ending.continuation.started:
                return result_of(ending.record, ending.reason, minutes=(time.monotonic() - began) / 60)


async def run_session(parts: Parts) -> Ending:
    """Run one session: restore, claim, plan, features, publish, end.

    Raises:
        Superseded: another session is at work, so this one ends and changes nothing.
        UsageError, StopLoop: raised before the claim; after it they end the session and a person must act.
    """
    session, work = parts.session, parts.orchestrator
    record = session.restore()
    if spent := session.spent_before(record):
        return session.nothing_to_do(spent)
    session.claim()
    try:
        parts.people.listen()
        await work.open()
        await parts.upstream.take_in()
        ended = await _work(parts)
        while ended.over is None and session.complete():
            reasons = await parts.suite.clean_room()
            if not session.complete():  # the base branch conflicts, and that conflict is work now
                ended = await _work(parts)
            else:
                done = HandoffReason.BLOCKED if reasons else HandoffReason.COMPLETE
                ended = FeatureResult(over=done, note="; ".join(reasons))
        over, note = ended.over, ended.note
        return session.end(session.reason_at_end(over), note=note, not_before=ended.not_before)
    except asyncio.CancelledError:
        # A signal before our own deadline is a person's stop: save the work, dispatch nothing.
        reason = session.reason_at_end(HandoffReason.TIME) if parts.limits.late else HandoffReason.STOPPED
        return session.end(reason, note="the job was told to stop")
    except Superseded:
        raise
    except (UsageError, StopLoop) as error:
        session.failed(error)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the session must not stay claimed
        return session.failed(error, work.reason_for(error))


async def _work(parts: Parts) -> FeatureResult:
    """Plan, work on features, and run the suite if it does not run for each feature."""
    session, suite = parts.session, parts.suite
    ended = await _plan(parts)
    # Due here only if the previous session had no time for it.
    if ended.over is None and suite.is_due(complete=False):
        ended = await suite.hold()
    while ended.over is None:
        ended = await _features(parts)
        at_end = ended.over in {None, HandoffReason.SESSION_DONE}
        if not at_end or not suite.is_due(complete=session.complete()):
            break
        held = await suite.hold()
        ended = held if held.over else ended
    return ended


async def _features(parts: Parts) -> FeatureResult:
    """Work on one feature after another, until none is ready or a limit is near."""
    session, work, limits = parts.session, parts.orchestrator, parts.limits
    result = FeatureResult()
    while True:
        if session.record().waiting:
            result = await parts.planning.plan_late()
            if result.over:
                break
            session.progressed()
        if (feature := work.select()) is None:
            break
        result = await work.work(feature)
        if result.settled:
            session.progressed()
        limits.kept = session.kept_here()
        poor = result.over is HandoffReason.MONEY
        parts.people.listen(at_once=poor)
        over = limits.over() if poor else result.over or limits.over()  # a person may have raised the budget
        if over is None and limits.share_done() and work.select() is not None:
            over = HandoffReason.SESSION_DONE
        result = replace(result, over=over)
        if over:
            break
    return result


async def _plan(parts: Parts) -> FeatureResult:
    """First session: make and try the feature list. Later: setup alone, and only if there is work."""
    session = parts.session
    if session.record().features is None:
        result = await parts.planning.plan(parts.imported)
        if session.record().features is None:
            return replace(result, over=result.over or HandoffReason.NO_PROGRESS)
        session.progressed()
        if result.over:
            return result
    if session.awaits_go(session.record()):
        return FeatureResult(over=HandoffReason.APPROVAL)
    if not session.complete():
        await parts.groundwork.lay()
    return FeatureResult(over=parts.limits.over())


def result_of(record: LoopRecord, reason: HandoffReason, *, minutes: float) -> LoopResult:
    """Compute the eight figures from the record alone."""
    return LoopResult(
        success=record.complete and reason is HandoffReason.COMPLETE,
        features_completed=record.passing,
        features_total=record.total,
        sessions_used=record.generation,
        total_tokens=record.spending.tokens.total,
        errors_recovered=record.recovered,
        duration_minutes=round(minutes, 3),
        handoff_reason=str(reason),
    )
