"""`plan`: what a schedule has to do, as the matrix of a fleet of jobs; and what is due of tidying up."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from autonomous_loop.ci.cleanup import Cleanup
from autonomous_loop.ci.job import Job, given_to
from autonomous_loop.ci.queue import LoopQueue
from autonomous_loop.domain.queue import Turn, Wait
from autonomous_loop.github.access import Access
from autonomous_loop.github.action import read_event, read_facts, read_inputs, write_outputs
from autonomous_loop.github.artifacts import ArtifactClient
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import configuration

OUTSIDE = {"GITHUB_RUN_ID": "0", "GITHUB_EVENT_NAME": "schedule"}
"""What a person's shell does not have: a plan there belongs to no run."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What may start now.

    Attributes:
        turns: a job each.
        wait: why something else waits.
        notes: for the log.
    """

    turns: Sequence[Turn]
    wait: Wait | None
    notes: Sequence[str]

    @property
    def matrix(self) -> str:
        """JSON, for `strategy.matrix`."""
        return json.dumps({"include": [{"loop": one.loop, "issue": one.issue} for one in self.turns]})

    @property
    def outputs(self) -> dict[str, str]:
        """Of the step. GitHub refuses an empty matrix, so where nothing starts there is none."""
        return {"matrix": self.matrix if self.turns else "", "count": str(len(self.turns))}


def plan_ci(runtime: RuntimeEnvironment, environ: Mapping[str, str]) -> Planned:
    """Look at every loop and every labelled issue.

    In a job, labels by people who may not ask are taken off, loops that were closed are ended, and old
    branches deleted; from a person's shell nothing is changed.

    Args:
        environ: of the job: `INPUT_*`, `GITHUB_*`; outside of one `GITHUB_REPOSITORY` and `GITHUB_TOKEN`.

    Raises:
        LoopError: GitHub does not answer, or the input makes no sense.
    """
    inputs = read_inputs(environ)
    in_job = "GITHUB_RUN_ID" in environ
    given = dict(environ) if in_job else {**environ, **OUTSIDE}
    facts = read_facts(given, read_event(environ.get("GITHUB_EVENT_PATH", "")))
    runtime = given_to(replace(runtime, token=environ.get("GITHUB_TOKEN", "")), inputs, facts, environ)
    with tempfile.TemporaryDirectory(prefix="autonomous-loop-", dir=runtime.temporary) as home:
        job = Job.connect(facts, runtime, Path(home))
        try:
            config = configuration(job.git, job.default_head(), overrides=inputs.overrides)
            access = Access(job.repository, allowed_bots=config.allowed_bots, own_login=job.login)
            tidied: Sequence[str] = ()
            if in_job:
                with closing(ArtifactClient(facts, runtime.token)) as artifacts:
                    tidied = Cleanup(
                        job, config, key_materials=runtime.key_materials, bundles=artifacts.if_there()
                    ).sweep()
            plan = LoopQueue(job, config, access, overrides=inputs.overrides, tidy=in_job).plan()
        finally:
            job.git.close()
    made = Planned(plan.turns, plan.wait, (*tidied, *plan.notes))
    if facts.output_path:
        write_outputs(facts.output_path, made.outputs)
    return made
