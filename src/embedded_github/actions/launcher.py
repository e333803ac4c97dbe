"""Makes runs: the record, the context, the refusal to start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from embedded_github.actions.dispatch import typed_inputs
from embedded_github.actions.live import LiveJob, LiveRun
from embedded_github.actions.ports import Forge
from embedded_github.actions.runs import JobRecord, RunRecord, Runs, WorkflowRecord, timestamp
from embedded_github.actions.scheduler import Scheduler
from embedded_github.actions.workflow.calls import Library
from embedded_github.actions.workflow.definition import Workflow, WorkflowError
from embedded_github.actions.workflow.expressions import ExpressionError, render
from embedded_github.actions.workflow.reader import read_workflow
from embedded_github.actions.workflow.triggers import BY_TOKEN, Origin, github_context, title_of

STARTUP_FAILURE = "startup_failure"
"""The conclusion of a run that could not start."""


class Launcher:
    """Makes runs.

    Args:
        runs: where they are recorded.
        forge: where repositories and users are.
        scheduler: plays them.
        server_url: the forge's address.
        variables: the `vars` context.
        secrets: the repository's, without GITHUB_TOKEN.
        sources: folders of other repositories, by `owner/name`: reusable workflows are read there.
        clock: the time, in UTC.
    """

    def __init__(
        self,
        runs: Runs,
        forge: Forge,
        scheduler: Scheduler,
        server_url: Callable[[], str],
        variables: Mapping[str, str],
        secrets: Mapping[str, str],
        sources: Mapping[str, Path],
        clock: Callable[[], datetime],
    ) -> None:
        self.runs = runs
        self._forge = forge
        self._scheduler = scheduler
        self._server_url = server_url
        self._variables = dict(variables)
        self._secrets = dict(secrets)
        self._sources = dict(sources)
        self._clock = clock

    def see(self, repo: str, path: str, content: bytes) -> tuple[Workflow, WorkflowRecord]:
        """Read a workflow file, and keep that there is one."""
        workflow = read_workflow(path, content)
        return workflow, self.runs.workflow(repo, path, workflow.title, self._now())

    def start(
        self,
        record: WorkflowRecord,
        workflow: Workflow,
        source: bytes,
        event: str,
        payload: Mapping[str, Any],
        origin: Origin,
        actor: str,
        inputs: Mapping[str, str] | None = None,
        caused_by: int | None = None,
        *,
        by_token: bool = False,
    ) -> RunRecord:
        """Record a run and let it go.

        Args:
            record: of the workflow.
            workflow: the file, read.
            source: the file's content, for a re-run.
            event: its name.
            payload: what the event carries; repository and sender are added where they are missing.
            origin: ref and commit.
            actor: the login of who caused it.
            inputs: of a dispatch, with defaults.
            caused_by: the run whose job dispatched it.
            by_token: a run's GITHUB_TOKEN caused it.
        """
        full = {
            "repository": self._forge.repository(record.repo),
            "sender": self._forge.sender(actor),
            **payload,
        }
        now = self._now()
        run = self.runs.add_run(
            RunRecord(
                repo=record.repo, workflow_id=record.id, path=record.path, name=workflow.title,
                title=title_of(event, full, workflow.title), event=event, ref=origin.ref,
                head_branch=origin.branch, head_sha=origin.sha, actor=actor, triggering_actor=actor,
                created_at=now, started_at=now, updated_at=now, payload=full, source=source,
                inputs=dict(inputs or {}), caused_by=caused_by,
            )
        )  # fmt: skip
        if by_token and event not in BY_TOKEN:
            return self._end(run, "action_required", "A pull request by a run's token waits for approval.")
        return self.go(run, workflow)

    def go(self, run: RunRecord, workflow: Workflow) -> RunRecord:
        """Make a run live; or complete it as one that cannot start."""
        trigger = workflow.on.get(run.event)
        problems = list(workflow.problems)
        if trigger and trigger.unsupported:
            problems.append(
                f"'{trigger.unsupported[0]}' in on.{run.event} is not played by the embedded GitHub"
            )
        if problems:
            return self._end(run, STARTUP_FAILURE, problems[0])
        try:
            library = Library(lambda: self._forge.workflow_files(run.repo, run.head_sha), self._sources)
            frame = library.frame(workflow)
            live = LiveRun(
                id=run.id,
                repo=run.repo,
                attempt=run.attempt,
                frame=replace(frame, inputs=typed_inputs(workflow, run.inputs)),
                github=self._context(run, workflow),
                payload=run.payload,
                variables=self._variables,
                secrets=self._secrets,
            )
            if workflow.run_name and (title := render(workflow.run_name, live.scope()).strip()):
                run = self.runs.update_run(run.id, title=title)
            if workflow.concurrency:
                live.concurrency(workflow.concurrency)
        except (ExpressionError, WorkflowError) as error:
            return self._end(run, STARTUP_FAILURE, str(error))
        for key, job in workflow.jobs.items():
            record = self.runs.add_job(
                JobRecord(run.id, run.attempt, key, job.name or key, self._now(), runs_on=job.runs_on)
            )
            live.jobs[key] = LiveJob(record.id, job, key, live.frame)
        self._scheduler.start(live)
        return run

    def _context(self, run: RunRecord, workflow: Workflow) -> dict[str, Any]:
        pull = run.payload.get("pull_request") if run.event.startswith("pull_request") else None
        head, base = (run.head_branch, pull["base"]["ref"]) if pull else ("", "")
        origin = Origin(run.ref, run.head_sha, head, base)
        return {
            **github_context(
                repository=run.payload["repository"],
                origin=origin,
                event=run.event,
                server=self._server_url().rstrip("/"),
                actor=self._forge.sender(run.actor),
                workflow=workflow.title,
                path=run.path,
            ),
            "triggering_actor": run.triggering_actor,
            "run_id": str(run.id),
            "run_number": str(run.run_number),
            "run_attempt": str(run.attempt),
        }

    def _end(self, run: RunRecord, conclusion: str, message: str) -> RunRecord:
        return self.runs.update_run(
            run.id, status="completed", conclusion=conclusion, message=message, updated_at=self._now()
        )

    def bury_the_dead(self) -> None:
        """Complete what an earlier player of this folder left: its jobs died with it."""
        message = "The embedded GitHub ended while this was played."
        for run in self.runs.unfinished():
            for job in self.runs.jobs(run.id, run.attempt):
                if job.status != "completed":
                    self.runs.update_job(
                        job.id, status="completed", conclusion="failure", completed_at=self._now()
                    )
            self._end(run, "failure", message)

    def _now(self) -> str:
        return timestamp(self._clock())
