"""JSON as GitHub writes it: users, repositories, issues and what hangs on them."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from embedded_github.forge.models import (
    Comment,
    Issue,
    IssueEvent,
    Label,
    Links,
    Reaction,
    Repository,
    Role,
    User,
)
from embedded_github.forge.records.records import Records

Json = dict[str, Any]

_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_DEFAULT_LABELS = {
    "bug",
    "documentation",
    "duplicate",
    "enhancement",
    "help wanted",
    "invalid",
    "question",
    "wontfix",
}


def node_id(kind: str, number: int | str) -> str:
    """Return the global id GraphQL knows a thing by: its kind (`PR`, `I`, ...) and, encoded, its id."""
    return f"{kind}_" + base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def parse_node_id(text: str) -> tuple[str, str]:
    """Undo `node_id`.

    Raises:
        ValueError: it is none of ours.
    """
    kind, _, rest = text.partition("_")
    return kind, base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4)).decode()


class IssueRenderer:
    """Writes records as GitHub's JSON.

    Args:
        records: Where what a value only names (a user by login) is looked up.
        links: The addresses it names things by.
    """

    def __init__(self, records: Records, links: Links) -> None:
        self.records = records
        self.links = links

    def repo_url(self, repo: str) -> str:
        """Return a repository's address in the API."""
        return f"{self.links.api}/repos/{repo}"

    def user(self, login: str | None) -> Json | None:
        """Return `simple-user`, or None for somebody who is gone."""
        user = self.records.users.get(login) if login else None
        return self.simple_user(user) if user else None

    def simple_user(self, user: User) -> Json:
        """Return `simple-user`."""
        url = f"{self.links.api}/users/{quote(user.login)}"
        page = user.login.removesuffix("[bot]")
        return {
            "login": user.login,
            "id": user.id,
            "node_id": node_id("U" if user.type == "User" else "BOT", user.id),
            "avatar_url": f"{self.links.html}/avatars/u/{user.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.links.html}/" + (f"apps/{page}" if user.type == "Bot" else user.login),
            **{key: url + end for key, end in _USER_URLS.items()},
            "type": user.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def full_user(self, user: User) -> Json:
        """Return `public-user`."""
        count = len(
            [one for one in self.records.repositories.list() if one.owner == user.login and not one.private]
        )
        return {
            **self.simple_user(user),
            "name": user.name,
            "email": user.email,
            **dict.fromkeys(
                ("company", "location", "hireable", "bio", "twitter_username", "notification_email")
            ),
            "blog": "",
            "public_repos": count,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": user.created_at,
            "updated_at": user.created_at,
        }

    def repository(self, repository: Repository) -> Json:
        """Return `repository` as payloads and pull requests carry it."""
        name = repository.full_name
        url, html = self.repo_url(name), f"{self.links.html}/{name}"
        open_issues = self.records.issues.count_open(name)
        return {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": name,
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "owner": self.user(repository.owner),
            "html_url": html,
            "description": repository.description,
            "fork": False,
            "url": url,
            **{key: url + end for key, end in _REPOSITORY_URLS.items()},
            "git_url": f"git://{html.partition('://')[2]}.git",
            "ssh_url": f"git@{html.partition('://')[2].replace('/', ':', 1)}.git",
            "clone_url": f"{html}.git",
            "svn_url": html,
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            "size": 0,
            "default_branch": repository.default_branch,
            **dict.fromkeys(("forks_count", "stargazers_count", "watchers_count", "forks", "watchers"), 0),
            "open_issues": open_issues,
            "open_issues_count": open_issues,
            "has_issues": True,
            "has_downloads": True,
            **dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_discussions"), False),
            **dict.fromkeys(("archived", "disabled", "is_template", "allow_forking"), False),
            "web_commit_signoff_required": False,
            "topics": [],
            "pushed_at": repository.pushed_at,
            "created_at": repository.created_at,
            "updated_at": repository.pushed_at,
        }

    def full_repository(self, repository: Repository, role: Role) -> Json:
        """Return `full-repository` for somebody of this role."""
        level = ("none", "read", "triage", "write", "maintain", "admin").index(role)
        names = ("pull", "triage", "push", "maintain", "admin")
        return {
            **self.repository(repository),
            "permissions": {name: level > index for index, name in enumerate(names)},
            "subscribers_count": 0,
            "network_count": 0,
        }

    def label(self, repo: str, label: Label) -> Json:
        """Return `label`."""
        return {
            "id": label.id,
            "node_id": node_id("LA", label.id),
            "url": f"{self.repo_url(repo)}/labels/{quote(label.name, safe='')}",
            "name": label.name,
            "color": label.color,
            "default": label.name in _DEFAULT_LABELS,
            "description": label.description,
        }

    def association(self, repo: str, login: str) -> str:
        """Return `author_association`: OWNER, COLLABORATOR or NONE."""
        if repo.partition("/")[0].lower() == login.lower():
            return "OWNER"
        return "COLLABORATOR" if self.records.repositories.has_role_of_own(repo, login) else "NONE"

    def issue(self, issue: Issue) -> Json:
        """Return `issue`."""
        url = f"{self.repo_url(issue.repo)}/issues/{issue.number}"
        kind = "pull" if issue.is_pull_request else "issues"
        html = f"{self.links.html}/{issue.repo}/{kind}/{issue.number}"
        pull = {"pull_request": self._pull_links(issue, html)} if issue.is_pull_request else {}
        return {
            "id": issue.id,
            "node_id": self.issue_node_id(issue),
            "url": url,
            "repository_url": self.repo_url(issue.repo),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "timeline_url": f"{url}/timeline",
            "html_url": html,
            "number": issue.number,
            "state": issue.state,
            "state_reason": issue.state_reason,
            "title": issue.title,
            "body": issue.body,
            "user": self.user(issue.author),
            "labels": [self.label(issue.repo, label) for label in issue.labels],
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "locked": False,
            "active_lock_reason": None,
            "comments": issue.comments,
            "closed_at": issue.closed_at,
            "closed_by": self.user(issue.closed_by),
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "author_association": self.association(issue.repo, issue.author),
            "performed_via_github_app": None,
            "reactions": self.reaction_counts("issue", issue.id, url),
            **pull,
        }

    def issue_node_id(self, issue: Issue) -> str:
        """Return an issue's global id; a pull request's is the same whichever way it is asked for."""
        if not issue.is_pull_request:
            return node_id("I", issue.id)
        return node_id("PR", self.records.pulls.require(issue.repo, issue.number).id)

    def _pull_links(self, issue: Issue, html: str) -> Json:
        pull = self.records.pulls.require(issue.repo, issue.number)
        return {
            "url": f"{self.repo_url(issue.repo)}/pulls/{issue.number}",
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "merged_at": pull.merged_at,
        }

    def comment(self, comment: Comment) -> Json:
        """Return `issue-comment`."""
        url = f"{self.repo_url(comment.repo)}/issues/comments/{comment.id}"
        issue = self.records.issues.require(comment.repo, comment.number)
        kind = "pull" if issue.is_pull_request else "issues"
        return {
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "url": url,
            "html_url": f"{self.links.html}/{comment.repo}/{kind}/{comment.number}#issuecomment-{comment.id}",
            "issue_url": f"{self.repo_url(comment.repo)}/issues/{comment.number}",
            "body": comment.body,
            "user": self.user(comment.author),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": self.association(comment.repo, comment.author),
            "performed_via_github_app": None,
            "reactions": self.reaction_counts("comment", comment.id, url),
        }

    def issue_event(self, event: IssueEvent) -> Json:
        """Return `issue-event-for-issue`."""
        body: Json = {
            "id": event.id,
            "node_id": node_id("EV", event.id),
            "url": f"{self.repo_url(event.repo)}/issues/events/{event.id}",
            "actor": self.user(event.actor),
            "event": event.event,
            "commit_id": event.commit_id,
            "commit_url": f"{self.repo_url(event.repo)}/commits/{event.commit_id}"
            if event.commit_id
            else None,
            "created_at": event.created_at,
            "performed_via_github_app": None,
        }
        if event.label is not None:
            body["label"] = {"name": event.label.name, "color": event.label.color}
        if event.rename is not None:
            body["rename"] = {"from": event.rename[0], "to": event.rename[1]}
        if event.event == "closed":
            body["state_reason"] = self.records.issues.require(event.repo, event.number).state_reason
        return body

    def reaction(self, reaction: Reaction) -> Json:
        """Return `reaction`."""
        return {
            "id": reaction.id,
            "node_id": node_id("REA", reaction.id),
            "user": self.user(reaction.author),
            "content": reaction.content,
            "created_at": reaction.created_at,
        }

    def reaction_counts(self, subject: str, subject_id: int, url: str) -> Json:
        """Return `reaction-rollup`."""
        counts = self.records.reactions.counts(subject, subject_id)
        return {"url": f"{url}/reactions", "total_count": sum(counts.values()), **counts}
