"""Who asks, and whether they may: people by their role, workflow runs by their token's permissions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from starlette.requests import Request

from embedded_github.forge.api.errors import ApiError, bad_credentials, not_accessible, not_found
from embedded_github.forge.models import ROLES, Actor, Links, Repository, Role, Token
from embedded_github.forge.store import Store

API_PREFIX = "/api/v3"

Level = Literal["read", "write"]


@dataclass(frozen=True)
class Identity:
    """Who asks.

    `token` is None for somebody not signed in; `repository` is the one of the address, where it has one;
    `role` is theirs in it. `links` are the addresses as this request sees them.
    """

    token: Token | None
    links: Links
    repository: Repository | None = None
    role: Role = "none"

    @property
    def login(self) -> str:
        """Whose token it is; empty for somebody not signed in."""
        return self.token.login if self.token else ""

    @property
    def by_workflow_token(self) -> bool:
        """Whether a run's GITHUB_TOKEN asks."""
        return self.token is not None and self.token.is_workflow

    @property
    def actor(self) -> Actor:
        """Who makes the changes of this request.

        Raises:
            ApiError: 401, nobody is signed in.
        """
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        return Actor(self.token.login, self.by_workflow_token, self.token.run_id, self.links)

    def has_role(self, role: Role) -> bool:
        """Whether theirs is at least this role; a run's token has none and is asked by permission instead."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Authorize(Protocol):
    """What routes are given to ask with; `Authorizer` is one."""

    def __call__(
        self, request: Request, permission: str, level: Level = "read", *, role: Role | None = None
    ) -> Identity:
        """See `Authorizer`."""
        ...


class Authorizer:
    """Reads the request's token and checks it, refusing in GitHub's own words."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def identify(self, request: Request) -> Identity:
        """Return who asks, whatever they ask for.

        Raises:
            ApiError: 401, the token is not known.
        """
        return self.identify_header(request.headers.get("authorization"), links_of(request))

    def identify_header(self, header: str | None, links: Links) -> Identity:
        """Return who an `Authorization` header (Bearer, token or Basic) stands for; None is nobody."""
        if not header:
            return Identity(None, links)
        token = self._store.tokens.find(token_in(header))
        if token is None:
            raise bad_credentials()
        return Identity(token, links)

    def __call__(
        self, request: Request, permission: str, level: Level = "read", *, role: Role | None = None
    ) -> Identity:
        """Return who asks, once it is clear that they may.

        The repository is the one of the address (its `owner` and `repo`).

        Args:
            request: The request.
            permission: What a run's token must have: `contents`, `issues`, `pull-requests`, `actions`, ...
            level: Of that permission. To read a public repository nothing is needed.
            role: What a person's role must be at least; by default `read` to read and `write` to write.

        Raises:
            ApiError: 401 not signed in or an unknown token, 403 not allowed, 404 not to be seen.
        """
        identity = self.identify(request)
        full_name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        return self.check(identity, full_name, permission, level, role=role, path=request.path_params)

    def check(
        self,
        identity: Identity,
        full_name: str,
        permission: str,
        level: Level,
        *,
        role: Role | None = None,
        path: Mapping[str, object] | None = None,
    ) -> Identity:
        """As calling it, for what was identified already; `path` names the issue that is asked for."""
        repository = self._store.repositories.get(full_name)
        if repository is None:
            raise not_found()
        token = identity.token
        if token is not None and token.is_workflow:
            permissions = [permission, *self._also(repository, permission, path or {})]
            _check_workflow(token, repository, permissions, level)
            return Identity(token, identity.links, repository)
        found = Identity(
            token, identity.links, repository, self._store.repositories.role(full_name, identity.login)
        )
        if not found.has_role("read"):
            raise not_found()
        needed = role or ("write" if level == "write" else "read")
        if level == "write" and token is None:
            raise ApiError(401, "Requires authentication")
        if not found.has_role(needed):
            raise ApiError(403, "Must have admin rights to Repository.")
        return found

    def _also(self, repository: Repository, permission: str, path: Mapping[str, object]) -> list[str]:
        """GitHub takes `pull-requests` for an issue's routes where the issue is a pull request."""
        if permission != "issues":
            return []
        number = path.get("issue_number")
        if "comment_id" in path:
            comment = self._store.comments.get(repository.full_name, int(str(path["comment_id"])))
            number = comment.number if comment else None
        if number is None:
            return []
        issue = self._store.issues.get(repository.full_name, int(str(number)))
        return ["pull-requests"] if issue is not None and issue.is_pull_request else []


def links_of(request: Request) -> Links:
    """Return the addresses as this request sees them: with `/api/v3` where it came that way."""
    html = f"{request.url.scheme}://{request.url.netloc}"
    under_prefix = request.scope.get("root_path", "").startswith(API_PREFIX)
    return Links(html=html, api=html + API_PREFIX if under_prefix else html)


def _check_workflow(token: Token, repository: Repository, permissions: list[str], level: Level) -> None:
    if token.repo != repository.full_name:
        if repository.private:
            raise not_found()
        if level == "write":
            raise not_accessible()
        return
    if level == "read" and not repository.private:
        return
    enough = ("write",) if level == "write" else ("read", "write")
    if not any(token.permissions.get(name, "none") in enough for name in permissions):
        raise not_accessible()


def token_in(header: str) -> str:
    """Return the token of an `Authorization` header; empty where it has none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return password or user
    return ""
