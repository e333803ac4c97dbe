"""JSON as GitHub writes it: commits, refs, differences and files."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from embedded_github.forge.models import (
    ZERO_SHA,
    Actor,
    Commit,
    Comparison,
    Entry,
    FileChange,
    RefChange,
    Signature,
)
from embedded_github.forge.render.issues import IssueRenderer, Json, node_id

_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}
_PUSHED_COMMITS = 20  # in one payload; the rest is for `compare`


class GitRenderer(IssueRenderer):
    """Writes what git holds, and the values that hang on issues."""

    def ref(self, repo: str, name: str, sha: str, kind: str = "commit") -> Json:
        """Return `git-ref`."""
        url = self.repo_url(repo)
        return {
            "ref": name,
            "node_id": node_id("REF", f"{repo}:{name}"),
            "url": f"{url}/git/{quote(name)}",
            "object": {"sha": sha, "type": kind, "url": f"{url}/git/{kind}s/{sha}"},
        }

    def commit(self, repo: str, commit: Commit) -> Json:
        """Return `commit`, without its statistics."""
        url, html = self.repo_url(repo), f"{self.links.html}/{repo}/commit/{commit.sha}"
        return {
            "sha": commit.sha,
            "node_id": node_id("C", f"{repo}:{commit.sha}"),
            "url": f"{url}/commits/{commit.sha}",
            "html_url": html,
            "comments_url": f"{url}/commits/{commit.sha}/comments",
            "commit": {
                "url": f"{url}/git/commits/{commit.sha}",
                "author": _signature(commit.author),
                "committer": _signature(commit.committer),
                "message": commit.message,
                "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
                "comment_count": 0,
                "verification": _UNSIGNED,
            },
            "author": self.user(_login(commit.author)),
            "committer": self.user(_login(commit.committer)),
            "parents": [self._parent(repo, sha) for sha in commit.parents],
        }

    def full_commit(self, repo: str, commit: Commit, files: tuple[FileChange, ...]) -> Json:
        """Return `commit` with its files and statistics."""
        added, removed = sum(one.additions for one in files), sum(one.deletions for one in files)
        return {
            **self.commit(repo, commit),
            "stats": {"additions": added, "deletions": removed, "total": added + removed},
            "files": [self.file(repo, one, commit.sha) for one in files],
        }

    def file(self, repo: str, change: FileChange, head: str) -> Json:
        """Return `diff-entry`."""
        path = quote(change.path)
        body: Json = {
            "sha": change.sha,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{self.links.html}/{repo}/blob/{head}/{path}",
            "raw_url": f"{self.links.html}/{repo}/raw/{head}/{path}",
            "contents_url": f"{self.repo_url(repo)}/contents/{path}?ref={head}",
        }
        if change.patch is not None:
            body["patch"] = change.patch
        if change.previous_path is not None:
            body["previous_filename"] = change.previous_path
        return body

    def comparison(self, repo: str, comparison: Comparison, basehead: str) -> Json:
        """Return `commit-comparison`."""
        git = self.records.git(repo)
        html = f"{self.links.html}/{repo}/compare/{quote(basehead)}"
        ahead, behind = comparison.ahead_by, comparison.behind_by
        status = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
        return {
            "url": f"{self.repo_url(repo)}/compare/{quote(basehead)}",
            "html_url": html,
            "permalink_url": f"{self.links.html}/{repo}/compare/{comparison.base}...{comparison.head}",
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "base_commit": self.commit(repo, git.commit(comparison.base)),
            "merge_base_commit": self.commit(repo, git.commit(comparison.merge_base)),
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "commits": [self.commit(repo, one) for one in comparison.commits],
            "files": [self.file(repo, one, comparison.head) for one in comparison.files],
        }

    def entry(self, repo: str, entry: Entry, revision: str, content: bytes | None = None) -> Json:
        """Return one item of `content-directory`; with its bytes, `content-file`."""
        path = quote(entry.path)
        kind = "trees" if entry.type == "dir" else "blobs"
        url = f"{self.repo_url(repo)}/contents/{path}?ref={quote(revision, safe='')}"
        page = "tree" if entry.type == "dir" else "blob"
        html = f"{self.links.html}/{repo}/{page}/{quote(revision)}/{path}"
        git_url = f"{self.repo_url(repo)}/git/{kind}/{entry.sha}"
        raw = None if entry.type == "dir" else f"{self.links.html}/{repo}/raw/{quote(revision)}/{path}"
        body: Json = {
            "name": entry.path.rpartition("/")[2],
            "path": entry.path,
            "sha": entry.sha,
            "size": entry.size,
            "type": entry.type,
            "url": url,
            "html_url": html,
            "git_url": git_url,
            "download_url": raw,
            "_links": {"self": url, "git": git_url, "html": html},
        }
        if content is not None:
            body |= {"encoding": "base64", "content": base64.encodebytes(content).decode()}
        return body

    def push(self, repo: str, change: RefChange, actor: Actor) -> Json:
        """Return the payload of `push`, without repository and sender."""
        git = self.records.git(repo)
        gone, made = change.after == ZERO_SHA, change.before == ZERO_SHA
        commits: tuple[Commit, ...] = ()
        if not gone:
            limits = [f"--max-count={_PUSHED_COMMITS}", change.after]
            default = git.branch(self.records.repositories.require(repo).default_branch)
            known = default if made else change.before
            commits = git.commits(*limits, f"^{known}") if known and known != change.after else ()
        user = self.records.users.get(actor.login)
        return {
            "ref": change.ref,
            "before": change.before,
            "after": change.after,
            "base_ref": None,
            "created": made,
            "deleted": gone,
            "forced": not (gone or made) and not git.is_ancestor(change.before, change.after),
            "compare": f"{self.links.html}/{repo}/compare/{change.before[:12]}...{change.after[:12]}",
            "commits": [self._pushed(repo, commit) for commit in reversed(commits)],
            "head_commit": None if gone else self._pushed(repo, git.commit(change.after)),
            "pusher": {"name": actor.login, "email": user.email if user else None},
        }

    def _pushed(self, repo: str, commit: Commit) -> Json:
        files = self.records.git(repo).names(commit.sha)
        return {
            "id": commit.sha,
            "tree_id": commit.tree,
            "distinct": True,
            "message": commit.message,
            "timestamp": commit.committer.date,
            "url": f"{self.links.html}/{repo}/commit/{commit.sha}",
            "author": {
                "name": commit.author.name,
                "email": commit.author.email,
                **({"username": login} if (login := _login(commit.author)) else {}),
            },
            "committer": {"name": commit.committer.name, "email": commit.committer.email},
            **{
                kind: [path for path, status in files if status == kind]
                for kind in ("added", "removed", "modified")
            },
        }

    def _parent(self, repo: str, sha: str) -> Json:
        page = f"{self.links.html}/{repo}/commit/{sha}"
        return {"sha": sha, "url": f"{self.repo_url(repo)}/commits/{sha}", "html_url": page}


def _signature(signature: Signature) -> dict[str, Any]:
    return {"name": signature.name, "email": signature.email, "date": signature.date}


def _login(signature: Signature) -> str | None:
    """Return the login behind a commit's address, where it is one of GitHub's own."""
    name, _, host = signature.email.partition("@")
    return name.rpartition("+")[2] if host == "users.noreply.github.com" else None
