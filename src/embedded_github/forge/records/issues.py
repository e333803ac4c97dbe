"""Issues (every pull request is one too), their labels and their history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from embedded_github.forge.database import Database, Row
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import Actor, Issue, IssueEvent, Label, State
from embedded_github.forge.records.labels import Labels, label_of
from embedded_github.forge.records.repositories import Repositories

Sort = Literal["created", "updated", "comments"]


class Issues:
    """The issues of every repository."""

    def __init__(self, db: Database, bus: EventBus, repositories: Repositories, labels: Labels) -> None:
        self._db = db
        self._bus = bus
        self._repositories = repositories
        self._labels = labels

    # -- reading

    def get(self, repo: str, number: int) -> Issue | None:
        """Return an issue, or the issue side of a pull request; None when there is none."""
        row = self._db.one("SELECT * FROM issues WHERE repo = ? AND number = ?", repo, number)
        return self._issue(row) if row else None

    def require(self, repo: str, number: int) -> Issue:
        """Return an issue.

        Raises:
            LookupError: there is none of that number.
        """
        issue = self.get(repo, number)
        if issue is None:
            raise LookupError(f"no issue {number} in {repo}")
        return issue

    def list(
        self,
        repo: str,
        *,
        state: Literal["open", "closed", "all"] = "open",
        labels: Sequence[str] = (),
        creator: str | None = None,
        since: str | None = None,
        sort: Sort = "created",
        descending: bool = True,
        pull_requests: bool = True,
    ) -> list[Issue]:
        """Return a repository's issues.

        Args:
            repo: `owner/name`.
            state: Which ones.
            labels: Only those that have all of these.
            creator: Only those by this login.
            since: Only those updated at that time or later.
            sort: The order, newest (or most) first unless `descending` is off.
            descending: See `sort`.
            pull_requests: Whether pull requests are among them, as in GitHub's own list.
        """
        rows = self._db.all("SELECT * FROM issues WHERE repo = ? ORDER BY number", repo)
        wanted = {name.lower() for name in labels}
        found = [
            issue
            for issue in map(self._issue, rows)
            if state in ("all", issue.state)
            and wanted <= {label.name.lower() for label in issue.labels}
            and (creator is None or issue.author.lower() == creator.lower())
            and (since is None or issue.updated_at >= since)
            and (pull_requests or not issue.is_pull_request)
        ]
        keys: dict[Sort, Any] = {
            "created": lambda issue: issue.number,
            "updated": lambda issue: (issue.updated_at, issue.number),
            "comments": lambda issue: (issue.comments, issue.number),
        }
        return sorted(found, key=keys[sort], reverse=descending)

    def count_open(self, repo: str) -> int:
        """Return how many issues and pull requests are open."""
        row = self._db.one("SELECT count(*) AS n FROM issues WHERE repo = ? AND state = 'open'", repo)
        return int(row["n"]) if row else 0

    def events(self, repo: str, number: int | None = None) -> Sequence[IssueEvent]:
        """Return an issue's history, oldest first; without a number the whole repository's, newest first."""
        if number is None:
            rows = self._db.all("SELECT * FROM issue_events WHERE repo = ? ORDER BY id DESC", repo)
        else:
            rows = self._db.all(
                "SELECT * FROM issue_events WHERE repo = ? AND number = ? ORDER BY id", repo, number
            )
        return [_event(row) for row in rows]

    # -- changing

    def create(
        self, repo: str, title: str, body: str | None, actor: Actor, *, labels: Sequence[str] = ()
    ) -> Issue:
        """Open an issue: `issues: opened`, then `labeled` for each label."""
        with self._db.transaction():
            number = self.insert(repo, title, body, actor.login, is_pull_request=False)
            names = [self._attach(repo, number, name, actor) for name in labels]
            self._announce(repo, number, "opened", actor)
            for label in filter(None, names):
                self._announce(repo, number, "labeled", actor, label=label)
        return self.require(repo, number)

    def insert(self, repo: str, title: str, body: str | None, author: str, *, is_pull_request: bool) -> int:
        """Keep a new issue, tell nobody, and return its number."""
        repo = self._repositories.require(repo).full_name
        number = self._repositories.next_number(repo)
        now = self._db.now()
        self._db.execute(
            "INSERT INTO issues (repo, number, title, body, state, author, created_at, updated_at,"
            " is_pull_request) VALUES (?, ?, ?, ?, 'open', ?, ?, ?, ?)",
            repo,
            number,
            title,
            body,
            author,
            now,
            now,
            int(is_pull_request),
        )
        return number

    def edit(
        self,
        repo: str,
        number: int,
        actor: Actor,
        *,
        title: str | None = None,
        body: str | None = None,
        state: State | None = None,
        state_reason: str | None = None,
        labels: Sequence[str] | None = None,
    ) -> Issue:
        """Change an issue: `edited`, `closed` or `reopened`, and the label events.

        None leaves a part as it is. For a pull request these are `pull_request` events, as at GitHub.
        """
        with self._db.transaction():
            self._edit_text(repo, number, actor, title, body)
            if labels is not None:
                self.set_labels(repo, number, labels, actor)
            if state is not None:
                self._set_state(repo, number, actor, state, state_reason)
        return self.require(repo, number)

    def add_labels(self, repo: str, number: int, names: Iterable[str], actor: Actor) -> Issue:
        """Add labels (made where there are none): `labeled` for each that was not there."""
        with self._db.transaction():
            for name in names:
                label = self._attach(repo, number, name, actor)
                if label is not None:
                    self._announce(repo, number, "labeled", actor, label=label)
        return self.require(repo, number)

    def remove_label(self, repo: str, number: int, name: str, actor: Actor) -> Issue:
        """Take one label off: `unlabeled`.

        Raises:
            LookupError: the issue does not have it.
        """
        with self._db.transaction():
            issue = self.require(repo, number)
            label = next((one for one in issue.labels if one.name.lower() == name.lower()), None)
            if label is None:
                raise LookupError(f"issue {number} of {repo} has no label {name}")
            self._db.execute(
                "DELETE FROM issue_labels WHERE issue_id = ? AND label_id = ?", issue.id, label.id
            )
            self.record(repo, number, "unlabeled", actor.login, label=label)
            self._announce(repo, number, "unlabeled", actor, label=label)
        return self.require(repo, number)

    def set_labels(self, repo: str, number: int, names: Sequence[str], actor: Actor) -> Issue:
        """Make these the issue's labels: `unlabeled` and `labeled` for the differences."""
        wanted = {name.lower() for name in names}
        with self._db.transaction():
            for label in self.require(repo, number).labels:
                if label.name.lower() not in wanted:
                    self.remove_label(repo, number, label.name, actor)
            return self.add_labels(repo, number, names, actor)

    def record(
        self,
        repo: str,
        number: int,
        event: str,
        actor: str,
        *,
        label: Label | None = None,
        rename: tuple[str, str] | None = None,
        commit_id: str | None = None,
    ) -> None:
        """Add a line to an issue's history and note that it was updated; no webhook is told."""
        with self._db.transaction():
            now = self._db.now()
            self._db.execute(
                "INSERT INTO issue_events (repo, number, event, actor, created_at, label_id, label_name,"
                " label_color, old_title, new_title, commit_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                repo,
                number,
                event,
                actor,
                now,
                label.id if label else None,
                label.name if label else None,
                label.color if label else None,
                *(rename or (None, None)),
                commit_id,
            )
            self.touch(repo, number)

    def touch(self, repo: str, number: int) -> None:
        """Note that an issue was updated just now."""
        self._db.execute(
            "UPDATE issues SET updated_at = ? WHERE repo = ? AND number = ?", self._db.now(), repo, number
        )

    def mark_closed(
        self, repo: str, number: int, actor: Actor, reason: str | None, commit: str | None = None
    ) -> None:
        """Close an issue and record it; no webhook is told."""
        now = self._db.now()
        self._db.execute(
            "UPDATE issues SET state = 'closed', state_reason = ?, closed_at = ?, closed_by = ?"
            " WHERE repo = ? AND number = ?",
            reason,
            now,
            actor.login,
            repo,
            number,
        )
        self.record(repo, number, "closed", actor.login, commit_id=commit)

    def _edit_text(self, repo: str, number: int, actor: Actor, title: str | None, body: str | None) -> None:
        old = self.require(repo, number)
        changes: dict[str, Any] = {}
        if title is not None and title != old.title:
            changes["title"] = {"from": old.title}
        if body is not None and body != (old.body or ""):
            changes["body"] = {"from": old.body or ""}
        if not changes:
            return
        self._db.execute(
            "UPDATE issues SET title = COALESCE(?, title), body = COALESCE(?, body), updated_at = ?,"
            " edited_at = CASE WHEN ? THEN ? ELSE edited_at END WHERE id = ?",
            title,
            body,
            self._db.now(),
            "body" in changes,
            self._db.now(),
            old.id,
        )
        if "title" in changes:
            self.record(repo, number, "renamed", actor.login, rename=(old.title, title or ""))
        self._announce(repo, number, "edited", actor, changes=changes)

    def _set_state(self, repo: str, number: int, actor: Actor, state: State, reason: str | None) -> None:
        old = self.require(repo, number)
        if state == old.state:
            return
        if state == "closed":
            self.mark_closed(repo, number, actor, None if old.is_pull_request else reason or "completed")
        else:
            self._db.execute(
                "UPDATE issues SET state = 'open', state_reason = ?, closed_at = NULL, closed_by = NULL"
                " WHERE id = ?",
                None if old.is_pull_request else "reopened",
                old.id,
            )
            self.record(repo, number, "reopened", actor.login)
        self._announce(repo, number, "closed" if state == "closed" else "reopened", actor)

    def _attach(self, repo: str, number: int, name: str, actor: Actor) -> Label | None:
        issue = self.require(repo, number)
        label = self._labels.ensure(issue.repo, name, actor)
        if any(one.id == label.id for one in issue.labels):
            return None
        self._db.execute("INSERT INTO issue_labels (issue_id, label_id) VALUES (?, ?)", issue.id, label.id)
        self.record(issue.repo, number, "labeled", actor.login, label=label)
        return label

    def _announce(
        self,
        repo: str,
        number: int,
        action: str,
        actor: Actor,
        *,
        label: Label | None = None,
        changes: dict[str, Any] | None = None,
    ) -> None:
        issue = self.require(repo, number)
        name = "pull_request" if issue.is_pull_request else "issues"
        parts: dict[str, object] = {"issue": issue}
        if label is not None:
            parts["label"] = label
        if changes is not None:
            parts["changes"] = changes
        self._bus.publish(Change(issue.repo, name, action, actor, parts))

    def _issue(self, row: Row) -> Issue:
        labels = self._db.all(
            "SELECT labels.* FROM labels JOIN issue_labels ON labels.id = label_id WHERE issue_id = ?"
            " ORDER BY name",
            row["id"],
        )
        count = self._db.one(
            "SELECT count(*) AS n FROM comments WHERE repo = ? AND number = ?", row["repo"], row["number"]
        )
        values = {key: row[key] for key in row.keys() if key != "is_pull_request"}  # noqa: SIM118 - a Row is no dict
        return Issue(
            **values,
            labels=tuple(label_of(one) for one in labels),
            comments=count["n"] if count else 0,
            is_pull_request=bool(row["is_pull_request"]),
        )


def _event(row: Row) -> IssueEvent:
    label = Label(row["label_id"], row["label_name"], row["label_color"], None) if row["label_id"] else None
    rename = (row["old_title"], row["new_title"]) if row["event"] == "renamed" else None
    return IssueEvent(
        row["id"],
        row["repo"],
        row["number"],
        row["event"],
        row["actor"],
        row["created_at"],
        label,
        rename,
        row["commit_id"],
    )
