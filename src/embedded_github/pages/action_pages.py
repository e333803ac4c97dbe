"""Runs of workflows."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from embedded_github.actions.runs import JobRecord, RunRecord
from embedded_github.pages.answers import PageNotFoundError, download
from embedded_github.pages.log import sections
from embedded_github.pages.site import Site

MOST_RUNS = 200


def runs(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/actions`, of one workflow with `?workflow=ID`."""
    repo = site.repository(request)
    chosen = request.query_params.get("workflow", "")
    workflow = int(chosen) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 10 else None
    total, found = site.runs.runs(repo.full_name, workflow_id=workflow, limit=MOST_RUNS)
    return site.repository_page(
        "actions.html",
        repo,
        tab="actions",
        refresh=True,
        total=total,
        rows=[(run, _parent(site, run)) for run in found],
        workflows=site.runs.workflows(repo.full_name),
        chosen=workflow,
        seconds=site.seconds,
    )


def run(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/actions/runs/{id}[/attempts/{number}]`: jobs, log, annotations, summary."""
    repo = site.repository(request)
    number = site.number(request, "run")
    try:
        found = site.runs.run(number)
    except LookupError:
        raise PageNotFoundError(f"There is no run {number} in {repo.full_name}.") from None
    if found.repo.lower() != repo.full_name.lower():
        raise PageNotFoundError(f"There is no run {found.id} in {repo.full_name}.")
    attempt = site.number(request, "attempt") if "attempt" in request.path_params else found.attempt
    if not 1 <= attempt <= found.attempt:
        raise PageNotFoundError(f"Run {found.id} of {repo.full_name} has no attempt {attempt}.")
    jobs = site.runs.jobs(found.id, attempt)
    issue = (found.payload.get("issue") or {}).get("number")
    return site.repository_page(
        "run.html",
        repo,
        tab="actions",
        refresh=found.status != "completed",
        run=found,
        jobs=[(job, _sections(job)) for job in jobs],
        annotations=[(job, one) for job in jobs for one in job.annotations],
        summaries=[(job, job.summary) for job in jobs if job.summary.strip()],
        artifacts=site.artifacts.of_run(found.id) if site.artifacts else [],
        parent=_parent(site, found),
        children=_children(site, found),
        issue=site.store.issues.get(repo.full_name, issue) if isinstance(issue, int) else None,
        seconds=site.seconds,
        job_seconds=site.job_seconds,
    )


def artifact(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/actions/runs/{id}/artifacts/{id}`: its zip."""
    repo = site.repository(request)
    run, number = site.number(request, "run"), site.number(request, "artifact")
    listed = site.artifacts.of_run(run) if site.artifacts else []
    for one in listed:
        if site.artifacts and one.id == number and one.repo.lower() == repo.full_name.lower():
            return download(site.artifacts.file(one.id).read_bytes(), f"{one.name}.zip")
    raise PageNotFoundError(f"Run {run} of {repo.full_name} has no artifact {number}.")


def _sections(job: JobRecord) -> list[object]:
    return list(sections(Path(job.log) if job.log else None, job.steps))


def _parent(site: Site, run: RunRecord) -> RunRecord | None:
    try:
        return site.runs.run(run.caused_by) if run.caused_by else None
    except LookupError:
        return None


def _children(site: Site, run: RunRecord) -> list[RunRecord]:
    _, every = site.runs.runs(run.repo)
    return [one for one in reversed(every) if one.caused_by == run.id]
