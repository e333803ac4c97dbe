"""One session in a CI job: from the event that started it to the step's outputs."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from autonomous_loop import evidence
from autonomous_loop.ci_place import place_of
from autonomous_loop.compose import TRANSCRIPTS, Parts, configuration, connect, warm_up
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.service import ServiceAccess
from autonomous_loop.domain.trigger import Ignore
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
from autonomous_loop.hands.reach import Reach
from autonomous_loop.intake import Intake
from autonomous_loop.job import Job
from autonomous_loop.loop import run_session
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.session import Ending
from autonomous_loop.surroundings import Surroundings

IGNORED = "ignored"
SUPERSEDED = "superseded"
FAILED = frozenset({HandoffReason.FAILED, HandoffReason.BLOCKED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the step says of itself.

    Attributes:
        result: why the session ended, or "ignored", or "superseded".
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
        """1 only where a person must look: a pause is not a failure."""
        return 1 if self.result in {str(reason) for reason in FAILED} else 0

    def as_dict(self) -> dict[str, object]:
        """Plain data, by the names of the action's outputs."""
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


async def run_ci_session(around: Surroundings, environ: dict[str, str]) -> Outcome:
    """What the action runs.

    Args:
        around: its tools and folders.
        environ: of the job: `INPUT_*`, `GITHUB_*`.

    Raises:
        UsageError: input, configuration or environment a person must mend.
        StopLoop: the journal or the handoff cannot be trusted.
    """
    inputs = read_inputs(environ)
    facts = read_facts(environ, read_event(environ.get("GITHUB_EVENT_PATH", "")))
    around = around.with_inputs(
        service=ServiceAccess.read(environ, inputs.service),
        reach=Reach.read(inputs.network, inputs.allowed_hosts),
        token=inputs.credentials.github_token,
        handoff_keys=(inputs.credentials.handoff_key, inputs.credentials.handoff_key_previous),
        runtime_token=facts.runtime_token,
    )
    around.service.require()
    around.require_token()
    warm_up()
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=around.temporary))
    fault: LoopError | None = None
    try:
        outcome = await _play(inputs, facts, around, home)
    except Superseded as error:
        outcome = Outcome(result=SUPERSEDED, why=str(error))
    except LoopError as error:
        outcome, fault = Outcome(result=str(HandoffReason.FAILED), why=str(error)), error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    redactor = Redactor(around.secrets)
    if facts.output_path:
        write_outputs(facts.output_path, {key: str(value) for key, value in outcome.as_dict().items()})
    if facts.summary_path:
        said = outcome.summary or f"Autonomous Loop: {outcome.result}. {outcome.why}"
        append_summary(facts.summary_path, redactor.text(said))
    if fault:
        raise fault
    return outcome


async def _play(inputs: ActionInputs, facts: RunFacts, around: Surroundings, home: Path) -> Outcome:
    """Find the loop, check who asked, run one session of it."""
    job = Job.connect(facts, around, home)
    base = job.default_head()
    config = configuration(job.git, base, overrides=inputs.overrides)
    access = Access(job.repository, allowed_bots=config.allowed_bots, own_login=job.login)
    choice = Intake(job, config, access).choose()
    if isinstance(choice, Ignore):
        return Outcome(result=IGNORED, why=choice.reason)
    record = job.peek(choice.loop, config)
    if record is not None:
        # Read once, from the commit the loop started from: a later push cannot change a running loop.
        config = configuration(job.git, record.facts.base, overrides=inputs.overrides)
    with closing(ArtifactClient(facts, around.token)) as artifacts:
        place = place_of(job, choice, config, access, base, artifacts=artifacts)
        parts = await connect(place, job.git, config, around, home=home)
        try:
            ending = await run_session(parts)
            # After a person's stop the runner kills what is not over in a few seconds.
            most_s = 2.0 if ending.reason is HandoffReason.STOPPED else 60.0
            with closing(ArtifactClient(facts, around.token, most_s=most_s)) as last:
                kept = evidence.keep(
                    last,
                    ending,
                    facts=facts,
                    handoff=place.handoffs.read,
                    read_file=parts.journal.read_file,
                    report=parts.reporter.summary(ending.record),
                    transcripts=home / TRANSCRIPTS,
                    redact=Redactor(around.secrets).bytes,
                )
            outcome = _outcome(place.loop, ending, parts)
            return replace(outcome, summary=f"{outcome.summary}\n{kept}\n")
        finally:
            await parts.close()


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
