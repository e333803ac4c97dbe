"""Events: what GitHub would send as a webhook after a change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
