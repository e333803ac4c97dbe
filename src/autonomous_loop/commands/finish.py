"""The action's post step. It completes a session that was killed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autonomous_loop.ci.finished_event import tell_if_finished
from autonomous_loop.ci.job import Job, given_to
from autonomous_loop.ci.routing import Route
from autonomous_loop.ci.target import target_of
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.budget import exhausted
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import AttemptEnded, Ended, Event, Spent
from autonomous_loop.domain.feature import Attempt, AttemptOutcome
from autonomous_loop.domain.model import LoopId
from autonomous_loop.domain.record import PLANNING, LoopRecord
from autonomous_loop.domain.trigger import issue_of
from autonomous_loop.engine.ending import MOST_NOTE
from autonomous_loop.engine.session import WITHOUT_PROGRESS
from autonomous_loop.errors import JournalError
from autonomous_loop.github.access import Access
from autonomous_loop.github.action import (
    STOPPED,
    ActionInputs,
    append_summary,
    read_event,
    read_facts,
    read_inputs,
)
from autonomous_loop.github.artifacts import ArtifactClient
from autonomous_loop.github.runs import step_cancelled_at
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.wiring.closing import ClosingParts, closing_parts
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import SystemClock, configuration


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of the post step.

    Attributes:
        loop: empty if there was nothing to complete.
        reason: the handoff reason of the completed session.
    """

    why: str
    loop: LoopId = ""
    session: int = 0
    reason: str = ""
    continues: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "loop": self.loop,
            "session": self.session,
            "result": self.reason,
            "continues": self.continues,
            "why": self.why,
        }


def finish_ci_session(runtime: RuntimeEnvironment, environ: Mapping[str, str]) -> Finished:
    """Complete the session that this attempt of this run claimed but did not end, if there is one.

    Raises:
        LoopError: it could not be completed; the schedule continues the loop instead.
    """
    inputs = read_inputs(environ)
    facts = read_facts(environ, read_event(environ.get("GITHUB_EVENT_PATH", "")))
    runtime = given_to(runtime, inputs, facts, environ)
    with tempfile.TemporaryDirectory(prefix="autonomous-loop-", dir=runtime.temporary) as home:
        job = Job.connect(facts, runtime, Path(home))
        try:
            with closing(ArtifactClient(facts, runtime.token)) as artifacts:
                done = _finish(job, inputs, runtime, environ, artifacts)
        finally:
            job.git.close()
    if facts.summary_path and done.loop:
        said = f"Autonomous Loop: the session was killed; its post step ended it: {done.reason}. {done.why}"
        append_summary(facts.summary_path, Redactor(runtime.secrets).text(said))
    return done


def _finish(
    job: Job,
    inputs: ActionInputs,
    runtime: RuntimeEnvironment,
    environ: Mapping[str, str],
    artifacts: ArtifactClient,
) -> Finished:
    base = job.default_head()
    config = configuration(job.git, base, overrides=inputs.overrides)
    found = _left_open(job, config, inputs.loop)
    if found is None:
        return Finished(why="there is nothing to complete")
    loop, record = found
    config = configuration(job.git, record.facts.base, overrides=inputs.overrides)
    request = record.facts.request
    choice = Route(loop, request.issue or issue_of(loop) or 0, request)
    access = Access(job.repository, allowed_bots=config.allowed_bots, own_login=job.login)
    place = target_of(job, choice, config, access, base, artifacts=artifacts)
    closing = closing_parts(
        job.git,
        config,
        runtime,
        name=place.name,
        loop=loop,
        handoffs=place.handoffs,
        forge=place.forge,
        site=place.site,
        clock=SystemClock(),
    )
    stopped_at = _stopped_at(job, environ)
    deadline = record.sessions[-1].started + timedelta(minutes=config.session_minutes)
    done = complete(
        closing,
        config,
        loop,
        by_person=stopped_at is not None and stopped_at < deadline,
        now=datetime.now(UTC),
    )
    tell_if_finished(job, loop, config)
    return done


def complete(
    closing: ClosingParts, config: LoopConfig, loop: LoopId, *, by_person: bool, now: datetime
) -> Finished:
    """Write the end of a session whose process is gone: journal, handoff, published texts, continuation.

    Args:
        by_person: a person stopped it, so nothing continues by itself.

    Raises:
        JournalError: the chain fails, or was signed with a key that is not here.
        Superseded: another session was claimed meanwhile.
    """
    record = closing.journal.read()
    if record is None or not record.sessions or record.sessions[-1].ended is not None:
        raise JournalError(f"the journal of {loop} changed while its last session was being completed")
    session, settled = record.generation, _settled(record)
    here = [one.event.type for one in closing.journal.entries() if one.session == session]
    progressed = bool({"kept", "blocked", "planned"} & set(here))
    reason = _reason(record, config, by_person=by_person, progressed=progressed)
    said = (
        "the job was told to stop, and did not end in time"
        if by_person
        else "the session's process was killed; its post step wrote this, and what was proved is kept"
    )
    closer = closing.closer
    events = [*settled, *closer.publisher.publish()]
    reason = closer.publisher.ending(reason)
    ended = Ended(
        reason=reason,
        checkpoint=record.checkpoint,
        minutes=round((now - record.sessions[-1].started).total_seconds() / 60, 3),
        progressed=progressed,
        note=closer.redacted(said, *closer.publisher.notes)[:MOST_NOTE],
    )
    following = closer.journal_end(events, ended)
    return Finished(following.why, loop, session, str(reason), following.started)


def _left_open(job: Job, config: LoopConfig, loop: LoopId) -> tuple[LoopId, LoopRecord] | None:
    """Return the loop whose newest session this attempt claimed but did not end.

    Args:
        loop: the loop of a matrix job, whose siblings share the run; empty: any loop.
    """
    for name in [loop] if loop else job.names(config):
        try:
            record = job.peek(name, config)
        except JournalError:  # the next session of that loop reports it
            continue
        last = record.sessions[-1] if record is not None and record.sessions else None
        if record is not None and last is not None and last.ended is None and job.is_own(last.claimant):
            return name, record
    return None


def _stopped_at(job: Job, environ: Mapping[str, str]) -> datetime | None:
    """Return when the main step was told to stop; None if it died without a signal.

    The step records a signal itself. If it was too busy, GitHub still lists it as cancelled.

    Raises:
        ForgeError: GitHub does not say, so nothing is decided here.
    """
    noted = environ.get(f"STATE_{STOPPED}", "")
    try:
        return datetime.fromisoformat(noted)
    except ValueError:
        return step_cancelled_at(job.repository, job.facts)


def _settled(record: LoopRecord) -> Sequence[Event]:
    """Settle the attempt in which the session died at its reserved cost, since the real cost is unknown."""
    attempt = record.open_attempt
    if attempt is None:
        return []
    if attempt.feature_id == PLANNING:
        return [Spent(what=PLANNING, spending=attempt.reserved)]
    ended = Attempt(
        feature_id=attempt.feature_id,
        number=attempt.number,
        session=record.generation,
        outcome=AttemptOutcome.INTERRUPTED,
        lesson="The session died in the middle of this attempt.",
    )
    return [AttemptEnded(attempt=ended, spending=attempt.reserved)]


def _reason(record: LoopRecord, config: LoopConfig, *, by_person: bool, progressed: bool) -> HandoffReason:
    """Return why the session ended, taking the loop's own limits into account."""
    if by_person:
        return HandoffReason.STOPPED
    reached = exhausted(config.limits_with(record.budget_usd), record.spending + record.unsettled)
    if reached is not None:
        return HandoffReason(str(reached))
    if not progressed and record.sessions_without_progress + 1 >= WITHOUT_PROGRESS:
        return HandoffReason.NO_PROGRESS
    return HandoffReason.SESSIONS if record.generation >= config.max_sessions else HandoffReason.DIED
