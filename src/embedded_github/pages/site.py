"""What every page needs: the forge, the runs, the clock and the templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from embedded_github.actions.artifacts.store import Artifacts
from embedded_github.actions.runs import JobRecord, RunRecord, Runs
from embedded_github.forge.models import Repository
from embedded_github.forge.store import Store
from embedded_github.pages import words
from embedded_github.pages.answers import PageNotFoundError, html
from embedded_github.pages.icons import face, icon
from embedded_github.pages.markdown import Links, render, tasks

_FOLDER = Path(__file__).parent


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    """The parts of the pages, and the ways they all find and show things.

    Attributes:
        store: the forge's, only read.
        runs: the player's records, only read.
        clock: for "3 minutes ago"; in UTC.
        artifacts: the player's, only read; None: runs have none.
    """

    store: Store
    runs: Runs
    clock: Callable[[], datetime] = utc_now
    artifacts: Artifacts | None = None
    templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "templates", _environment(self.clock))

    def repository(self, request: Request) -> Repository:
        """The repository of the address.

        Raises:
            PageNotFoundError: there is none.
        """
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        found = self.store.repositories.get(name)
        if found is None:
            raise PageNotFoundError(f"There is no repository {name}.")
        return found

    @staticmethod
    def number(request: Request, name: str) -> int:
        """A number of the address; one that no record could have is 0."""
        number: int = request.path_params[name]
        return number if number < 2**63 else 0

    def links(self, repo: str, base: str = "") -> Links:
        """What the words of a repository's texts may point at."""
        return Links(repo, lambda number: self.store.issues.get(repo, number) is not None, base)

    def page(self, template: str, **values: Any) -> Response:  # noqa: ANN401 - whatever the template shows
        """A page outside of any repository."""
        return html(self.templates.get_template(template).render(repo=None, refresh=0, **values))

    def repository_page(
        self,
        template: str,
        repo: Repository,
        *,
        tab: str,
        refresh: bool = False,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> Response:
        """A page of a repository.

        Args:
            template: its name.
            repo: whose.
            tab: code, issues, pulls or actions.
            refresh: whether it looks again by itself: every 2 s while something runs, else every 10 s.
            values: what it shows.
        """
        name = repo.full_name
        links = self.links(name)
        live = sum(run.repo == name for run in self.runs.unfinished())
        shown = {
            "open_issues": len(self.store.issues.list(name, pull_requests=False)),
            "open_pulls": len(self.store.pulls.list(name)),
            "live_runs": live,
            "refresh": (2 if live else 10) if refresh else 0,
            "markdown": lambda text: render(text, links),
            "tasks": tasks,
            **values,
        }
        return html(self.templates.get_template(template).render(repo=repo, tab=tab, **shown))

    def seconds(self, run: RunRecord) -> float:
        """How long a run took, or has taken so far, by its jobs."""
        jobs = self.runs.jobs(run.id, run.attempt)
        started = [words.moment(job.started_at) for job in jobs if job.started_at]
        ended = [words.moment(job.completed_at) for job in jobs if job.completed_at]
        if not started:
            return 0.0
        until = max(ended) if run.status == "completed" and ended else self.clock()
        return (until - min(started)).total_seconds()

    def job_seconds(self, job: JobRecord) -> float:
        """The same of a job."""
        if not job.started_at:
            return 0.0
        until = words.moment(job.completed_at) if job.completed_at else self.clock()
        return (until - words.moment(job.started_at)).total_seconds()


def state_of(thing: RunRecord | JobRecord) -> str:
    """The word (and the name of the icon) for where a run or a job stands."""
    if thing.status == "completed":
        return {"startup_failure": "failure", "timed_out": "failure"}.get(
            thing.conclusion or "", thing.conclusion if thing.conclusion in _CONCLUSIONS else "cancelled"
        )
    return "in_progress" if thing.status == "in_progress" else "queued"


_CONCLUSIONS = ("success", "failure", "cancelled", "skipped")


def _environment(clock: Callable[[], datetime]) -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def when(iso: str) -> Markup:
        moment = words.moment(iso).astimezone(UTC)
        return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
            iso, moment.strftime("%b %-d, %Y, %H:%M:%S"), words.ago(iso, clock())
        )

    made.globals |= {
        "icon": icon,
        "face": face,
        "when": when,
        "plural": words.plural,
        "label_style": words.label_style,
        "state_of": state_of,
    }
    made.filters |= {
        "url": words.path_url,
        "duration": words.duration,
        "size": words.size,
        "plain": words.plain,
    }
    return made
