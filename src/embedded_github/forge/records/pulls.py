"""Pull requests between two branches of one repository."""

from __future__ import annotations

from typing import Literal

from embedded_github.forge.database import Database, Row
from embedded_github.forge.events import Change, EventBus
from embedded_github.forge.models import ZERO_SHA, Actor, PullRequest, RefChange, Signature
from embedded_github.forge.records.issues import Issues
from embedded_github.forge.records.refs import Refs
from embedded_github.forge.records.repositories import Repositories

MergeMethod = Literal["merge", "squash", "rebase"]


class PullRefusedError(Exception):
    """A pull request that GitHub would not open or merge; the text is GitHub's reason."""


class Pulls:
    """The pull requests of every repository. Title, body, state and labels are changed by `Issues`."""

    def __init__(
        self, db: Database, bus: EventBus, repositories: Repositories, issues: Issues, refs: Refs
    ) -> None:
        self._db = db
        self._bus = bus
        self._repositories = repositories
        self._issues = issues
        self._refs = refs
        refs.follow(self._branch_moved)

    # -- reading

    def get(self, repo: str, number: int) -> PullRequest | None:
        """Return a pull request, or None."""
        row = self._db.one("SELECT * FROM pulls WHERE repo = ? AND number = ?", repo, number)
        return self._pull(row) if row else None

    def require(self, repo: str, number: int) -> PullRequest:
        """Return a pull request.

        Raises:
            LookupError: there is none of that number.
        """
        pull = self.get(repo, number)
        if pull is None:
            raise LookupError(f"no pull request {number} in {repo}")
        return pull

    def by_id(self, pull_id: int) -> PullRequest | None:
        """Return the pull request of this id (not number), or None."""
        row = self._db.one("SELECT * FROM pulls WHERE id = ?", pull_id)
        return self._pull(row) if row else None

    def list(
        self,
        repo: str,
        *,
        state: Literal["open", "closed", "all"] = "open",
        head: str | None = None,
        base: str | None = None,
    ) -> list[PullRequest]:
        """Return a repository's pull requests, newest first.

        Args:
            repo: `owner/name`.
            state: Which ones.
            head: Only those from this branch (its bare name).
            base: Only those into this branch.
        """
        rows = self._db.all("SELECT * FROM pulls WHERE repo = ? ORDER BY number DESC", repo)
        return [
            pull
            for pull in map(self._pull, rows)
            if state in ("all", pull.issue.state)
            and (head is None or pull.head_ref == head)
            and (base is None or pull.base_ref == base)
        ]

    def mergeable(self, pull: PullRequest) -> bool | None:
        """Whether it would merge without a conflict; None once it is closed or a branch is gone."""
        git = self._repositories.git(pull.repo)
        base = git.branch(pull.base_ref)
        if pull.issue.state == "closed" or base is None:
            return None
        return git.merge_tree(base, pull.head_sha) is not None

    # -- changing

    def create(
        self,
        repo: str,
        *,
        title: str,
        body: str | None,
        head: str,
        base: str,
        actor: Actor,
        draft: bool = False,
    ) -> PullRequest:
        """Open a pull request: `pull_request: opened`.

        Args:
            repo: `owner/name`.
            title: A line.
            body: Markdown.
            head: The branch to take from.
            base: The branch to merge into.
            actor: Its author.
            draft: Whether it is a draft.

        Raises:
            PullRefusedError: a branch is missing, nothing is between them, or there is one open already.
        """
        git = self._repositories.git(repo)
        with self._db.transaction():
            shas = {side: git.branch(name) for side, name in (("head", head), ("base", base))}
            for side, sha in shas.items():
                if sha is None:
                    raise PullRefusedError(side)
            head_sha, base_sha = str(shas["head"]), str(shas["base"])
            owner = repo.partition("/")[0]
            if self.list(repo, head=head, base=base):
                raise PullRefusedError(f"A pull request already exists for {owner}:{head}.")
            if git.is_ancestor(head_sha, base_sha):
                raise PullRefusedError(f"No commits between {base} and {head}")
            number = self._issues.insert(repo, title, body, actor.login, is_pull_request=True)
            self._db.execute(
                "INSERT INTO pulls (repo, number, head_ref, head_sha, base_ref, base_sha, draft)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                repo,
                number,
                head,
                head_sha,
                base,
                base_sha,
                int(draft),
            )
            git.update_ref(f"refs/pull/{number}/head", head_sha)
            self._announce(repo, number, "opened", actor)
        return self.require(repo, number)

    def set_base(self, repo: str, number: int, base: str, actor: Actor) -> PullRequest:
        """Point a pull request at another base branch: `pull_request: edited`.

        Raises:
            PullRefusedError: there is no such branch.
        """
        with self._db.transaction():
            old = self.require(repo, number)
            sha = self._repositories.git(repo).branch(base)
            if sha is None:
                raise PullRefusedError("base")
            if base != old.base_ref:
                self._db.execute(
                    "UPDATE pulls SET base_ref = ?, base_sha = ? WHERE id = ?", base, sha, old.id
                )
                self._issues.record(repo, number, "base_ref_changed", actor.login)
                changes = {"base": {"ref": {"from": old.base_ref}, "sha": {"from": old.base_sha}}}
                self._announce(repo, number, "edited", actor, changes=changes)
        return self.require(repo, number)

    def set_draft(self, repo: str, number: int, actor: Actor, *, draft: bool) -> PullRequest:
        """Turn a draft into one ready for review, or back: `ready_for_review`, `converted_to_draft`."""
        with self._db.transaction():
            old = self.require(repo, number)
            if old.draft != draft:
                self._db.execute("UPDATE pulls SET draft = ? WHERE id = ?", int(draft), old.id)
                line = "convert_to_draft" if draft else "ready_for_review"
                self._issues.record(repo, number, line, actor.login)
                self._announce(repo, number, "converted_to_draft" if draft else "ready_for_review", actor)
        return self.require(repo, number)

    def merge(
        self,
        repo: str,
        number: int,
        actor: Actor,
        *,
        method: MergeMethod = "merge",
        title: str | None = None,
        message: str | None = None,
    ) -> PullRequest:
        """Merge a pull request into its base: a `push` and `pull_request: closed`.

        `rebase` is played as a merge by the head's tree: one commit, as `squash`.

        Raises:
            PullRefusedError: it is closed, a draft, or in conflict.
        """
        pull = self.require(repo, number)
        git = self._repositories.git(repo)
        base = git.branch(pull.base_ref)
        tree = git.merge_tree(base, pull.head_sha) if base else None
        if pull.issue.state == "closed" or pull.draft or base is None or tree is None:
            raise PullRefusedError("Pull Request is not mergeable")
        default = f"Merge pull request #{number} from {pull.repo.partition('/')[0]}/{pull.head_ref}"
        subject = title or (default if method == "merge" else f"{pull.issue.title} (#{number})")
        who = Signature(actor.login, f"{actor.login}@users.noreply.github.com", self._db.now())
        parents = [base, pull.head_sha] if method == "merge" else [base]
        sha = git.commit_tree(tree, parents, f"{subject}\n\n{message or pull.issue.title}", who)
        git.update_ref(f"refs/heads/{pull.base_ref}", sha, base)
        with self._db.transaction():
            self.mark_merged(pull, sha, actor)
            self._refs.changed(repo, [RefChange(f"refs/heads/{pull.base_ref}", base, sha)], actor)
        return self.require(repo, number)

    # -- what pushes do to pull requests

    def _branch_moved(self, repo: str, change: RefChange, branch: str, actor: Actor) -> None:
        git = self._repositories.git(repo)
        # The ref as it is now, not as this push left it: two pushes may be told in the other order.
        tip = git.branch(branch)
        for pull in self.list(repo, head=branch):
            if tip is None:
                self.head_deleted(pull, actor)
            elif tip != pull.head_sha:
                self.head_moved(pull, tip, actor)
        if tip is None or change.before == ZERO_SHA:
            return
        for pull in self.list(repo, base=branch):
            if git.is_ancestor(pull.head_sha, tip):
                self.mark_merged(pull, tip, actor)

    def mark_merged(self, pull: PullRequest, sha: str, actor: Actor) -> None:
        """Close a pull request as merged by commit `sha`: `pull_request: closed`."""
        self._db.execute(
            "UPDATE pulls SET merged_at = ?, merged_by = ?, merge_commit_sha = ? WHERE id = ?",
            self._db.now(),
            actor.login,
            sha,
            pull.id,
        )
        self._issues.record(pull.repo, pull.number, "merged", actor.login, commit_id=sha)
        self._issues.mark_closed(pull.repo, pull.number, actor, None)
        self._announce(pull.repo, pull.number, "closed", actor)

    def head_moved(self, pull: PullRequest, after: str, actor: Actor) -> None:
        """Follow the head branch: `pull_request: synchronize`."""
        git = self._repositories.git(pull.repo)
        if not git.is_ancestor(pull.head_sha, after):
            self._issues.record(pull.repo, pull.number, "head_ref_force_pushed", actor.login, commit_id=after)
        self._db.execute("UPDATE pulls SET head_sha = ? WHERE id = ?", after, pull.id)
        self._issues.touch(pull.repo, pull.number)
        git.update_ref(f"refs/pull/{pull.number}/head", after)
        extra = {"before": pull.head_sha, "after": after}
        self._announce(pull.repo, pull.number, "synchronize", actor, **extra)

    def head_deleted(self, pull: PullRequest, actor: Actor) -> None:
        """Close a pull request whose branch is gone: `pull_request: closed`."""
        self._issues.record(pull.repo, pull.number, "head_ref_deleted", actor.login)
        self._issues.edit(pull.repo, pull.number, actor, state="closed")

    def _announce(self, repo: str, number: int, action: str, actor: Actor, **extra: object) -> None:
        parts = {"pull_request": self.require(repo, number), **extra}
        self._bus.publish(Change(repo, "pull_request", action, actor, parts))

    def _pull(self, row: Row) -> PullRequest:
        return PullRequest(
            id=row["id"],
            issue=self._issues.require(row["repo"], row["number"]),
            head_ref=row["head_ref"],
            head_sha=row["head_sha"],
            base_ref=row["base_ref"],
            base_sha=row["base_sha"],
            draft=bool(row["draft"]),
            merged_at=row["merged_at"],
            merged_by=row["merged_by"],
            merge_commit_sha=row["merge_commit_sha"],
        )
