"""Workflows, runs and jobs in the shape of GitHub's REST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_github.actions.ports import Forge
from embedded_github.actions.runs import JobRecord, RunRecord, WorkflowRecord


@dataclass(frozen=True)
class Shapes:
    """Builds answers.

    Args:
        forge: for the shapes of repositories and users.
        api: the address of the API the request came by, without a slash at the end.
        html: the address of the pages.
    """

    forge: Forge
    api: str
    html: str

    def workflow(self, one: WorkflowRecord) -> dict[str, Any]:
        """A workflow."""
        return {
            "id": one.id,
            "node_id": _node("W", one.id),
            "name": one.name,
            "path": one.path,
            "state": one.state,
            "created_at": one.created_at,
            "updated_at": one.updated_at,
            "url": f"{self.api}/repos/{one.repo}/actions/workflows/{one.id}",
            "html_url": f"{self.html}/{one.repo}/blob/main/{one.path}",
            "badge_url": f"{self.html}/{one.repo}/workflows/{one.name}/badge.svg",
        }

    def dispatched(self, run: RunRecord) -> dict[str, Any]:
        """The answer to a dispatch with `return_run_details`."""
        return {
            "workflow_run_id": run.id,
            "run_url": f"{self.api}/repos/{run.repo}/actions/runs/{run.id}",
            "html_url": f"{self.html}/{run.repo}/actions/runs/{run.id}",
        }

    def run(self, run: RunRecord) -> dict[str, Any]:
        """A run."""
        url = f"{self.api}/repos/{run.repo}/actions/runs/{run.id}"
        repository = self.forge.repository(run.repo)
        previous = f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None
        return {
            "id": run.id,
            "name": run.name,
            "node_id": _node("WFR", run.id),
            "check_suite_id": run.id,
            "check_suite_node_id": _node("CS", run.id),
            "head_branch": run.head_branch,
            "head_sha": run.head_sha,
            "path": run.path,
            "display_title": run.title,
            "run_number": run.run_number,
            "run_attempt": run.attempt,
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": run.workflow_id,
            "url": url,
            "html_url": f"{self.html}/{run.repo}/actions/runs/{run.id}",
            "pull_requests": [],
            "created_at": run.created_at,
            "updated_at": run.updated_at,
            "run_started_at": run.started_at,
            "actor": self.forge.sender(run.actor),
            "triggering_actor": self.forge.sender(run.triggering_actor),
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "check_suite_url": f"{self.api}/repos/{run.repo}/check-suites/{run.id}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": previous,
            "workflow_url": f"{self.api}/repos/{run.repo}/actions/workflows/{run.workflow_id}",
            "head_commit": _commit(run),
            "repository": repository,
            "head_repository": repository,
            "referenced_workflows": [],
        }

    def job(self, job: JobRecord, run: RunRecord) -> dict[str, Any]:
        """A job of a run."""
        url = f"{self.api}/repos/{run.repo}/actions"
        return {
            "id": job.id,
            "run_id": run.id,
            "run_url": f"{url}/runs/{run.id}",
            "run_attempt": job.attempt,
            "node_id": _node("CR", job.id),
            "head_sha": run.head_sha,
            "head_branch": run.head_branch,
            "url": f"{url}/jobs/{job.id}",
            "html_url": f"{self.html}/{run.repo}/actions/runs/{run.id}/job/{job.id}",
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": job.created_at,
            "started_at": job.started_at or job.completed_at or job.created_at,
            "completed_at": job.completed_at,
            "name": job.name,
            "steps": [
                {
                    "name": step.name,
                    "status": "completed",
                    "conclusion": step.conclusion,
                    "number": step.number,
                    "started_at": step.started_at,
                    "completed_at": step.completed_at,
                }
                for step in job.steps
            ],
            "check_run_url": f"{self.api}/repos/{run.repo}/check-runs/{job.id}",
            "labels": [job.runs_on],
            "runner_id": 1 if job.started_at else None,
            "runner_name": "embedded" if job.started_at else None,
            "runner_group_id": 1 if job.started_at else None,
            "runner_group_name": "Default" if job.started_at else None,
            "workflow_name": run.name,
        }


def _commit(run: RunRecord) -> dict[str, Any]:
    """The head commit, as far as the event told it."""
    known: Mapping[str, Any] = run.payload.get("head_commit") or {}
    person = {"name": run.actor, "email": f"{run.actor}@users.noreply.github.com"}
    return {
        "id": run.head_sha,
        "tree_id": known.get("tree_id") or run.head_sha,
        "message": known.get("message") or "",
        "timestamp": known.get("timestamp") or run.created_at,
        "author": _person(known.get("author")) or person,
        "committer": _person(known.get("committer")) or person,
    }


def _person(value: Mapping[str, Any] | None) -> dict[str, str] | None:
    return {"name": str(value.get("name", "")), "email": str(value.get("email", ""))} if value else None


def _node(kind: str, number: int) -> str:
    return f"{kind}_{number:012d}"
