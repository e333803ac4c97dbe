"""A run that is not completed: what the player keeps in memory of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from autonomous_loop.local.actions.expressions import Scope, condition, render, render_value
from autonomous_loop.local.actions.ports import JobControl
from autonomous_loop.local.actions.values import truthy
from autonomous_loop.local.actions.workflow import Concurrency, Job, Permissions, Scalar, Workflow

DEFAULT_PERMISSIONS: Permissions = {"contents": "read", "packages": "read"}
"""GitHub's restricted default, where a workflow names none."""


class State(Enum):
    """Where a job stands."""

    WAITING = "its needs are not done"
    PENDING = "its concurrency group is taken"
    READY = "a runner is to take it"
    RUNNING = "it is played"
    DONE = "it has a conclusion"


@dataclass
class LiveJob:
    """One job. `group` is set while it stands in a concurrency group."""

    record_id: int
    job: Job
    state: State = State.WAITING
    conclusion: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    control: JobControl = field(default_factory=JobControl)
    group: str = ""

    @property
    def result(self) -> str:
        """What `needs.<job>.result` says."""
        return self.conclusion


@dataclass
class LiveRun:
    """One run.

    Args:
        id: of the record.
        github: the context, but for what only a job knows.
        admitted: its concurrency group lets it go.
        group: set while it stands in a concurrency group.
        cancelled: someone cancelled it.
    """

    id: int
    repo: str
    attempt: int
    workflow: Workflow
    github: Mapping[str, Any]
    payload: Mapping[str, Any]
    inputs: Mapping[str, Scalar]
    variables: Mapping[str, str]
    jobs: dict[str, LiveJob] = field(default_factory=dict)
    admitted: bool = False
    group: str = ""
    cancelled: bool = False

    def needs(self, job: Job) -> dict[str, Any]:
        """The `needs` context of a job."""
        return {
            key: {"result": self.jobs[key].result, "outputs": dict(self.jobs[key].outputs)}
            for key in job.needs
        }

    def scope(self, job: Job | None = None) -> Scope:
        """What an expression outside of steps sees."""
        contexts = {
            "github": {**self.github, "event": self.payload},
            "inputs": self.inputs,
            "vars": self.variables,
            "needs": self.needs(job) if job else {},
        }
        results = [self.jobs[key].result for key in self._ancestors(job)] if job else []
        direct = [self.jobs[key].result for key in job.needs] if job else []
        failed = any(result == "failure" for result in results)
        return Scope(
            contexts,
            {
                "success": lambda: (
                    not self.cancelled and not failed and all(one == "success" for one in direct)
                ),
                "failure": lambda: not self.cancelled and failed,
                "cancelled": lambda: self.cancelled,
                "always": lambda: True,
            },
        )

    def env(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The workflow's `env:`, evaluated."""
        scope = self.scope()
        inner = Scope({**scope.contexts, "secrets": secrets}, scope.status)
        return {name: render(value, inner) for name, value in self.workflow.env.items()}

    def wants(self, job: Job) -> bool:
        """Whether its `if:` holds."""
        return condition(job.condition, self.scope(job))

    def concurrency(self, setting: Concurrency, job: Job | None = None) -> tuple[str, bool]:
        """The group's name and whether the one in progress is cancelled."""
        scope = self.scope(job)
        return render(setting.group, scope), truthy(_boolean(render_value(setting.cancel_in_progress, scope)))

    def permissions(self, job: Job) -> dict[str, str]:
        """What the job's token may: what is not named is none; metadata is always read."""
        chosen = job.permissions if job.permissions is not None else self.workflow.permissions
        return {**(DEFAULT_PERMISSIONS if chosen is None else chosen), "metadata": "read"}

    def done(self) -> bool:
        """Whether every job has a conclusion."""
        return all(job.state is State.DONE for job in self.jobs.values())

    def conclusion(self) -> str:
        """The run's, from its jobs'."""
        results = {job.conclusion for job in self.jobs.values()}
        if self.cancelled:
            return "cancelled"
        return next((one for one in ("failure", "cancelled", "success") if one in results), "skipped")

    def _ancestors(self, job: Job) -> Iterator[str]:
        seen: set[str] = set()
        frontier = list(job.needs)
        while frontier:
            key = frontier.pop()
            if key not in seen:
                seen.add(key)
                yield key
                frontier += self.jobs[key].job.needs


def _boolean(value: object) -> object:
    # An expression inside of text is a string: 'false' means false here.
    return value.lower() == "true" if isinstance(value, str) else value
