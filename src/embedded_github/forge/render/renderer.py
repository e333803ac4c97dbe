"""JSON as GitHub writes it: pull requests, reviews and checks."""

from __future__ import annotations

from embedded_github.forge.models import (
    GITHUB_ACTIONS_BOT,
    CheckRun,
    PullRequest,
    Review,
    ReviewComment,
)
from embedded_github.forge.render.git import GitRenderer
from embedded_github.forge.render.issues import Json, node_id

# A comment on one line, as webhooks tell of it; no position is known once the difference has moved on.
_WHOLE_LINE: Json = {"position": None, "start_line": None, "original_start_line": None, "start_side": None}


class Renderer(GitRenderer):
    """Writes everything the store and its repositories hold."""

    # -- pull requests

    def simple_pull(self, pull: PullRequest) -> Json:
        """Return `pull-request-simple`."""
        issue = self.issue(pull.issue)
        url, html = f"{self.repo_url(pull.repo)}/pulls/{pull.number}", issue["html_url"]
        statuses = f"{self.repo_url(pull.repo)}/statuses/{pull.head_sha}"
        same = (
            "number",
            "state",
            "locked",
            "active_lock_reason",
            "title",
            "user",
            "body",
            "labels",
            "milestone",
            "assignee",
            "assignees",
            "created_at",
            "updated_at",
            "closed_at",
            "author_association",
        )
        links = {
            "self": url,
            "html": html,
            "issue": issue["url"],
            "comments": issue["comments_url"],
            "review_comments": f"{url}/comments",
            "review_comment": f"{self.repo_url(pull.repo)}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": statuses,
        }
        return {
            "id": pull.id,
            "node_id": node_id("PR", pull.id),
            **{key: issue[key] for key in same},
            "url": url,
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": issue["url"],
            **{
                f"{key}_url": links[key]
                for key in ("commits", "review_comments", "review_comment", "comments")
            },
            "statuses_url": statuses,
            "head": self._side(pull.repo, pull.head_ref, pull.head_sha),
            "base": self._side(pull.repo, pull.base_ref, pull.base_sha),
            "_links": {key: {"href": link} for key, link in links.items()},
            "draft": pull.draft,
            "auto_merge": None,
            "merged_at": pull.merged_at,
            "merge_commit_sha": pull.merge_commit_sha,
            "requested_reviewers": [],
            "requested_teams": [],
        }

    def pull(self, pull: PullRequest) -> Json:
        """Return `pull-request`."""
        git = self.records.git(pull.repo)
        commits, files, added, removed = git.summary(pull.base_sha, pull.head_sha)
        mergeable = self.records.pulls.mergeable(pull)
        state = {None: "unknown", False: "dirty", True: "draft" if pull.draft else "clean"}[mergeable]
        return {
            **self.simple_pull(pull),
            "merged": pull.merged_at is not None,
            "merged_by": self.user(pull.merged_by),
            "mergeable": mergeable,
            "mergeable_state": state,
            "rebaseable": mergeable,
            "comments": pull.issue.comments,
            "review_comments": len(self.records.reviews.comments(pull.repo, pull.number)),
            "maintainer_can_modify": False,
            "commits": commits,
            "additions": added,
            "deletions": removed,
            "changed_files": files,
        }

    def pull_parts(self, pull: PullRequest) -> Json:
        """Return what every `pull_request` payload carries."""
        return {"number": pull.number, "pull_request": self.pull(pull)}

    def _side(self, repo: str, ref: str, sha: str) -> Json:
        repository = self.records.repositories.require(repo)
        user = self.user(repository.owner)
        return {
            "label": f"{repository.owner}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": user,
            "repo": self.repository(repository),
        }

    def review(self, review: Review, *, webhook: bool = False) -> Json:
        """Return `pull-request-review`; webhooks write the state in small letters."""
        pull = f"{self.repo_url(review.repo)}/pulls/{review.number}"
        html = f"{self.links.html}/{review.repo}/pull/{review.number}#pullrequestreview-{review.id}"
        return {
            "id": review.id,
            "node_id": node_id("PRR", review.id),
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state.lower() if webhook else review.state,
            "html_url": html,
            "pull_request_url": pull,
            "author_association": self.association(review.repo, review.author),
            "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
            "submitted_at": review.submitted_at,
            "commit_id": review.commit_id,
        }

    def review_comment(self, comment: ReviewComment, *, webhook: bool = False) -> Json:
        """Return `pull-request-review-comment`; a webhook's names every place, null where there is none."""
        url = f"{self.repo_url(comment.repo)}/pulls/comments/{comment.id}"
        pull = f"{self.repo_url(comment.repo)}/pulls/{comment.number}"
        html = f"{self.links.html}/{comment.repo}/pull/{comment.number}#discussion_r{comment.id}"
        return {
            "id": comment.id,
            "node_id": node_id("PRRC", comment.id),
            "url": url,
            "pull_request_review_id": comment.review_id,
            "diff_hunk": comment.diff_hunk,
            "path": comment.path,
            "commit_id": comment.commit_id,
            "original_commit_id": comment.commit_id,
            "user": self.user(comment.author),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "html_url": html,
            "pull_request_url": pull,
            "author_association": self.association(comment.repo, comment.author),
            "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": pull}},
            "side": comment.side,
            # Counted in lines of the diff at GitHub; nobody here reads it.
            "position": comment.line or 1,
            "original_position": comment.line or 1,
            "subject_type": "file" if comment.line is None else "line",
            "reactions": self.reaction_counts("review_comment", comment.id, url),
            **({"line": comment.line, "original_line": comment.line} if webhook or comment.line else {}),
            **(_WHOLE_LINE | {"original_position": comment.line or 1} if webhook else {}),
        }

    # -- checks

    def check_run(self, check: CheckRun) -> Json:
        """Return `check-run`."""
        url = f"{self.repo_url(check.repo)}/check-runs/{check.id}"
        html = f"{self.links.html}/{check.repo}/runs/{check.id}"
        return {
            "id": check.id,
            "node_id": node_id("CR", check.id),
            "head_sha": check.head_sha,
            "name": check.name,
            "url": url,
            "html_url": html,
            "details_url": check.details_url or html,
            "external_id": check.external_id or "",
            "status": check.status,
            "conclusion": check.conclusion,
            "started_at": check.started_at,
            "completed_at": check.completed_at,
            "output": {
                "title": check.title,
                "summary": check.summary,
                "text": check.text,
                "annotations_count": 0,
                "annotations_url": f"{url}/annotations",
            },
            "check_suite": {"id": check.id},
            "app": self.actions_app(),
            "pull_requests": [],
        }

    def actions_app(self) -> Json:
        """Return `integration`: the app behind every run's token, which all check runs here are made by."""
        made = "2018-07-30T09:30:17Z"
        return {
            "id": 15368,
            "node_id": node_id("A", 15368),
            "slug": "github-actions",
            "name": "GitHub Actions",
            "description": "Automate your workflow from idea to production",
            "owner": self.user(GITHUB_ACTIONS_BOT),
            "external_url": f"{self.links.html}/features/actions",
            "html_url": f"{self.links.html}/apps/github-actions",
            "created_at": made,
            "updated_at": made,
            "permissions": {"checks": "write", "contents": "write", "issues": "write", "metadata": "read"},
            "events": ["push"],
        }
