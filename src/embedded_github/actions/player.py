"""The player: events and dispatches in, workflow runs out."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded_github.actions.api.shapes import Shapes
from embedded_github.actions.artifacts.store import Artifacts
from embedded_github.actions.dispatch import Refused, check_inputs, dispatch_origin
from embedded_github.actions.job.commands import utc_now
from embedded_github.actions.launcher import STARTUP_FAILURE, Launcher
from embedded_github.actions.ports import Event, Forge, JobRunner
from embedded_github.actions.runs import RunRecord, Runs, WorkflowRecord, timestamp
from embedded_github.actions.scheduler import Scheduler
from embedded_github.actions.stage import Stage
from embedded_github.actions.workflow.definition import Workflow, WorkflowError
from embedded_github.actions.workflow.reader import read_workflow
from embedded_github.actions.workflow.triggers import (
    BY_TOKEN,
    Origin,
    default_origin,
    origin_of,
    starts,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _RunEvent:
    """A run came to its end."""

    repo: str
    payload: dict[str, Any]
    actor: str
    name: str = "workflow_run"
    action: str | None = "completed"
    by_workflow_token: bool = False


class Player:
    """Turns events of the forge into runs, by GitHub's rules. Every method may be called from any thread.

    Args:
        folder: records, logs and the jobs' own folders; made when missing.
        forge: where repositories are.
        server_url: the forge's address; asked whenever a run starts, since a port may not be known earlier.
        action_sources: folders of actions by `owner/name`, or by `./...`.
        runner: plays jobs.
        secrets: what `secrets.NAME` gives, besides GITHUB_TOKEN.
        variables: what `vars.NAME` gives.
        max_jobs: how many jobs are played at once.
        clock: the time of records, in UTC.
    """

    def __init__(
        self,
        folder: Path,
        forge: Forge,
        *,
        server_url: Callable[[], str],
        action_sources: Mapping[str, Path],
        runner: JobRunner,
        secrets: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        max_jobs: int = 4,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.runs = Runs(folder / "actions.sqlite3")
        self.artifacts = Artifacts(folder / "artifacts")
        self.forge = forge
        self._clock = clock
        self._scheduler = Scheduler(
            Stage(folder, forge, runner, self.runs, self.artifacts, action_sources, max_jobs, clock)
        )
        self._launcher = Launcher(
            self.runs, forge, self._scheduler, server_url, variables or {}, secrets, action_sources, clock
        )
        self._launcher.bury_the_dead()
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._server_url = server_url
        self._scheduler.completed = self._completed
        self._thread = threading.Thread(target=self._take_events, name="actions-events", daemon=True)
        self._thread.start()

    # -- what happens in the world

    def deliver(self, event: Event) -> None:
        """Take an event; returns at once, the runs start soon after."""
        self._events.put(event)

    def schedule_now(self, repo: str) -> list[RunRecord]:
        """Fire every workflow that has a schedule, as if its hour had come.

        Raises:
            LookupError: there is no such repository.
        """
        origin = default_origin(repo, self.forge)
        owner = repo.partition("/")[0]
        started = []
        for path, content in sorted(self.forge.workflow_files(repo, origin.sha).items()):
            workflow, record = self._launcher.see(repo, path, content)
            trigger = workflow.on.get("schedule")
            if trigger and record.state == "active":
                payload = {"schedule": trigger.crons[0], "workflow": path}
                started.append(
                    self._launcher.start(record, workflow, content, "schedule", payload, origin, owner)
                )
        return started

    def dispatch(
        self,
        repo: str,
        workflow: str | int,
        ref: str,
        inputs: Mapping[str, Any],
        *,
        actor: str,
        caused_by: int | None = None,
    ) -> RunRecord:
        """Start a workflow by hand.

        Args:
            repo: `owner/name`.
            workflow: its id, or the name of its file.
            ref: a branch or tag; the workflow is read there.
            inputs: as given; defaults are added.
            actor: the login of who asks.
            caused_by: the run whose job asks.

        Raises:
            Refused: with GitHub's status and words.
        """
        record = self.workflow(repo, workflow)
        origin = dispatch_origin(repo, ref, self.forge)
        if record.state != "active":
            raise Refused(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
        content = self.forge.workflow_files(repo, origin.sha).get(record.path)
        if content is None:
            raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
        parsed = read_workflow(record.path, content)
        values = check_inputs(parsed, inputs)
        payload = {"inputs": values or None, "ref": origin.ref, "workflow": record.path}
        return self._launcher.start(
            record, parsed, content, "workflow_dispatch", payload, origin, actor, values, caused_by
        )

    # -- what people do

    def workflows(self, repo: str) -> list[WorkflowRecord]:
        """The workflows of the default branch.

        Raises:
            LookupError: there is no such repository.
        """
        origin = default_origin(repo, self.forge)
        files = self.forge.workflow_files(repo, origin.sha)
        return [self._launcher.see(repo, path, content)[1] for path, content in sorted(files.items())]

    def workflow(self, repo: str, workflow: str | int) -> WorkflowRecord:
        """One workflow of the default branch, by its id or the name of its file.

        Raises:
            Refused: 404, there is none.
        """
        try:
            known = self.workflows(repo)
        except LookupError:
            known = []
        for record in known:
            if str(workflow) in {str(record.id), record.path.rpartition("/")[2], record.path}:
                return record
        raise Refused(404, "Not Found")

    def set_enabled(self, repo: str, workflow: str | int, *, enabled: bool) -> None:
        """Enable or disable a workflow.

        Raises:
            Refused: 404, there is none.
        """
        record = self.workflow(repo, workflow)
        self.runs.set_state(record.id, "active" if enabled else "disabled_manually", self._now())

    def cancel(self, run_id: int) -> None:
        """Cancel a run: its steps get SIGINT, then SIGTERM, then are killed.

        Raises:
            Refused: 404, no such run; 409, it is completed.
        """
        self._run(run_id)
        if not self._scheduler.cancel(run_id):
            raise Refused(409, "Cannot cancel a workflow run that is completed.")

    def delete(self, run_id: int) -> None:
        """Forget a completed run, and what it left.

        Raises:
            Refused: 404, no such run; 403, it is not completed.
        """
        if self._run(run_id).status != "completed":
            raise Refused(403, "Could not delete the workflow run")
        for artifact in self.artifacts.of_run(run_id):
            self.artifacts.delete(artifact.id)
        self.runs.remove_run(run_id)

    def rerun(self, run_id: int, *, actor: str | None = None) -> RunRecord:
        """Play a completed run again: the same commit, event and inputs, one attempt more.

        Args:
            run_id: the run.
            actor: who asks; None stands for the run's own actor.

        Raises:
            Refused: 404, no such run; 403, it is not completed or can never start.
        """
        run = self._run(run_id)
        if run.status != "completed":
            raise Refused(403, "This workflow is already running")
        if run.conclusion == STARTUP_FAILURE:
            raise Refused(403, "This workflow run cannot be retried")
        # A run that waited for approval never had its first attempt.
        attempt = run.attempt if run.conclusion == "action_required" else run.attempt + 1
        run = self.runs.update_run(
            run_id,
            attempt=attempt,
            status="queued",
            conclusion=None,
            message="",
            triggering_actor=actor or run.actor,
            started_at=self._now(),
            updated_at=self._now(),
        )
        self._launcher.go(run, read_workflow(run.path, run.source))
        return run

    def run_of_token(self, token: str) -> int | None:
        """The run whose GITHUB_TOKEN this is, while its job is played; else None."""
        return self._scheduler.run_of_token(token)

    def pids(self, run_id: int) -> list[int]:
        """The processes that a run's jobs play now; each is the first of its container."""
        return self._scheduler.pids(run_id)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until every event is taken and every run completed; False after `timeout` seconds."""
        deadline = time.monotonic() + timeout

        def left() -> float:
            return max(0.0, deadline - time.monotonic())

        while True:
            with self._events.all_tasks_done:
                if not self._events.all_tasks_done.wait_for(
                    lambda: not self._events.unfinished_tasks, left()
                ):
                    return False
            if not self._scheduler.wait_until_idle(left):
                return False
            # The last run may have made an event as it ended.
            if not self._events.unfinished_tasks:
                return True

    def stop(self) -> None:
        """End everything the player started, at once; runs that were live are cancelled."""
        if self._thread.is_alive():
            self._events.put(None)
            self._thread.join()
            self._scheduler.stop()
            self.artifacts.close()
            self.runs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- events

    def _completed(self, run_id: int) -> None:
        """`workflow_run: completed`, whoever's token started the run; one such run starts no other."""
        run = self.runs.run(run_id)
        if run.event == "workflow_run":  # GitHub allows three levels; nothing here needs the second
            return
        url = self._server_url()
        shapes = Shapes(self.forge, f"{url}/api/v3", url)
        record = self.runs.workflow(run.repo, run.path, run.name, self._now())
        payload = {
            "action": "completed",
            "workflow": shapes.workflow(record),
            "workflow_run": shapes.run(run),
            "repository": self.forge.repository(run.repo),
            "sender": self.forge.sender(run.actor),
        }
        self._events.put(_RunEvent(run.repo, payload, run.actor))

    def _take_events(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                self._take(event)
            except Exception:  # noqa: BLE001 - one event that cannot be read must not end them all
                _log.exception("the event %s %s of %s started nothing", event.name, event.action, event.repo)
            finally:
                self._events.task_done()
        self._events.task_done()

    def _take(self, event: Event) -> None:
        # Of the events of a run's token only a pull request leaves a trace: it waits for approval.
        silenced = event.by_workflow_token and event.name not in BY_TOKEN | {"pull_request"}
        if silenced or event.name == "workflow_dispatch":  # which comes by `dispatch`
            return
        origin = origin_of(event, self.forge)
        if origin is None:
            return
        for path, content in sorted(self.forge.workflow_files(event.repo, origin.sha).items()):
            workflow, record = self._launcher.see(event.repo, path, content)
            if record.state == "active" and self._is_for(workflow, event, origin):
                self._launcher.start(
                    record, workflow, content, event.name, event.payload, origin, event.actor,
                    by_token=event.by_workflow_token,
                )  # fmt: skip

    def _is_for(self, workflow: Workflow, event: Event, origin: Origin) -> bool:
        if not workflow.on:
            # GitHub shows an unreadable file as a failed run of the push that brought it.
            return event.name == "push"
        trigger = workflow.on.get(event.name)
        try:
            return trigger is not None and starts(trigger, event, origin)
        except WorkflowError:
            return True

    def _run(self, run_id: int) -> RunRecord:
        try:
            return self.runs.run(run_id)
        except LookupError:
            raise Refused(404, "Not Found") from None

    def _now(self) -> str:
        return timestamp(self._clock())
