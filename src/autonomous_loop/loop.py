"""The loop, on one page."""

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
    """How a loop stands at the end of a run.

    Attributes:
        success: every feature is proved, and the clean room held.
        features_completed: how many pass.
        features_total: how many there are.
        sessions_used: by the whole loop.
        total_tokens: everything, cache reads included.
        errors_recovered: refused and mended, rolled back, retried.
        duration_minutes: wall minutes of this run.
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
        """Plain data, for `--json`."""
        return asdict(self)


class AutonomousLoop:
    """Takes one request to proved code on branches of a git directory.

    Args:
        project_dir: a git directory with at least one commit; its checkout is never touched.
        request: a Markdown file; None: `feature_list.json` in the project's root.
        surroundings: credentials, addresses and what shows progress; None: read from the environment.
        overrides: keys over the project's own configuration.

    Attributes:
        branches: where the loop's branches stand, once it ran.
        note: what its last session had to say to people, once it ran.
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
        """Session after session, until an end state; running again resumes.

        Args:
            config: None: the project's own.

        Raises:
            UsageError: input, configuration or environment a person must mend.
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
    """One session: restore, claim, plan, features, publish, end.

    Raises:
        Superseded: another session is at work: end, neutrally.
        UsageError, StopLoop: before the claim; after it they end the session for a person.
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
            if not session.complete():  # the base branch conflicts: that is work now
                ended = await _work(parts)
            else:
                done = HandoffReason.BLOCKED if reasons else HandoffReason.COMPLETE
                ended = FeatureResult(over=done, note="; ".join(reasons))
        over, note = ended.over, ended.note
        return session.end(session.reason_at_end(over), note=note, not_before=ended.not_before)
    except asyncio.CancelledError:
        # A signal before our own deadline is a person's stop: what there was is saved, nothing is dispatched.
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
    """Plan, features, and the suite where it does not run for each of them."""
    session, suite = parts.session, parts.suite
    ended = await _plan(parts)
    # Due here only where the session before had no time for it.
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
    """Feature after feature, until none is ready or a limit is near."""
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
        over = limits.over() if poor else result.over or limits.over()  # a person may have given more
        if over is None and limits.share_done() and work.select() is not None:
            over = HandoffReason.SESSION_DONE
        result = replace(result, over=over)
        if over:
            break
    return result


async def _plan(parts: Parts) -> FeatureResult:
    """INIT: request -> feature list, tried; later setup alone, which a session without work does not need."""
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
    """The eight figures, from the record alone."""
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
