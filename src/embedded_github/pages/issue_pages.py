"""Issues and pull requests."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from embedded_github.actions.runs import RunRecord
from embedded_github.forge.git.repository import GitRepository
from embedded_github.forge.models import Issue, PullRequest, Repository
from embedded_github.pages import timeline
from embedded_github.pages.answers import PageNotFoundError
from embedded_github.pages.diff import diffs
from embedded_github.pages.site import Site

State = Literal["open", "closed"]


def issues(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/issues`, open or closed (`?state=closed`)."""
    return _list(site, request, pull_requests=False)


def pulls(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/pulls`."""
    return _list(site, request, pull_requests=True)


def issue(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/issues/{number}`; a pull request's is its own page."""
    repo = site.repository(request)
    number = site.number(request, "number")
    found = site.store.issues.get(repo.full_name, number)
    if found is None:
        raise PageNotFoundError(f"There is no issue {number} in {repo.full_name}.")
    if found.is_pull_request:
        return RedirectResponse(f"/{repo.full_name}/pull/{found.number}", 302)
    linking = timeline.linking_pulls(site.store, found)
    return site.repository_page(
        "issue.html",
        repo,
        tab="issues",
        refresh=True,
        issue=found,
        linking=linking,
        items=timeline.of_issue(site.store, found, linking),
        people=_people(site, found),
    )


def pull(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/pull/{number}` and its tabs `/commits`, `/checks` and `/files`."""
    repo = site.repository(request)
    number = site.number(request, "number")
    found = site.store.pulls.get(repo.full_name, number)
    if found is None:
        if site.store.issues.get(repo.full_name, number) is not None:
            return RedirectResponse(f"/{repo.full_name}/issues/{number}", 302)
        raise PageNotFoundError(f"There is no pull request {number} in {repo.full_name}.")
    view = request.path_params.get("view", "conversation")
    if view not in _VIEWS:
        raise PageNotFoundError(f"A pull request has no page {view}.")
    return _pull(site, repo, found, view)


_VIEWS = ("conversation", "commits", "checks", "files")


def _pull(site: Site, repo: Repository, pull: PullRequest, view: str) -> Response:
    git = site.store.git(repo.full_name)
    base = _base(git, pull)
    _, changed, added, removed = git.summary(base, pull.head_sha)
    commits = git.commits("--reverse", "--topo-order", f"{base}..{pull.head_sha}")
    on_head, made_by = _runs(site, pull)
    values = {
        "pull": pull,
        "issue": pull.issue,
        "view": view,
        "commits": commits,
        "changed": changed,
        "added": added,
        "removed": removed,
        "linked": timeline.linked_issues(site.store, pull),
        "verdicts": timeline.verdicts(site.store, pull),
        "people": _people(site, pull.issue),
        "on_head": on_head,
        "made_by": made_by,
        "checks": site.store.checks.list(pull.repo, pull.head_sha),
        "seconds": site.seconds,
    }
    if view == "conversation":
        values["items"] = timeline.of_pull(site.store, pull, commits)
        values["mergeable"] = site.store.pulls.mergeable(pull)
    if view == "files":
        comparison = git.compare(base, pull.head_sha)
        files = comparison.files if comparison else ()
        values["files"] = diffs(git, files, comparison.merge_base if comparison else base, pull.head_sha)
    return site.repository_page(f"pull_{view}.html", repo, tab="pulls", refresh=view != "files", **values)


def _base(git: GitRepository, pull: PullRequest) -> str:
    """What the pull request is compared with: the base branch as it is now, or as it was, once merged."""
    tip = git.branch(pull.base_ref)
    if pull.merged_at or tip is None:
        return pull.base_sha
    return tip


def _runs(site: Site, pull: PullRequest) -> tuple[list[RunRecord], list[RunRecord]]:
    """The runs on the pull request's head, and those that worked on its issue: a chain of dispatches."""
    _, every = site.runs.runs(pull.repo)
    issues = {one.number for one in timeline.linked_issues(site.store, pull)}
    on_head = [run for run in every if run.head_sha == pull.head_sha]
    others = [run for run in reversed(every) if run.head_sha != pull.head_sha]
    chain: dict[int, RunRecord] = {}
    for run in others:
        about = (run.payload.get("issue") or {}).get("number")
        if (about in issues and run.conclusion != "skipped") or run.caused_by in chain:
            chain[run.id] = run
    return on_head, list(chain.values())


def _list(site: Site, request: Request, *, pull_requests: bool) -> Response:
    repo = site.repository(request)
    state: State = "closed" if request.query_params.get("state") == "closed" else "open"
    every = [
        one
        for one in site.store.issues.list(repo.full_name, state="all")
        if one.is_pull_request == pull_requests
    ]
    shown = [one for one in every if one.state == state]
    return site.repository_page(
        "issues.html",
        repo,
        tab="pulls" if pull_requests else "issues",
        refresh=True,
        state=state,
        counts={one: sum(issue.state == one for issue in every) for one in ("open", "closed")},
        rows=[(one, site.store.pulls.get(repo.full_name, one.number)) for one in shown],
        pull_requests=pull_requests,
    )


def _people(site: Site, issue: Issue) -> list[str]:
    comments = site.store.comments.list(issue.repo, issue.number)
    return list(dict.fromkeys([issue.author, *(one.author for one in comments)]))
