"""What the embedded GitHub keeps, as plain values.

Times are text in GitHub's own form, UTC to the second (`2026-01-02T03:04:05Z`), so that they sort and need
no conversion on their way into JSON. People are named by their login, repositories by `owner/name`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

GITHUB_ACTIONS_BOT = "github-actions[bot]"
GITHUB_ACTIONS_BOT_ID = 41_898_282
ZERO_SHA = "0" * 40

Role = Literal["admin", "maintain", "write", "triage", "read", "none"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
"""Weakest first: a role holds everything the roles before it hold."""

UserType = Literal["User", "Bot"]
State = Literal["open", "closed"]


@dataclass(frozen=True)
class User:
    """A person, or a bot such as `github-actions[bot]`."""

    id: int
    login: str
    type: UserType
    name: str | None
    email: str | None
    created_at: str


@dataclass(frozen=True)
class Actor:
    """Who makes a change.

    `links` carries the addresses under which the change's webhook payload names things; without it the
    store's own `public_url` is used.
    """

    login: str
    by_workflow_token: bool = False
    run_id: int | None = None
    links: "Links | None" = None


@dataclass(frozen=True)
class Links:
    """Absolute addresses: `html` of the web pages (`http://host:port`), `api` of the REST API."""

    html: str
    api: str


@dataclass(frozen=True)
class Repository:
    """A repository and the settings that matter to a loop. `path` is its bare git repository."""

    id: int
    owner: str
    name: str
    description: str | None
    private: bool
    default_branch: str
    allow_actions_to_create_pull_requests: bool
    protect_default_branch: bool
    created_at: str
    pushed_at: str
    path: Path

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True)
class Label:
    """A label of a repository. `color` is six hexadecimal digits without `#`."""

    id: int
    name: str
    color: str
    description: str | None


@dataclass(frozen=True)
class Issue:
    """An issue, or the issue side of a pull request (`is_pull_request`)."""

    id: int
    repo: str
    number: int
    title: str
    body: str | None
    state: State
    state_reason: str | None
    author: str
    labels: tuple[Label, ...]
    comments: int
    created_at: str
    updated_at: str
    closed_at: str | None
    closed_by: str | None
    edited_at: str | None
    is_pull_request: bool


@dataclass(frozen=True)
class Comment:
    """A comment on an issue or on a pull request's conversation. `edited_at` is None until it is edited."""

    id: int
    repo: str
    number: int
    author: str
    body: str
    created_at: str
    updated_at: str
    edited_at: str | None


@dataclass(frozen=True)
class IssueEvent:
    """One line of an issue's history: `labeled`, `unlabeled`, `closed`, `reopened`, `renamed`, `merged`...

    `label` is set for the two label events, `rename` (old title, new title) for `renamed`, `commit_id` for
    `closed` and `merged` where a commit did it.
    """

    id: int
    repo: str
    number: int
    event: str
    actor: str
    created_at: str
    label: Label | None = None
    rename: tuple[str, str] | None = None
    commit_id: str | None = None


@dataclass(frozen=True)
class Reaction:
    """A reaction to an issue or a comment; `content` is one of GitHub's eight (`+1`, `eyes`, ...)."""

    id: int
    author: str
    content: str
    created_at: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request between two branches of one repository. Title, body and labels are its `issue`'s."""

    id: int
    issue: Issue
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool
    merged_at: str | None
    merged_by: str | None
    merge_commit_sha: str | None

    @property
    def repo(self) -> str:
        """`owner/name`."""
        return self.issue.repo

    @property
    def number(self) -> int:
        """The number it shares with its issue."""
        return self.issue.number


@dataclass(frozen=True)
class Review:
    """A submitted review: `state` is APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    id: int
    repo: str
    number: int
    author: str
    state: str
    body: str
    commit_id: str
    submitted_at: str


@dataclass(frozen=True)
class ReviewComment:
    """A comment on a line of a pull request's difference."""

    id: int
    repo: str
    number: int
    review_id: int
    author: str
    body: str
    path: str
    line: int | None
    side: str
    commit_id: str
    diff_hunk: str
    created_at: str
    updated_at: str
    in_reply_to: int | None


@dataclass(frozen=True)
class CheckRun:
    """A check run on a commit. `status` is queued, in_progress or completed; `output` as GitHub's."""

    id: int
    repo: str
    head_sha: str
    name: str
    status: str
    conclusion: str | None
    started_at: str
    completed_at: str | None
    details_url: str | None
    external_id: str | None
    title: str | None
    summary: str | None
    text: str | None


@dataclass(frozen=True)
class Token:
    """A credential: a person's (all their rights), or a workflow run's (`permissions` on `repo` alone)."""

    login: str
    repo: str | None = None
    run_id: int | None = None
    permissions: dict[str, str] = field(default_factory=dict)

    @property
    def is_workflow(self) -> bool:
        """Whether this is a run's GITHUB_TOKEN."""
        return self.repo is not None


@dataclass(frozen=True)
class RefChange:
    """One ref moved by a push: forty zeros for `before` when created, for `after` when deleted."""

    ref: str
    before: str
    after: str

    @property
    def branch(self) -> str | None:
        """The branch's name, or None for a tag or another ref."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None


@dataclass(frozen=True)
class Signature:
    """Who wrote or committed, and when."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit of a repository."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class FileChange:
    """One file of a difference; `status` is added, removed, modified or renamed; binaries have no `patch`."""

    path: str
    status: str
    additions: int
    deletions: int
    sha: str | None
    previous_path: str | None
    patch: str | None


@dataclass(frozen=True)
class Comparison:
    """How `head` stands to `base`; `commits` (oldest first) are those of head that base has not."""

    base: str
    head: str
    merge_base: str
    ahead_by: int
    behind_by: int
    commits: tuple[Commit, ...]
    files: tuple[FileChange, ...]


@dataclass(frozen=True)
class Entry:
    """A file or folder of a tree; `type` is file, dir, symlink or submodule; `size` in bytes."""

    path: str
    type: str
    sha: str
    size: int
    mode: str
