"""A run that is not completed: what the player keeps in memory of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from embedded_github.actions.ports import JobControl
from embedded_github.actions.workflow.calls import Frame, entered
from embedded_github.actions.workflow.definition import Concurrency, Job, Scalar, Workflow
from embedded_github.actions.workflow.expressions import Scope, condition, render, render_value
from embedded_github.actions.workflow.matrix import combinations, suffix
from embedded_github.actions.workflow.values import to_number, truthy


class State(Enum):
    """Where a job stands."""

    WAITING = "its needs are not done"
    PENDING = "its concurrency group is taken"
    READY = "a runner is to take it"
    RUNNING = "it is played"
    EXPANDED = "its parts are played: the jobs of its matrix, or of the workflow it calls"
    DONE = "it has a conclusion"


@dataclass
class LiveJob:
    """One job, or one that stands for its parts.

    Args:
        key: unique in the run: `call/session`, `session#0`.
        record_id: 0 while it stands for its parts.
        group: set while it stands in a concurrency group.
        parent: whose part it is.
        matrix: this combination; None where it has no matrix, or is not expanded yet.
    """

    record_id: int
    job: Job
    key: str
    frame: Frame
    state: State = State.WAITING
    conclusion: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    control: JobControl = field(default_factory=JobControl)
    group: str = ""
    name: str = ""
    parent: LiveJob | None = None
    parts: list[LiveJob] = field(default_factory=list)
    matrix: Mapping[str, Any] | None = None
    strategy: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """What `needs.<job>.result` says."""
        return self.conclusion

    @property
    def waits_for_a_place(self) -> bool:
        """Whether as many jobs of its matrix are played as `max-parallel` allows."""
        if self.matrix is None or self.parent is None:
            return False
        most = to_number(self.strategy["max-parallel"])
        busy = {State.PENDING, State.READY, State.RUNNING}
        return sum(part.state in busy for part in self.parent.parts) >= most


@dataclass
class LiveRun:
    """One run.

    Args:
        id: of the record.
        frame: its workflow, with all that it calls.
        github: the context, but for what only a job knows.
        secrets: the repository's, without GITHUB_TOKEN.
        jobs: by key; the parts of a job are added when it begins.
        admitted: its concurrency group lets it go.
        group: set while it stands in a concurrency group.
        cancelled: someone cancelled it.
    """

    id: int
    repo: str
    attempt: int
    frame: Frame
    github: Mapping[str, Any]
    payload: Mapping[str, Any]
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    jobs: dict[str, LiveJob] = field(default_factory=dict)
    admitted: bool = False
    group: str = ""
    cancelled: bool = False

    @property
    def workflow(self) -> Workflow:
        """The run's own."""
        return self.frame.workflow

    def needed(self, job: LiveJob) -> dict[str, LiveJob]:
        """The jobs that a job waits for, by their name in its workflow."""
        return {key: self.jobs[job.frame.prefix + key] for key in job.job.needs}

    def needs(self, job: LiveJob) -> dict[str, Any]:
        """The `needs` context of a job."""
        return {
            key: {"result": one.result, "outputs": dict(one.outputs)} for key, one in self.needed(job).items()
        }

    def secrets_of(self, frame: Frame) -> Mapping[str, str]:
        """The `secrets` context of a workflow file, without GITHUB_TOKEN."""
        return self.secrets if frame.secrets is None else frame.secrets

    def scope(self, job: LiveJob | None = None) -> Scope:
        """What an expression outside of steps sees."""
        contexts: dict[str, Any] = {
            "github": {**self.github, "event": self.payload},
            "inputs": (job.frame if job else self.frame).inputs,
            "vars": self.variables,
            "needs": self.needs(job) if job else {},
            "matrix": job.matrix if job else None,
            "strategy": job.strategy if job else {},
        }
        results = [one.result for one in self._ancestors(job)] if job else []
        direct = [one.result for one in self.needed(job).values()] if job else []
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

    def env(self, frame: Frame, secrets: Mapping[str, str]) -> dict[str, str]:
        """A workflow's `env:`, evaluated; a caller's does not reach what it calls."""
        contexts = {
            "github": {**self.github, "event": self.payload},
            "inputs": frame.inputs,
            "vars": self.variables,
            "secrets": secrets,
        }
        return {name: render(value, Scope(contexts)) for name, value in frame.workflow.env.items()}

    def wants(self, job: LiveJob) -> bool:
        """Whether its `if:` holds; that of a matrix is asked once."""
        if job.matrix is not None:
            return not self.cancelled
        return condition(job.job.condition, self.scope(job))

    def concurrency(self, setting: Concurrency, job: LiveJob | None = None) -> tuple[str, bool]:
        """The group's name and whether the one in progress is cancelled."""
        scope = self.scope(job)
        return render(setting.group, scope), truthy(_boolean(render_value(setting.cancel_in_progress, scope)))

    def permissions(self, job: LiveJob) -> dict[str, str]:
        """What the job's token may: what is not named is none; metadata is always read."""
        return {**job.frame.permissions(job.job), "metadata": "read"}

    def title(self, job: LiveJob) -> str:
        """What lists call a job."""
        name = render(job.job.name, self.scope(job)) or job.job.key
        if job.matrix is not None and "${{" not in job.job.name:
            name = f"{name} ({suffix(job.matrix)})"
        return job.frame.title + name

    def parts_of(self, job: LiveJob) -> list[LiveJob]:
        """The jobs that a job stands for; none where it is played itself.

        Raises:
            ExpressionError: an input or the matrix cannot be evaluated.
            WorkflowError: it is not what it must be.
        """
        scope = self.scope(job)
        if job.job.call:
            inner = Scope({**scope.contexts, "secrets": self.secrets_of(job.frame)}, scope.status)
            frame = entered(job.job.call, job.frame.calls[job.job.key], inner, job.key, self.title(job))
            return [
                LiveJob(0, one, frame.prefix + key, frame, parent=job)
                for key, one in frame.workflow.jobs.items()
            ]
        if job.job.strategy is None or job.matrix is not None:
            return []
        strategy = job.job.strategy
        made = combinations(strategy.matrix, scope)
        most = to_number(render_value(strategy.max_parallel, scope)) or len(made)
        common: dict[str, Scalar] = {
            "fail-fast": truthy(_boolean(render_value(strategy.fail_fast, scope))),
            "max-parallel": most,
            "job-total": len(made),
        }
        return [
            LiveJob(
                0, job.job, f"{job.key}#{index}", job.frame,
                parent=job, matrix=one, strategy={**common, "job-index": index},
            )
            for index, one in enumerate(made)
        ]  # fmt: skip

    def outputs_of(self, job: LiveJob) -> dict[str, str]:
        """The outputs of a job that stood for its parts.

        Raises:
            ExpressionError: an output of the called workflow cannot be evaluated.
        """
        if not job.job.call:
            # Of a matrix's jobs the last to set an output has it.
            return {name: value for part in job.parts for name, value in part.outputs.items()}
        jobs = {part.job.key: {"result": part.result, "outputs": dict(part.outputs)} for part in job.parts}
        frame = job.parts[0].frame
        contexts = {
            "github": {**self.github, "event": self.payload},
            "inputs": frame.inputs,
            "vars": self.variables,
            "jobs": jobs,
        }
        declared = frame.workflow.on["workflow_call"].outputs
        values = {name: render(value, Scope(contexts)) for name, value in declared.items()}
        return {name: value for name, value in values.items() if value}

    def done(self) -> bool:
        """Whether every job has a conclusion."""
        return all(job.state is State.DONE for job in self.jobs.values())

    def conclusion(self) -> str:
        """The run's, from its jobs'."""
        if self.cancelled:
            return "cancelled"
        return together(job for job in self.jobs.values() if job.parent is None)

    def _ancestors(self, job: LiveJob) -> Iterator[LiveJob]:
        seen: set[str] = set()
        frontier = list(self.needed(job).values())
        while frontier:
            one = frontier.pop()
            if one.key not in seen:
                seen.add(one.key)
                yield one
                frontier += self.needed(one).values()


def together(jobs: Iterator[LiveJob]) -> str:
    """One conclusion of many."""
    results = {job.conclusion for job in jobs}
    return next((one for one in ("failure", "cancelled", "success") if one in results), "skipped")


def _boolean(value: object) -> object:
    # An expression inside of text is a string: 'false' means false here.
    return value.lower() == "true" if isinstance(value, str) else value
