"""Decides who may start and steer a loop: people with write access, as GitHub reports it. Fails closed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from github.GithubException import GithubException
from github.Repository import Repository

from autonomous_loop.errors import AccessError, AccessUnknown, ForgeError
from autonomous_loop.github.client import WORKFLOW_BOT, translated

WRITERS: Final = frozenset({"admin", "maintain", "write"})
GHOST: Final = "ghost"
"""The login GitHub shows for a deleted account."""
_LOGIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Labelled:
    """The event that put the label on an issue, from GitHub's own record, not from the payload.

    Attributes:
        actor: a login; "" if the account is gone.
        kind: `User`, `Bot`, ...
    """

    actor: str
    kind: str
    at: datetime


class Access:
    """Asks the collaborator API, once per person.

    Args:
        repository: the loop's repository.
        allowed_bots: exact logins of bots that may start a loop. A name that ends in `[bot]` gets no rights.
        own_login: the account that dispatches continuations.
    """

    def __init__(
        self, repository: Repository, *, allowed_bots: Collection[str] = (), own_login: str = WORKFLOW_BOT
    ) -> None:
        self._repository = repository
        self._allowed_bots = frozenset(allowed_bots)
        self._dispatchers = frozenset({WORKFLOW_BOT, own_login})
        self._known: dict[str, bool] = {}

    def may_write(self, login: str, kind: str = "User") -> bool:
        """Whether this person, or listed bot, has write access.

        Raises:
            ForgeError: GitHub did not say.
        """
        if kind != "User" or login.endswith("[bot]"):
            return login in self._allowed_bots
        # GitHub shows some logins that the API cannot be asked about.
        if not _LOGIN.fullmatch(login) or login == GHOST:
            return False
        if login not in self._known:
            with translated(f"asking for the permission of {login}"):
                self._known[login] = self._ask(login)
        return self._known[login]

    def require_writer(self, login: str, kind: str = "User") -> None:
        """Refuse a sender without write access.

        Raises:
            AccessError: no write access, or GitHub did not say, which counts as none.
        """
        name = login or "an account that is gone"
        try:
            allowed = self.may_write(login, kind)
        except ForgeError as error:
            raise AccessUnknown(
                f"Whether {name} may ask could not be checked, so it is refused: {error.message}",
                hint=error.hint or "ask again.",
            ) from None
        if not allowed:
            raise AccessError(
                f"{name} may not ask this of the loop: it takes write access to the repository"
                + (", or for a bot its exact name in allowed-bots." if login.endswith("[bot]") else "."),
                hint="someone with write access can put the label on again, or write the comment.",
            )

    def labelled(self, issue: int, label: str) -> Labelled:
        """Return who added the label, and when, from the issue's events.

        Raises:
            AccessError: no event shows that the issue (still) has the label.
            ForgeError: GitHub did not answer.
        """
        newest: Labelled | None = None
        with translated(f"reading the events of issue #{issue}"):
            for event in self._repository.get_issue(issue).get_events():
                if (
                    event.event not in {"labeled", "unlabeled"}
                    or event.label is None
                    or event.label.name != label
                ):
                    continue
                actor = event.actor
                newest = (
                    Labelled(actor.login if actor else "", actor.type if actor else "", event.created_at)
                    if event.event == "labeled"
                    else None
                )
        if newest is None:
            raise AccessError(f"Issue #{issue} does not carry the label {label} (any more).")
        return newest

    def check_start(self, issue: int, label: str, *, actor: str = "") -> Labelled:
        """Check the person who added the label, and the payload's actor if that is someone else.

        Raises:
            AccessError: refused; the caller should remove the label (`remove_label`).
        """
        try:
            found = self.labelled(issue, label)
        except ForgeError as error:
            raise AccessUnknown(f"Who labelled issue #{issue} could not be read: {error.message}") from None
        self.require_writer(found.actor, found.kind)
        if actor and actor != found.actor:
            self.require_writer(actor)
        return found

    def check_continuation(self, *, dispatcher: str, requester: str) -> None:
        """Check that the requester in the journal still has access, and the dispatcher unless it is the loop.

        Raises:
            AccessError: refused.
        """
        self.require_writer(requester)
        if dispatcher not in self._dispatchers:
            self.require_writer(dispatcher)

    def remove_label(self, issue: int, label: str) -> None:
        """Remove a refused label; one that is already gone is fine.

        Raises:
            ForgeError: GitHub refused.
        """
        with translated(f"removing the label {label} from issue #{issue}"):
            try:
                self._repository.get_issue(issue).remove_from_labels(label)
            except GithubException as error:
                if error.status != 404:
                    raise

    def _ask(self, login: str) -> bool:
        try:
            return self._repository.get_collaborator_permission(login) in WRITERS
        except GithubException as error:
            if error.status == 404:  # no such account, or not a collaborator
                return False
            raise
