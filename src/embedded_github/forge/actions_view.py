"""The forge as the Actions player sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_github.forge.render.renderer import Renderer
from embedded_github.forge.store import Store

_WORKFLOWS = ".github/workflows"


class ActionsView:
    """What workflows need of a store: files at a commit, tokens for runs, and payloads' common parts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def default_branch(self, repo: str) -> str:
        """Return the short name, such as `main`."""
        return self._store.repositories.require(repo).default_branch

    def sha_of(self, repo: str, ref: str) -> str:
        """Return the commit of a full ref name (`refs/heads/main`) or of a SHA.

        Raises:
            LookupError: there is no such repository or commit.
        """
        sha = self._store.git(repo).ref(f"{ref}^{{commit}}")
        if sha is None:
            raise LookupError(f"no {ref} in {repo}")
        return sha

    def workflow_files(self, repo: str, ref: str) -> dict[str, bytes]:
        """Return the files of `.github/workflows` at a commit, by path; empty where there are none.

        Where Actions are disabled nothing starts: there are none, then.
        """
        if not self._store.settings.actions(repo).enabled:
            return {}
        git = self._store.git(repo)
        entries = git.entries(ref, _WORKFLOWS) or ()
        return {entry.path: git.blob(entry.sha) for entry in entries if entry.type == "file"}

    def mint_token(self, repo: str, permissions: Mapping[str, str], run_id: int) -> str:
        """Make a run's GITHUB_TOKEN; see `Tokens.mint`."""
        return self._store.mint_token(repo, permissions, run_id)

    def revoke_token(self, token: str) -> None:
        """Make a token worthless."""
        self._store.revoke_token(token)

    def repository(self, repo: str) -> dict[str, Any]:
        """Return the repository in the shape of GitHub's REST.

        Raises:
            LookupError: there is no such repository.
        """
        return self._render().repository(self._store.repositories.require(repo))

    def sender(self, login: str) -> dict[str, Any]:
        """Return a user in the shape of GitHub's REST; `ghost` for somebody who is gone."""
        known = self._render().user(login)
        return known or {"login": "ghost", "id": 10137, "type": "User"}

    def _render(self) -> Renderer:
        return Renderer(self._store, self._store.links)
