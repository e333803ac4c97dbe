"""Autonomous Loop: one issue to a reviewable pull request, over as many CI jobs as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autonomous_loop.config import LoopConfig
    from autonomous_loop.loop import AutonomousLoop, LoopResult

__all__ = ["AutonomousLoop", "LoopConfig", "LoopResult"]

_WHERE = {"AutonomousLoop": "loop", "LoopResult": "loop", "LoopConfig": "config"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever stands under that name
    """Import on first use: the SDK alone takes a second, and `--help` needs none of it."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"autonomous_loop.{_WHERE[name]}"), name)
