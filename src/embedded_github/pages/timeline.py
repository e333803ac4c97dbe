"""What happened on an issue or a pull request, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from embedded_github.forge.models import (
    Comment,
    Commit,
    Issue,
    IssueEvent,
    Label,
    PullRequest,
    Review,
    ReviewComment,
)
from embedded_github.forge.store import Store
from embedded_github.pages.words import moment

_LINKS: Final = re.compile(
    r"\b(?:clos(?:e[sd]?)|fix(?:e[sd])?|resolve[sd]?|for):?\s+#(\d{1,9})\b", re.IGNORECASE
)
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)

_EVENTS: Final = {
    "closed": ("closed", "closed this"),
    "reopened": ("issue", "reopened this"),
    "merged": ("merged", "merged commit"),
    "ready_for_review": ("eye", "marked this pull request as ready for review"),
    "convert_to_draft": ("draft", "marked this pull request as draft"),
    "head_ref_force_pushed": ("push", "force-pushed the branch"),
    "head_ref_deleted": ("trash", "deleted the branch"),
    "base_ref_changed": ("branch", "changed the base branch"),
    "renamed": ("pencil", "changed the title"),
}

Kind = Literal["comment", "event", "labels", "commits", "review", "linked"]


@dataclass(frozen=True)
class Item:
    """One thing on the line. `at` is in ISO 8601, `icon` and `text` are for events; the rest by `kind`."""

    kind: Kind
    at: str
    actor: str
    icon: str = ""
    text: str = ""
    comment: Comment | None = None
    event: IssueEvent | None = None
    added: tuple[Label, ...] = ()
    removed: tuple[Label, ...] = ()
    commits: tuple[Commit, ...] = ()
    review: Review | None = None
    remarks: tuple[ReviewComment, ...] = ()
    pull: PullRequest | None = None


def linked_issues(store: Store, pull: PullRequest) -> list[Issue]:
    """The issues a pull request says it is for: `Closes #3`, `For #3`."""
    body = _COMMENT.sub("", pull.issue.body or "")
    found = (store.issues.get(pull.repo, number) for number in sorted(set(map(int, _LINKS.findall(body)))))
    return [issue for issue in found if issue is not None and not issue.is_pull_request]


def linking_pulls(store: Store, issue: Issue) -> list[PullRequest]:
    """The pull requests that say they are for an issue, oldest first."""
    pulls = store.pulls.list(issue.repo, state="all")
    return [
        pull
        for pull in reversed(pulls)
        if any(one.number == issue.number for one in linked_issues(store, pull))
    ]


def of_issue(store: Store, issue: Issue, pulls: Sequence[PullRequest]) -> list[Item]:
    """An issue's timeline; `pulls` are those that link it."""
    linked = [
        Item("linked", pull.issue.created_at, pull.issue.author, icon="pull", pull=pull) for pull in pulls
    ]
    return _in_order(
        [*linked, *_events(store.issues.events(issue.repo, issue.number)), *_comments(store, issue)]
    )


def of_pull(store: Store, pull: PullRequest, commits: Sequence[Commit]) -> list[Item]:
    """A pull request's timeline; `commits` are its own, oldest first."""
    pushed = [
        Item("commits", commit.committer.date, commit.author.name, commits=(commit,)) for commit in commits
    ]
    return _in_order(
        [
            *pushed,
            *_events(store.issues.events(pull.repo, pull.number)),
            *_reviews(store, pull),
            *_comments(store, pull.issue),
        ]
    )


def verdicts(store: Store, pull: PullRequest) -> dict[str, str]:
    """Each reviewer's standing verdict: APPROVED, CHANGES_REQUESTED, or COMMENTED where there is no other."""
    standing: dict[str, str] = {}
    for review in store.reviews.list(pull.repo, pull.number):
        if review.state != "COMMENTED" or review.author not in standing:
            standing[review.author] = review.state
    return standing


def _events(events: Iterable[IssueEvent]) -> list[Item]:
    made: list[Item] = []
    for event in events:
        if event.event in {"labeled", "unlabeled"} and event.label:
            item = Item("labels", event.created_at, event.actor, icon="tag", event=event)
            labels = (event.label,)
            added = event.event == "labeled"
            made.append(replace(item, added=labels) if added else replace(item, removed=labels))
        else:
            icon, text = _EVENTS.get(event.event, ("notice", event.event.replace("_", " ")))
            made.append(Item("event", event.created_at, event.actor, icon=icon, text=text, event=event))
    return made


def _comments(store: Store, issue: Issue) -> list[Item]:
    comments = store.comments.list(issue.repo, issue.number)
    return [Item("comment", one.created_at, one.author, comment=one) for one in comments]


def _reviews(store: Store, pull: PullRequest) -> list[Item]:
    return [
        Item(
            "review",
            one.submitted_at,
            one.author,
            review=one,
            remarks=tuple(store.reviews.comments(pull.repo, pull.number, review_id=one.id)),
        )
        for one in store.reviews.list(pull.repo, pull.number)
    ]


def _in_order(items: Iterable[Item]) -> list[Item]:
    made: list[Item] = []
    # Stable: what happened in the same second stays as it came, commits first and comments last.
    for item in sorted(items, key=lambda one: moment(one.at)):
        joined = _join(made[-1], item) if made else None
        if joined is None:
            made.append(item)
        else:
            made[-1] = joined
    return made


def _join(last: Item, item: Item) -> Item | None:
    """Two neighbours as one: commits by the same author, labels by the same person within a minute."""
    if last.kind != item.kind or last.actor != item.actor:
        return None
    if item.kind == "commits":
        return replace(last, commits=last.commits + item.commits, at=item.at)
    near = (moment(item.at) - moment(last.at)).total_seconds() <= 60
    if item.kind == "labels" and near:
        return replace(last, added=last.added + item.added, removed=last.removed + item.removed)
    return None
