"""Keeps checkpoints (proved commits) as branches."""

from __future__ import annotations

import re

from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.work import HalfMerge
from autonomous_loop.errors import LoopError, RepositoryError
from autonomous_loop.git.command import GitError
from autonomous_loop.git.repository import Repository

CHECKED_OUT = "branch is currently checked out"


class CheckpointManager:
    """Creates checkpoints and moves the loop's branches; implements `Checkpoints`.

    Args:
        repository: the loop's own repository.
        branches: `autonomous-loop/<loop>`.
    """

    def __init__(self, repository: Repository, *, branches: str) -> None:
        self._repository = repository
        self._branches = branches

    def create(self, parent: CommitSha, tree: TreeSha, *, message: str) -> CommitSha:
        """See `Checkpoints`."""
        return self._repository.commit(tree, [parent], message)

    def merge(self, ours: CommitSha, theirs: CommitSha, *, message: str) -> CommitSha | None:
        """See `Checkpoints`."""
        if self.is_ancestor(theirs, ours):
            return ours
        if self.is_ancestor(ours, theirs):
            return theirs
        tree = self._repository.merge_trees(ours, theirs)
        return self._repository.commit(tree, [ours, theirs], message) if tree else None

    def half_merge(self, ours: CommitSha, theirs: CommitSha, *, message: str) -> HalfMerge | None:
        """See `Checkpoints`."""
        found = self._repository.merge_by_hand(ours, theirs)
        if found is None:
            return None
        tree, paths = found
        kept = self._repository.overlay(tree, self._repository.tree_of(ours), paths)
        return HalfMerge(self._repository.commit(kept, [ours, theirs], message), tree, paths)

    def publish(self, commit: CommitSha, *, expected: CommitSha | None) -> CommitSha:
        """See `Checkpoints`."""
        now = self.head("pr")
        if now == commit:
            return commit
        if now != expected and now is not None and not self.is_ancestor(now, commit):
            raise LoopError(
                f"the branch {self._branches}/pr was pushed to while the session ran",
                hint="nothing is lost: the next session takes those commits in.",
            )
        branch = f"{self._branches}/pr"
        try:
            self._repository.push({f"refs/heads/{branch}": commit})
        except GitError as error:
            why = why_refused(error.stderr)
            mend = (
                f"check out another branch in {self._repository.remote.removesuffix('/.git')}"
                if CHECKED_OUT in why
                else "let the loop's token push to that branch"
            )
            raise RepositoryError(
                f"git refuses to move the branch {branch} to the newest checkpoint: {why}",
                hint=f"{mend}, and run again; nothing that was proved is lost.",
            ) from None
        return commit

    def head(self, branch: str) -> CommitSha | None:
        """See `Checkpoints`."""
        return self.fetch_ref(f"refs/heads/{self._branches}/{branch}")

    def base_head(self, branch: str) -> CommitSha | None:
        """Fetch a branch that is not one of the loop's and return its commit."""
        return self.fetch_ref(f"refs/heads/{branch}")

    def fetch_ref(self, ref: str) -> CommitSha | None:
        """Fetch a ref of the remote with its history; return its commit, or None if there is no such ref."""
        sha = self._repository.remote_refs(ref).get(ref)
        if sha and not self._repository.has(sha):
            self._repository.fetch(f"{ref}:refs/loop/{sha}")
        return sha

    def fetch_all(self) -> None:
        """See `Checkpoints`."""
        refs = self._repository.remote_refs(f"refs/heads/{self._branches}/*")
        # Group by commit: two branches at the same commit need one fetch.
        by_commit = {sha: ref for ref, sha in refs.items() if not self._repository.has(sha)}
        self._repository.fetch(*(f"{ref}:refs/loop/{sha}" for sha, ref in by_commit.items()))

    def is_ancestor(self, older: CommitSha, newer: CommitSha) -> bool:
        """See `Checkpoints`."""
        return self._repository.is_ancestor(older, newer)

    def prune(self, *, keep: int) -> None:
        """See `Checkpoints`."""
        pattern = f"refs/heads/{self._branches}/checkpoint/*"
        numbered = sorted(
            (int(match[1]), ref)
            for ref in self._repository.remote_refs(pattern)
            if (match := re.search(r"/checkpoint/(\d+)$", ref))
        )
        old = [ref for _, ref in numbered[:-keep]]
        if old:
            self._repository.push(dict.fromkeys(old))

    def refuse_in_the_way(self, prefix: str) -> None:
        """Refuse early if a branch has the same name as the prefix of the loop's branches.

        Raises:
            RepositoryError: such a branch exists; git cannot have both `a` and `a/b`.
        """
        ref = f"refs/heads/{prefix}"
        if ref in self._repository.remote_refs(ref):
            raise RepositoryError(
                f"a branch named {prefix} is in the way: a loop's branches stand under {prefix}/",
                hint=f"rename or delete the branch {prefix}, or set branch-prefix to another name.",
            )


def why_refused(said: str) -> str:
    """Return why a push was refused, with the remote's own words if it gave any."""
    reason = re.search(r"rejected\] \(([^\n]*)\)", said)
    told = " ".join(line.strip() for line in re.findall(r"^remote: (.*\S)", said, re.MULTILINE))
    if reason is None:
        return (told or said.strip())[:500]
    return reason[1] if not told or CHECKED_OUT in reason[1] else f"{reason[1]} ({told[:500]})"
