"""Reads a repository's settings from GitHub, as far as the token may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from github.ContentFile import ContentFile
from github.GithubException import GithubException
from github.Repository import Repository

from autonomous_loop.github import client

T = TypeVar("T")
_NOT_TOLD = frozenset({401, 403, 404})


class NotToldError(Exception):
    """The token may not read this."""


class RepositorySettings:
    """Reads one setting per method; each raises `NotToldError` if the token may not read it.

    Args:
        token: a person's, or a workflow run's.
        api_url: address of GitHub's REST API.
        name: `owner/name`.

    Raises:
        ForgeError: no such repository, or not for this token; or GitHub does not answer.
    """

    def __init__(self, token: str, api_url: str, name: str) -> None:
        connected = client.connect(token, api_url)
        self.login = client.own_login(connected, token)
        with client.translated(f"reading the repository {name}"):
            self._repository: Repository = connected.get_repo(name).complete()
        self._url = f"/repos/{quote(name)}"

    @property
    def branch(self) -> str:
        """Return the default branch."""
        return self._repository.default_branch

    @property
    def has_issues(self) -> bool:
        """Whether issues are enabled."""
        return bool(self._repository.has_issues)

    @property
    def role(self) -> str:
        """Return the token owner's highest role: admin, write, read; empty if GitHub does not say."""
        given = self._repository.permissions
        for name, has in (
            (("admin", given.admin), ("write", given.push), ("read", given.pull)) if given else ()
        ):
            if has:
                return name
        return ""

    def file(self, path: str) -> bytes | None:
        """Return a file of the default branch; None if there is none."""
        return self._there(f"reading {path}", lambda: self._content(path))

    def has_label(self, name: str) -> bool:
        """Whether a label of this name exists."""
        return (
            self._there(f"reading the label {name}", lambda: self._repository.get_label(name).complete())
            is not None
        )

    def workflow_state(self, file: str) -> str | None:
        """Return `active`, `disabled_manually`, ...; None if GitHub knows no such workflow."""
        found = self._there(
            f"reading the workflow {file}", lambda: self._repository.get_workflow(file).complete()
        )
        return found.state if found else None

    def actions(self) -> Mapping[str, Any]:
        """Return `enabled`, `allowed_actions`, `sha_pinning_required`."""
        return self._ask("actions/permissions")

    def may_open_pull_requests(self) -> bool:
        """Return the setting "Allow GitHub Actions to create and approve pull requests"."""
        return self._ask("actions/permissions/workflow").get("can_approve_pull_request_reviews") is True

    def secret_names(self) -> frozenset[str]:
        """Return names from the repository, and from its organization if those are visible."""
        own = self._names("actions/secrets")
        try:
            return own | self._names("actions/organization-secrets")
        except NotToldError:
            return own

    def _names(self, path: str) -> frozenset[str]:
        return frozenset(str(one["name"]) for one in self._ask(f"{path}?per_page=100")["secrets"])

    def _content(self, path: str) -> bytes | None:
        found = self._repository.get_contents(path)
        if not isinstance(found, ContentFile) or found.encoding != "base64":  # a folder, a link, or too large
            return None
        return found.decoded_content

    def _ask(self, path: str) -> Mapping[str, Any]:
        with client.translated(f"reading {path}"):
            try:
                _, data = self._repository.requester.requestJsonAndCheck("GET", f"{self._url}/{path}")
            except GithubException as error:
                if error.status in _NOT_TOLD:
                    raise NotToldError from None
                raise
        return data if isinstance(data, dict) else {}

    def _there(self, doing: str, ask: Callable[[], T]) -> T | None:
        with client.translated(doing):
            try:
                return ask()
            except GithubException as error:
                if error.status == 404:
                    return None
                if error.status in _NOT_TOLD:
                    raise NotToldError from None
                raise
