"""Plays a job as processes of this machine, in the layout of GitHub's runner."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from embedded_github.actions.job.commands import utc_now
from embedded_github.actions.job.play import JobPlay
from embedded_github.actions.job.process import Grace
from embedded_github.actions.ports import Annotation, JobControl, JobPlan, JobResult
from embedded_github.actions.workflow.metadata import ActionMeta

_log = logging.getLogger(__name__)

Stage = Literal["main", "post"]
DockerEntrypoint = Callable[[ActionMeta, Stage], Sequence[str] | None]
"""The local command that stands for a docker action's entrypoint; None where there is none."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ProcessRunner:
    """A `JobRunner` whose steps are local processes; those of a docker action, too.

    Args:
        docker_entrypoint: what to run for an action with `runs.using: docker`.
        extra_env: variables for every step, below the workflow's own: a base URL, say. Nothing of this
            process's own environment reaches a step.
        path: PATH of the steps.
        grace: how long a cancelled step has.
        clock: the time, in UTC.
    """

    docker_entrypoint: DockerEntrypoint
    extra_env: Mapping[str, str] = field(default_factory=dict)
    path: str = DEFAULT_PATH
    grace: Grace = field(default_factory=Grace)
    clock: Callable[[], datetime] = utc_now

    def run(self, plan: JobPlan, control: JobControl) -> JobResult:
        """Play one job to its end, on the calling thread."""
        base = {"PATH": self.path, "LANG": "C.UTF-8", **self.extra_env}
        try:
            return JobPlay(plan, control, base, self.docker_entrypoint, self.grace, self.clock).run()
        except Exception as error:  # noqa: BLE001 - the job fails, the player goes on
            _log.exception("job %s broke the runner", plan.job.key)
            message = f"The runner broke down: {type(error).__name__}"
            return JobResult("failure", annotations=(Annotation("failure", message),))
