"""Who may ask: write access by GitHub's own answer, failing closed."""

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
"""What GitHub shows in place of a deleted account."""
_LOGIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Labelled:
    """The event by which an issue got the label: GitHub's record of it, not the payload's word.

    Attributes:
        actor: a login; "" when the account is gone.
        kind: `User`, `Bot`, ...
    """

    actor: str
    kind: str
    at: datetime


class Access:
    """Asks the collaborator API, once for each person.

    Args:
        repository: of the loop.
        allowed_bots: bots that may ask, by exact login. A `[bot]` at the end of a name earns nothing.
        own_login: whose token dispatches continuations.
    """

    def __init__(
        self, repository: Repository, *, allowed_bots: Collection[str] = (), own_login: str = WORKFLOW_BOT
    ) -> None:
        self._repository = repository
        self._allowed_bots = frozenset(allowed_bots)
        self._dispatchers = frozenset({WORKFLOW_BOT, own_login})
        self._known: dict[str, bool] = {}

    def may_write(self, login: str, kind: str = "User") -> bool:
        """Whether this person, or listed bot, may ask.

        Raises:
            ForgeError: GitHub did not say.
        """
        if kind != "User" or login.endswith("[bot]"):
            return login in self._allowed_bots
        # Not every login GitHub shows is one that the API can be asked about.
        if not _LOGIN.fullmatch(login) or login == GHOST:
            return False
        if login not in self._known:
            with translated(f"asking for the permission of {login}"):
                self._known[login] = self._ask(login)
        return self._known[login]

    def require_writer(self, login: str, kind: str = "User") -> None:
        """Refuse whoever may not ask.

        Raises:
            AccessError: no write access; or nobody could say, which is the same.
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
        """Who put the label on, and when, from the issue's events.

        Raises:
            AccessError: the issue does not carry the label by any event (any more).
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
        """Whoever labelled the issue may ask; so may whom the payload names, where it names another.

        Raises:
            AccessError: refused; the label should be taken off again (`remove_label`).
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
        """The one the journal names as requester still may ask; so may whoever dispatched, unless we did.

        Raises:
            AccessError: refused.
        """
        self.require_writer(requester)
        if dispatcher not in self._dispatchers:
            self.require_writer(dispatcher)

    def remove_label(self, issue: int, label: str) -> None:
        """Take a refused label off; one that is gone already is fine.

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
            if error.status == 404:  # no such account, or no collaborator
                return False
            raise
