"""`plan`: returns the sessions a schedule must start, as a job matrix, and cleans up closed loops."""

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
"""Stands in for variables that a person's shell lacks, because a plan there belongs to no run."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The sessions that may start now.

    Attributes:
        turns: one job each.
        wait: why other work waits.
        notes: for the log.
    """

    turns: Sequence[Turn]
    wait: Wait | None
    notes: Sequence[str]

    @property
    def matrix(self) -> str:
        """Return JSON for `strategy.matrix`."""
        return json.dumps({"include": [{"loop": one.loop, "issue": one.issue} for one in self.turns]})

    @property
    def outputs(self) -> dict[str, str]:
        """Return the step's outputs. GitHub rejects an empty matrix, so it is left out if nothing starts."""
        return {"matrix": self.matrix if self.turns else "", "count": str(len(self.turns))}


def plan_ci(runtime: RuntimeEnvironment, environ: Mapping[str, str]) -> Planned:
    """Examine every loop and every labelled issue.

    In a job it also removes labels added without permission, ends closed loops, and deletes old
    branches. From a person's shell it changes nothing.

    Args:
        environ: a job's `INPUT_*` and `GITHUB_*`; elsewhere `GITHUB_REPOSITORY` and `GITHUB_TOKEN`.

    Raises:
        LoopError: GitHub does not answer, or an input is malformed.
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
