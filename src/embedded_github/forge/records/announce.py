"""Tells the subscribers of a change, in the shape of GitHub's webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedded_github.forge.events import Event
from embedded_github.forge.models import Actor
from embedded_github.forge.render.renderer import Renderer

if TYPE_CHECKING:
    from embedded_github.forge.store import Store


def renderer_for(store: Store, actor: Actor) -> Renderer:
    """Return what writes JSON with the addresses the actor sees."""
    return Renderer(store, actor.links or store.links)


def announce(
    store: Store, actor: Actor, repo: str, name: str, action: str | None, parts: dict[str, Any]
) -> None:
    """Emit one event.

    Args:
        store: The store whose subscribers are told.
        actor: Who made the change; the payload's `sender`.
        repo: `owner/name`; the payload's `repository`.
        name: The webhook's name, as `issues`.
        action: Its action, as `labeled`; None where it has none.
        parts: The rest of the payload.
    """
    render = renderer_for(store, actor)
    repository = store.repositories.require(repo)
    payload = {
        **({"action": action} if action else {}),
        **parts,
        "repository": render.repository(repository),
        "sender": render.user(actor.login),
    }
    store.emit(Event(repository.full_name, name, action, payload, actor.login, actor.by_workflow_token))
