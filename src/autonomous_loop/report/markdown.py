"""Renders the loop's record for people: pull request, sticky comment, job summary, final comments.

Every function takes only the record and the site, so all counts agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.feature import FeatureStatus
from autonomous_loop.domain.late_requests import estimate
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import Report
from autonomous_loop.report.escape import cell, code, fence, md
from autonomous_loop.report.escape import title as title_of
from autonomous_loop.report.status_line import Standing, standing
from autonomous_loop.report.view_model import MARKS, Site, figures, replays

MOST: Final = 65_000
"""Maximum characters of a body or comment; GitHub accepts 65,536."""
MOST_SUMMARY: Final = 900_000
"""Maximum bytes of a step summary; the runner accepts 1 MiB."""
CUT_NOTE: Final = "\n\n*Cut here: it is longer than GitHub takes. The state branch holds everything.*"


@dataclass(frozen=True, slots=True)
class _Detail:
    """How much to show; the first level that fits is used."""

    text: int
    features: int
    pictures: int
    replays: int
    notices: int
    sessions: int


_DETAILS: Final = (
    _Detail(text=240, features=500, pictures=12, replays=15, notices=40, sessions=200),
    _Detail(text=120, features=500, pictures=6, replays=3, notices=20, sessions=50),
    _Detail(text=60, features=150, pictures=2, replays=1, notices=10, sessions=20),
    _Detail(text=40, features=40, pictures=0, replays=0, notices=5, sessions=10),
)


def report(record: LoopRecord, site: Site) -> Report:
    """Return the texts of the pull request and the sticky comment."""
    return Report(
        title=pull_request_title(record),
        body=pull_request_body(record, site),
        sticky=sticky_comment(record, site),
    )


def pull_request_title(record: LoopRecord) -> str:
    """Return the request's title, at most 72 characters, suitable for a squash."""
    return title_of(record.facts.request.title) or f"Autonomous Loop {record.facts.loop}"


def pull_request_body(record: LoopRecord, site: Site) -> str:
    """Return the body: how CI starts, what is proved, what to check, the cost, and how to replay it."""
    return _fitting("pull_request.j2", record, site, MOST)


def sticky_comment(record: LoopRecord, site: Site) -> str:
    """Return the human part of the one comment that is edited in place, with room for the handoff."""
    return _fitting("sticky.j2", record, site, MOST - 15_000)


def final_comment(record: LoopRecord, site: Site) -> str:
    """Return a new comment for *ready*, *needs you* or *stopped*. It is short, because it notifies people."""
    return _fitting("final.j2", record, site, MOST)


def job_summary(record: LoopRecord, site: Site) -> str:
    """Return Markdown for the run's page."""
    return _fitting("summary.j2", record, site, MOST_SUMMARY // 4)


def stands(record: LoopRecord, site: Site) -> Standing:
    """Return the loop's state in the words that all surfaces use."""
    return standing(record, continuation=site.continuation)


def _estimate(record: LoopRecord) -> str:
    """Return an estimate of the remaining cost if the list waits for approval; otherwise empty."""
    last = record.sessions[-1] if record.sessions else None
    if last is None or last.reason is not HandoffReason.APPROVAL:
        return ""
    pending = sum(status is FeatureStatus.PENDING for status in record.status.values())
    return estimate(pending, spent_usd=record.spending.usd, limits=record.limits)


def _fault(record: LoopRecord) -> str:
    """Return what happened and what to do if an error needs a person; otherwise empty."""
    last = record.sessions[-1] if record.sessions else None
    return last.note if last is not None and last.reason is HandoffReason.FAILED else ""


def _fitting(template: str, record: LoopRecord, site: Site, most: int) -> str:
    text = ""
    for detail in _DETAILS:
        text = _render(template, record, site, detail)
        if len(text) <= most:
            return text
    # Keep whole lines only, and close an opened block so that the note below it is visible.
    head = text[: most - len(CUT_NOTE) - 40].rpartition("\n")[0]
    open_blocks = head.count("<details>") - head.count("</details>")
    open_fence = "\n```" if len(re.findall(r"^```", head, re.MULTILINE)) % 2 else ""
    return head + open_fence + "\n\n</details>" * open_blocks + CUT_NOTE


def _render(template: str, record: LoopRecord, site: Site, detail: _Detail) -> str:
    f = figures(record, site)
    shown = _environment().get_template(template).render(
        f=f,
        d=detail,
        site=site,
        stands=stands(record, site),
        complete=record.complete,
        estimate=_estimate(record),
        fault=_fault(record),
        issue=record.facts.request.issue,
        requester=record.facts.request.requester,
        passed_on="\n\n".join(record.facts.request.texts),
        loop_id=record.facts.loop,
        pull_request=record.pull_request,
        sessions=record.sessions,
        marks=[(mark, MARKS[mark]) for mark in MARKS if any(mark in row.marks for row in f.rows)],
        notices=[(row.id, notice) for row in f.rows for notice in row.notices],
        left_out=[gate.why_not for gate in record.baseline.gates if gate.why_not] if record.baseline else [],
        pictures=[picture for row in f.rows for picture in row.pictures],
        replay=replays(f.rows, site.branch, detail.replays),
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", shown).strip() + "\n"


@cache
def _environment() -> Environment:
    # No autoescape: HTML's rules are wrong for Markdown, so foreign text goes through a filter of ours.
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "md": md, "cell": cell, "code": code, "fence": fence, "number": lambda value: f"{value:,}",
    }  # fmt: skip
    made.filters.update(filters)
    return made
