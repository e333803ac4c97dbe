"""Changes of records, and the events that GitHub would send as webhooks after them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from embedded_github.forge.database import Database
from embedded_github.forge.models import Actor

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """A change of records, as the one who made it tells of it.

    `name` and `action` are those of GitHub's webhook. `parts` are the rest of its payload, by key: records,
    which are written as JSON later, or JSON. `repo` is `owner/name`.
    """

    repo: str
    name: str
    action: str | None
    actor: Actor
    parts: Mapping[str, object]


@dataclass(frozen=True)
class Event:
    """A change that has been committed.

    `name` and `action` are those of GitHub's webhook (`issues` and `labeled`; `push` has no action),
    `payload` has its shape. `by_workflow_token` says that a run's GITHUB_TOKEN made the change: GitHub starts
    no runs for those, except `workflow_dispatch` and `repository_dispatch`.
    """

    repo: str
    name: str
    action: str | None
    payload: dict[str, Any]
    actor: str
    by_workflow_token: bool


Subscriber = Callable[[Event], None]


class EventBus:
    """Carries changes from the records to whoever subscribed, as events.

    Args:
        db: its transactions decide when an event is told.
        write: makes an event of a change; asked at once, while a record that goes is still there.
    """

    def __init__(self, db: Database, write: Callable[[Change], Event]) -> None:
        self._db = db
        self._write = write
        self._subscribers: list[Subscriber] = []

    def subscribe(self, callback: Subscriber) -> None:
        """Call `callback` with every event, after its change is committed and with no lock held.

        It runs on the thread that made the change, before the change's own answer is sent: it should be
        quick. What it raises is logged and does not undo the change.
        """
        self._subscribers.append(callback)

    def publish(self, change: Change) -> None:
        """Tell the subscribers of a change, once the present transaction is committed."""
        self.emit(self._write(change))

    def emit(self, event: Event) -> None:
        """Tell the subscribers of an event, once the present transaction is committed."""
        self._db.after_commit(lambda: self._deliver(event))

    def _deliver(self, event: Event) -> None:
        for callback in tuple(self._subscribers):
            try:
                callback(event)
            except Exception:
                _logger.exception("a subscriber failed on %s %s of %s", event.name, event.action, event.repo)
