"""What the player needs of the world: the forge, events, who asks, and something that plays a job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from embedded_github.actions.workflow.definition import Job, Scalar

_LONGEST_WAIT_S = 600.0


class Forge(Protocol):
    """The embedded GitHub, as far as workflows are concerned."""

    def default_branch(self, repo: str) -> str:
        """The short name, such as `main`."""

    def sha_of(self, repo: str, ref: str) -> str:
        """The commit of a full ref name (`refs/heads/main`, `refs/tags/v1`) or a SHA.

        Raises:
            LookupError: there is no such repository or ref.
        """

    def workflow_files(self, repo: str, ref: str) -> dict[str, bytes]:
        """The files under `.github/workflows/` at a commit, by path; empty where there are none."""

    def mint_token(self, repo: str, permissions: Mapping[str, str], run_id: int) -> str:
        """A run's GITHUB_TOKEN."""

    def revoke_token(self, token: str) -> None:
        """Make it worthless."""

    def repository(self, repo: str) -> dict[str, Any]:
        """The repository in the shape of GitHub's REST.

        Raises:
            LookupError: there is no such repository.
        """

    def sender(self, login: str) -> dict[str, Any]:
        """A user in the shape of GitHub's REST (`id` and `login` at the least)."""


class Event(Protocol):
    """A change of the forge, as GitHub would send it to a webhook."""

    @property
    def repo(self) -> str:
        """`owner/name`."""

    @property
    def name(self) -> str:
        """`issues`, `push`, ..."""

    @property
    def action(self) -> str | None:
        """`labeled`, ...; None where the event has none."""

    @property
    def payload(self) -> dict[str, Any]:
        """In GitHub's shape."""

    @property
    def actor(self) -> str:
        """The login of who did it."""

    @property
    def by_workflow_token(self) -> bool:
        """Whether a run's GITHUB_TOKEN did it."""


class Identity(Protocol):
    """Who asks."""

    @property
    def login(self) -> str:
        """Their login; `github-actions[bot]` for a run's token."""

    @property
    def by_workflow_token(self) -> bool:
        """Whether they use a run's GITHUB_TOKEN."""


@dataclass(frozen=True)
class JobPlan:
    """Everything a runner needs to play one job.

    Args:
        job: the definition.
        github: the `github` context, its token included; the runner adds the paths.
        payload: of the event, for the file at GITHUB_EVENT_PATH.
        secrets: the `secrets` context; every value is masked in the log.
        env: of the workflow level, evaluated.
        timeout_s: after it the job is cancelled.
        folder: empty and the job's own; workspace, home and file commands are made below it.
        log: the file the log is written to.
        action_sources: `owner/name`, or `./...`, to the folder with its action.yml.
        on_step: told after each step of all that are over: GitHub shows them while the job still runs.
        runtime: variables of the Actions service, for steps that are actions; `run:` steps have none.
    """

    job: Job
    github: Mapping[str, Any]
    payload: Mapping[str, Any]
    inputs: Mapping[str, Scalar]
    needs: Mapping[str, Any]
    matrix: Mapping[str, Any] | None
    strategy: Mapping[str, Scalar]
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    env: Mapping[str, str]
    timeout_s: float
    folder: Path
    log: Path
    action_sources: Mapping[str, Path]
    on_step: Callable[[Sequence[StepResult]], object] = lambda steps: None
    runtime: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotation:
    """A line on the run's page: `level` is notice, warning or failure."""

    level: str
    message: str
    title: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class StepResult:
    """What became of a step: success, failure, cancelled or skipped; times in ISO 8601, UTC."""

    number: int
    name: str
    conclusion: str
    started_at: str
    completed_at: str


@dataclass(frozen=True)
class JobResult:
    """What became of a job: `conclusion` is success, failure or cancelled."""

    conclusion: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[StepResult] = ()
    annotations: Sequence[Annotation] = ()
    summary: str = ""

    @classmethod
    def ended(cls, conclusion: str, message: str) -> Self:
        """Without a step played; `message` says why."""
        return cls(conclusion, annotations=(Annotation("failure", message),) if message else ())


class JobControl:
    """The line from the player to a job that is being played; safe between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._cancelled = False
        self._killed = False
        self.pidfile: Path | None = None
        """Where the running step's process id stands; None between steps."""

    @property
    def cancelled(self) -> bool:
        """Someone asked the job to end."""
        return self._cancelled

    @property
    def killed(self) -> bool:
        """It must end at once, with everything it started."""
        return self._killed

    @property
    def pid(self) -> int | None:
        """The process of the running step (PID 1 of its container); None between steps."""
        try:
            return int(self.pidfile.read_text(encoding="ascii")) if self.pidfile else None
        except (OSError, ValueError):
            return None

    def cancel(self) -> None:
        """Ask the job to end, as GitHub's cancel button does."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def kill(self) -> None:
        """End it at once."""
        with self._changed:
            self._cancelled = self._killed = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, done: threading.Event, *, seen: tuple[bool, bool], until: float) -> None:
        """Return when `done` is set, `(cancelled, killed)` is not `seen`, or monotonic time is `until`.

        It may return early: the caller looks again.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: done.is_set() or (self._cancelled, self._killed) != seen,
                min(max(0.0, until - time.monotonic()), _LONGEST_WAIT_S),
            )


class JobRunner(Protocol):
    """Plays jobs."""

    def run(self, plan: JobPlan, control: JobControl) -> JobResult:
        """Play one job to its end, on the calling thread. Never raises for what the job does."""
