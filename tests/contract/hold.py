"""Holds every embedded GitHub of this process to GitHub's own descriptions: no test can make another.

`tests/conftest.py` calls `hold` before any test is read, and looks into the ledger after each. What is held
is made where the product makes it, so a new test, world or middleware needs nothing of its own:

* every application of `forge/app.py`: each request and answer of REST and GraphQL;
* every event of the forge: its payload, as a webhook would carry it;
* every run of the Actions player on the forge: the payload its jobs find at GITHUB_EVENT_PATH.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from contract.ledger import Ledger
from contract.openapi.middleware import ContractMiddleware
from contract.webhooks.payloads import problems_of
from embedded_github.actions.launcher import Launcher
from embedded_github.forge import app as forge_app
from embedded_github.forge.actions_view import ActionsView
from embedded_github.forge.events import Event, EventBus

LEDGER = Ledger()


class HeldApplication(Starlette):
    """What `create_app` makes while tests run."""

    def build_middleware_stack(self) -> ASGIApp:
        return ContractMiddleware(super().build_middleware_stack(), LEDGER)


def hold() -> None:
    """Put the checks where the embedded GitHub is made; calling it twice is the same as once."""
    if forge_app.Starlette is HeldApplication:
        return
    forge_app.Starlette = HeldApplication
    EventBus.emit = _before_it_is_told(EventBus.emit)
    Launcher.start = _as_jobs_see_it(Launcher.start)


def _before_it_is_told(emit: Callable[[EventBus, Event], None]) -> Callable[[EventBus, Event], None]:
    @wraps(emit)
    def held(bus: EventBus, event: Event) -> None:
        _note("the webhook", event.name, event.payload)
        emit(bus, event)

    return held


def _as_jobs_see_it(start: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(start)
    def held(launcher: Launcher, *args: Any, **more: Any) -> Any:
        run = start(launcher, *args, **more)
        # A player on another forge (a stand-in of its own tests) is told payloads by hand.
        if isinstance(launcher._forge, ActionsView):
            _note("the payload of a run by", run.event, run.payload)
        return run

    return held


def _note(what: str, event: str, payload: Mapping[str, Any]) -> None:
    named = f"{what} {event} {payload.get('action') or ''}".rstrip()
    LEDGER.violations += [f"{named}: {problem}" for problem in problems_of(event, payload)]
