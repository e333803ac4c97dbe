"""Takes live runs forward: needs, conditions, concurrency groups, a thread for every job that is played."""

from __future__ import annotations

import logging
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from embedded_github.actions.concurrency import Entry, Groups, Ticket
from embedded_github.actions.live import LiveJob, LiveRun, State, together
from embedded_github.actions.ports import JobPlan, JobResult
from embedded_github.actions.runs import JobRecord, timestamp
from embedded_github.actions.stage import Stage
from embedded_github.actions.workflow.definition import Concurrency, WorkflowError
from embedded_github.actions.workflow.expressions import ExpressionError, render_value
from embedded_github.actions.workflow.values import to_number, truthy

_log = logging.getLogger(__name__)
DEFAULT_MINUTES = 360.0
"""GitHub's limit of a job that names none."""
JOIN_S = 30.0


class Scheduler:
    """The live runs. Safe between threads.

    Args:
        stage: what jobs are played with.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._runs = stage.runs
        self._changed = threading.Condition(threading.RLock())
        self._live: dict[int, LiveRun] = {}
        self._groups = Groups()
        self._ready: deque[tuple[LiveRun, LiveJob]] = deque()
        self._threads: set[threading.Thread] = set()
        self._tokens: dict[str, int] = {}
        self._playing = 0
        self._stopping = False
        self.completed: Callable[[int], None] = lambda _: None
        """Told of every run that was played to its end."""

    def start(self, run: LiveRun) -> None:
        """Take a run in; its records stand already."""
        with self._changed:
            self._live[run.id] = run
            setting = run.workflow.concurrency
            if setting is None:
                run.admitted = True
            else:
                self._enter(run, None, setting)
            self._advance()

    def cancel(self, run_id: int, message: str = "") -> bool:
        """Cancel a run; False when it is not live."""
        with self._changed:
            run = self._live.get(run_id)
            if run is None:
                return False
            self._cancel(run, message)
            self._advance()
            return True

    def run_of_token(self, token: str) -> int | None:
        """The run whose GITHUB_TOKEN this is, while its job is played."""
        with self._changed:
            return self._tokens.get(token)

    def pids(self, run_id: int) -> list[int]:
        """The processes of the steps that a run plays now: PID 1 of each container."""
        with self._changed:
            run = self._live.get(run_id)
            pids = [job.control.pid for job in run.jobs.values()] if run else []
        return [pid for pid in pids if pid is not None]

    def wait_until_idle(self, until: Callable[[], float]) -> bool:
        """Wait until no run is live; False when `until()` seconds are over first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._live, until())

    def stop(self) -> None:
        """End every job at once, with everything it started, and complete the runs as cancelled."""
        with self._changed:
            self._stopping = True
            for run in list(self._live.values()):
                for job in run.jobs.values():
                    job.control.kill()
                self._cancel(run, "The embedded GitHub was stopped.")
            self._advance()
            threads = list(self._threads)
        for thread in threads:
            thread.join(JOIN_S)

    # -- everything below holds the lock

    def _advance(self) -> None:
        """Take every run as far as it goes by itself."""
        while any(self._step(run) for run in list(self._live.values())):
            pass
        while self._ready and self._playing < self._stage.max_jobs and not self._stopping:
            self._play(*self._ready.popleft())
        self._changed.notify_all()

    def _step(self, run: LiveRun) -> bool:
        """Decide what can be decided in a run; whether anything was."""
        if not run.admitted:
            return False
        ready = [
            job
            for job in run.jobs.values()
            if job.state is State.WAITING and all(one.state is State.DONE for one in run.needed(job).values())
        ]
        for job in ready:
            self._decide(run, job)
        whole = [
            job
            for job in run.jobs.values()
            if job.state is State.EXPANDED and all(part.state is State.DONE for part in job.parts)
        ]
        for job in whole:
            self._put_together(run, job)
        if run.done():
            self._finish_run(run)
            return True
        return bool(whole) or any(job.state is not State.WAITING for job in ready)

    def _decide(self, run: LiveRun, job: LiveJob) -> None:
        if self._stopping:
            self._finish_job(run, job, JobResult.ended("cancelled", ""))
            return
        if job.waits_for_a_place and not run.cancelled:
            return
        try:
            if not run.wants(job):
                whole_matrix_decided = job.matrix is not None
                self._finish_job(run, job, JobResult("cancelled" if whole_matrix_decided else "skipped"))
                return
            if parts := run.parts_of(job):
                self._expand(run, job, parts)
                return
            self._runs.update_job(job.record_id, name=run.title(job))
            setting = job.job.concurrency
            if setting is None:
                self._make_ready(run, job)
            else:
                self._enter(run, job, setting)
        except (ExpressionError, WorkflowError) as error:
            self._finish_job(run, job, JobResult.ended("failure", str(error)))

    def _expand(self, run: LiveRun, job: LiveJob, parts: list[LiveJob]) -> None:
        """A job gives way to its parts: lists show these, never it."""
        job.state, job.parts = State.EXPANDED, parts
        self._runs.remove_job(job.record_id)
        job.record_id = 0
        for part in parts:
            title = run.title(part) if part.matrix is not None else part.frame.title + part.job.key
            record = JobRecord(run.id, run.attempt, part.key, title, self._now(), runs_on=part.job.runs_on)
            part.record_id = self._runs.add_job(record).id
            run.jobs[part.key] = part

    def _put_together(self, run: LiveRun, job: LiveJob) -> None:
        try:
            self._finish_job(run, job, JobResult(together(iter(job.parts)), run.outputs_of(job)))
        except ExpressionError as error:
            self._finish_job(run, job, JobResult.ended("failure", str(error)))

    def _enter(self, run: LiveRun, job: LiveJob | None, setting: Concurrency) -> None:
        """Ask for a place in a concurrency group, for a job or for the whole run."""
        name, cancel_in_progress = run.concurrency(setting, job)
        if job and name.lower() == run.group.lower():
            message = (
                f"Canceling since a deadlock for concurrency group '{name}' was detected between"
                f" 'top level workflow' and '{job.key}'"
            )
            self._finish_job(run, job, JobResult.ended("cancelled", message))
            return
        holder: LiveRun | LiveJob = job or run
        holder.group = name
        ticket = Ticket(run.id, job.key if job else "")
        entry = self._groups.enter(
            run.repo, name, ticket, cancel_in_progress=cancel_in_progress, queue=setting.queue
        )
        if entry.admitted:
            self._admit(ticket)
        elif job:
            job.state = State.PENDING
            self._runs.update_job(job.record_id, status="pending")
            self._show(run)
        else:
            self._runs.update_run(run.id, status="pending")
        self._make_room(entry, ticket, name)

    def _make_room(self, entry: Entry, newcomer: Ticket, name: str) -> None:
        message = f"Canceling since a higher priority waiting request for '{name}' exists"
        for ticket in entry.cancelled:
            self._cancel_ticket(ticket, message)
        if entry.refused:
            self._cancel_ticket(newcomer, f"Canceling since the queue of concurrency group '{name}' is full")
        if entry.ended:
            self._cancel_ticket(entry.ended, message)

    def _cancel_ticket(self, ticket: Ticket, message: str) -> None:
        run = self._live.get(ticket.run_id)
        if run is None:
            return
        if not ticket.job:
            self._cancel(run, message)
            return
        job = run.jobs[ticket.job]
        if job.state is State.RUNNING:
            job.control.cancel()
        elif job.state is not State.DONE:
            self._finish_job(run, job, JobResult.ended("cancelled", message))

    def _cancel(self, run: LiveRun, message: str) -> None:
        run.cancelled = True
        if message:
            self._runs.update_run(run.id, message=message)
        if not run.admitted:
            # It never began: all of it is cancelled, whatever its conditions say.
            run.admitted = True
            for job in run.jobs.values():
                self._finish_job(run, job, JobResult.ended("cancelled", message))
        for job in list(run.jobs.values()):
            if job.state in {State.PENDING, State.READY}:
                self._finish_job(run, job, JobResult.ended("cancelled", message))
            elif job.state is State.RUNNING:
                job.control.cancel()

    def _admit(self, ticket: Ticket) -> None:
        run = self._live[ticket.run_id]
        if ticket.job:
            self._make_ready(run, run.jobs[ticket.job])
        else:
            run.admitted = True
            self._runs.update_run(run.id, status="queued")

    def _make_ready(self, run: LiveRun, job: LiveJob) -> None:
        job.state = State.READY
        self._runs.update_job(job.record_id, status="queued")
        self._ready.append((run, job))
        self._show(run)

    def _play(self, run: LiveRun, job: LiveJob) -> None:
        if job.state is not State.READY:  # cancelled while it was queued
            return
        job.state = State.RUNNING
        self._playing += 1
        log = self._stage.folder / "logs" / f"{run.id}-{run.attempt}" / f"{job.record_id}_{job.job.key}.txt"
        self._runs.update_job(job.record_id, status="in_progress", started_at=self._now(), log=str(log))
        self._show(run)
        thread = threading.Thread(
            target=self._run_job, args=(run, job, log), name=f"job-{job.record_id}", daemon=True
        )
        self._threads.add(thread)
        thread.start()

    def _finish_job(self, run: LiveRun, job: LiveJob, result: JobResult) -> None:
        job.state = State.DONE
        tolerated = False
        if result.conclusion == "failure" and not job.parts:
            try:
                tolerated = truthy(render_value(job.job.continue_on_error, run.scope(job)))
            except ExpressionError:
                _log.warning("continue-on-error of job %s cannot be evaluated", job.job.key)
        job.conclusion = "success" if tolerated else result.conclusion
        job.outputs = result.outputs
        if job.record_id:
            self._runs.update_job(
                job.record_id,
                status="completed",
                conclusion=result.conclusion,
                completed_at=self._now(),
                outputs=dict(result.outputs),
                annotations=list(result.annotations),
                steps=list(result.steps),
                summary=result.summary,
            )
        if job.group:
            self._leave(run.repo, job.group, Ticket(run.id, job.key))
            job.group = ""
        if job.conclusion == "failure" and job.parent and job.strategy.get("fail-fast"):
            for part in job.parent.parts:
                self._end_part(run, part)

    def _end_part(self, run: LiveRun, part: LiveJob) -> None:
        """`fail-fast`: what is left of a matrix ends with the first that failed."""
        if part.state is State.RUNNING:
            part.control.cancel()
        elif part.state is not State.DONE:
            self._finish_job(
                run, part, JobResult.ended("cancelled", "The strategy configuration was canceled")
            )

    def _finish_run(self, run: LiveRun) -> None:
        del self._live[run.id]
        self._runs.update_run(run.id, status="completed", conclusion=run.conclusion(), updated_at=self._now())
        if not self._stopping:
            self.completed(run.id)
        if run.group:
            self._leave(run.repo, run.group, Ticket(run.id))

    def _leave(self, repo: str, name: str, ticket: Ticket) -> None:
        following = self._groups.leave(repo, name, ticket)
        if following is not None:
            self._admit(following)

    def _show(self, run: LiveRun) -> None:
        """Keep the run's status in step with its jobs'."""
        states = {job.state for job in run.jobs.values()}
        started = State.RUNNING in states or State.DONE in states
        waiting = "pending" if State.PENDING in states and State.READY not in states else "queued"
        status = "in_progress" if started else waiting
        self._runs.update_run(run.id, status=status, updated_at=self._now())

    def _now(self) -> str:
        return timestamp(self._stage.clock())

    # -- on a thread of the job's own, without the lock

    def _run_job(self, run: LiveRun, job: LiveJob, log: Path) -> None:
        folder = self._stage.folder / "jobs" / str(job.record_id)
        token = runtime = ""
        try:
            runtime = self._stage.artifacts.mint_token(run.repo, run.id, job.record_id)
            token = self._stage.forge.mint_token(run.repo, run.permissions(job), run.id)
            with self._changed:
                self._tokens[token] = run.id
                plan = self._plan(run, job, (token, runtime), folder, log)
            result = self._stage.runner.run(plan, job.control)
        except Exception as error:  # noqa: BLE001 - a job must end, whatever broke
            if not isinstance(error, ExpressionError):
                _log.exception("job %s of run %d could not be played", job.job.key, run.id)
            message = (
                str(error) if isinstance(error, ExpressionError) else f"{type(error).__name__} in the player"
            )
            result = JobResult.ended("failure", message)
        self._stage.artifacts.revoke_token(runtime)
        try:
            self._stage.forge.revoke_token(token)
        except Exception:  # noqa: BLE001 - the same
            _log.exception("the token of run %d could not be revoked", run.id)
        # The next job's runner is a fresh one. (rmtree follows no links.)
        shutil.rmtree(folder, ignore_errors=True)
        with self._changed:
            self._tokens.pop(token, None)
            self._threads.discard(threading.current_thread())
            self._playing -= 1
            self._finish_job(run, job, result)
            self._advance()

    def _plan(self, run: LiveRun, job: LiveJob, tokens: tuple[str, str], folder: Path, log: Path) -> JobPlan:
        token, runtime = tokens
        secrets = {**run.secrets_of(job.frame), "GITHUB_TOKEN": token}
        minutes = to_number(render_value(job.job.timeout_minutes, run.scope(job))) or DEFAULT_MINUTES
        return JobPlan(
            job=job.job,
            github={**run.github, "job": job.job.key, "token": token},
            payload=run.payload,
            inputs=job.frame.inputs,
            needs=run.needs(job),
            matrix=job.matrix,
            strategy=job.strategy,
            variables=run.variables,
            secrets=secrets,
            env=run.env(job.frame, secrets),
            timeout_s=minutes * 60,
            folder=folder,
            log=log,
            action_sources=self._stage.action_sources,
            on_step=lambda steps: self._runs.update_job(job.record_id, steps=list(steps)),
            runtime={
                "ACTIONS_RESULTS_URL": f"{run.github['server_url']}/",
                "ACTIONS_RUNTIME_TOKEN": runtime,
            },
        )
