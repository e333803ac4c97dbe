"""Runs one session in a CI job: from the event that started it to the step's outputs."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from autonomous_loop.ci import evidence_artifact
from autonomous_loop.ci.cleanup import Cleanup
from autonomous_loop.ci.finished_event import tell_if_finished
from autonomous_loop.ci.job import Job, given_to
from autonomous_loop.ci.queue import LoopQueue
from autonomous_loop.ci.routing import EventRouter
from autonomous_loop.ci.target import target_of
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.queue import Stand, Wait
from autonomous_loop.domain.trigger import Ignore
from autonomous_loop.engine.session import Ending
from autonomous_loop.errors import LoopError, Superseded
from autonomous_loop.github.access import Access
from autonomous_loop.github.action import (
    ActionInputs,
    RunFacts,
    append_summary,
    read_event,
    read_facts,
    read_inputs,
    write_outputs,
)
from autonomous_loop.github.artifacts import ArtifactClient
from autonomous_loop.github.trigger import turn_of
from autonomous_loop.loop import run_session
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import TRANSCRIPTS, LoopTarget, Parts, configuration, connect, warm_up

IGNORED = "ignored"
CLOSED = "closed"
WAITING = "waiting"
SUPERSEDED = "superseded"
FAILED = frozenset({HandoffReason.FAILED, HandoffReason.BLOCKED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of the step.

    Attributes:
        result: why the session ended; or "ignored", "superseded", "waiting" (for room within the
            repository's limits) or "closed" (the loop was ended, since its pull request was closed).
        why: for people.
    """

    result: str
    why: str = ""
    loop: str = ""
    session: int = 0
    features_passing: int = 0
    features_total: int = 0
    pull_request: int | None = None
    total_tokens: int = 0
    cost_usd: float = 0.0
    continues: bool = False
    summary: str = field(default="", repr=False)

    @property
    def exit_code(self) -> int:
        """Return 1 only if a person must look; a pause is no failure."""
        return 1 if self.result in {str(reason) for reason in FAILED} else 0

    def as_dict(self) -> dict[str, object]:
        """Return plain data, with the names of the action's outputs."""
        return {
            "result": self.result,
            "loop": self.loop,
            "session": self.session,
            "features-passing": self.features_passing,
            "features-total": self.features_total,
            "pull-request": self.pull_request or "",
            "total-tokens": self.total_tokens,
            "cost-usd": round(self.cost_usd, 4),
            "continues": str(self.continues).lower(),
        }


async def run_ci_session(runtime: RuntimeEnvironment, environ: dict[str, str]) -> Outcome:
    """Run the action.

    Args:
        runtime: its tools and folders.
        environ: the job's `INPUT_*` and `GITHUB_*`.

    Raises:
        UsageError: a person must fix input, configuration or environment.
        StopLoop: the journal or the handoff cannot be trusted.
    """
    inputs = read_inputs(environ)
    facts = read_facts(environ, read_event(environ.get("GITHUB_EVENT_PATH", "")))
    runtime = given_to(runtime, inputs, facts, environ)
    runtime.service.require()
    warm_up()
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=runtime.temporary))
    fault: LoopError | None = None
    try:
        with closing(ArtifactClient(facts, runtime.token)) as artifacts:
            outcome = await _play(inputs, facts, runtime, home, artifacts)
    except Superseded as error:
        outcome = Outcome(result=SUPERSEDED, why=str(error))
    except LoopError as error:
        outcome, fault = Outcome(result=str(HandoffReason.FAILED), why=str(error)), error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    redactor = Redactor(runtime.secrets)
    if facts.output_path:
        write_outputs(facts.output_path, {key: str(value) for key, value in outcome.as_dict().items()})
    if facts.summary_path:
        said = outcome.summary or f"Autonomous Loop: {outcome.result}. {outcome.why}"
        append_summary(facts.summary_path, redactor.text(said))
    if fault:
        raise fault
    return outcome


async def _play(
    inputs: ActionInputs, facts: RunFacts, runtime: RuntimeEnvironment, home: Path, artifacts: ArtifactClient
) -> Outcome:
    """Find the loop, check the sender, and run one session."""
    job = Job.connect(facts, runtime, home)
    base = job.default_head()
    config = configuration(job.git, base, overrides=inputs.overrides)
    cleanup = Cleanup(job, config, key_materials=runtime.key_materials, bundles=artifacts.if_there())
    closed = cleanup.closed_by_event()
    if closed is not None:
        said = [one for one in map(cleanup.close, closed) if one]
        return Outcome(result=CLOSED if said else IGNORED, why="; ".join(said) or "it closed no loop")
    access = Access(job.repository, allowed_bots=config.allowed_bots, own_login=job.login)
    fleet = LoopQueue(job, config, access, overrides=inputs.overrides)
    turn = turn_of(inputs.loop, inputs.issue)
    router = EventRouter(job, config, access, fleet, base=base, turn=turn, request_file=inputs.request)
    choice = router.choose()
    if isinstance(choice, Ignore):
        return Outcome(result=IGNORED, why=choice.reason)
    record = job.peek(choice.loop, config)
    wait = fleet.wait_of(choice.loop)
    if record is not None:
        # Read once, from the commit the loop started from, so that a later push cannot change a running loop.
        config = configuration(job.git, record.facts.base, overrides=inputs.overrides)
    place = target_of(job, choice, config, access, base, artifacts=artifacts)
    if wait is not None:
        seen = facts.event_name == "issues" or turn is not None
        seen |= record is not None and fleet.stand(record) in {Stand.DUE, Stand.LATER}
        return _waits(place, wait, seen=seen)
    parts = await connect(place, job.git, config, runtime, home=home)
    try:
        ending = await run_session(parts)
        kept = _evidence(ending, parts, place, facts, runtime, home)
        outcome = _outcome(place.loop, ending, parts)
        return replace(outcome, summary=f"{outcome.summary}\n{kept}\n")
    finally:
        tell_if_finished(job, place.loop, config)
        await parts.close()


def _evidence(
    ending: Ending, parts: Parts, place: LoopTarget, facts: RunFacts, runtime: RuntimeEnvironment, home: Path
) -> str:
    """Upload the session's evidence for people, and return the line about it for the summary."""
    # After a person's stop the runner kills everything that is not done in a few seconds.
    most_s = 2.0 if ending.reason is HandoffReason.STOPPED else 60.0
    with closing(ArtifactClient(facts, runtime.token, most_s=most_s)) as last:
        return evidence_artifact.keep(
            last,
            ending,
            facts=facts,
            handoff=place.handoffs.read,
            read_file=parts.journal.read_file,
            report=parts.reporter.summary(ending.record),
            transcripts=home / TRANSCRIPTS,
            redact=Redactor(runtime.secrets).bytes,
        )


def _waits(place: LoopTarget, wait: Wait, *, seen: bool) -> Outcome:
    """Tell people once that the repository's limits keep the loop waiting, and until when.

    Args:
        seen: a schedule will find the loop again.
    """
    when = f"after {wait.until:%Y-%m-%d %H:%M} UTC" if wait.until else "when a loop ends"
    again = "the schedule starts it" if seen else "start it again, or say `/loop continue`"
    why = f"{wait.why}; {when} {again}"
    if place.forge is not None:
        place.forge.set_state_label("paused")
        place.forge.comment(f"waits {wait.key}", f"### Autonomous Loop waits\n\n{why[0].upper()}{why[1:]}.")
    return Outcome(result=WAITING, why=why, loop=place.loop)


def _outcome(loop: str, ending: Ending, parts: Parts) -> Outcome:
    record = ending.record
    return Outcome(
        result=str(ending.reason),
        why=ending.continuation.why,
        loop=loop,
        session=record.generation,
        features_passing=record.passing,
        features_total=record.total,
        pull_request=record.pull_request,
        total_tokens=record.spending.tokens.total,
        cost_usd=record.spending.usd,
        continues=ending.continuation.started,
        summary=parts.reporter.summary(record),
    )
