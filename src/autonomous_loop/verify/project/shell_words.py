"""Splits commands into words."""

from __future__ import annotations

import shlex


def split(command: str) -> list[str]:
    """Return a command's words; if its quotes are unbalanced, split at spaces."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
