"""Commands as words."""

from __future__ import annotations

import shlex


def split(command: str) -> list[str]:
    """The words of a command; where its quotes do not close, what stands between spaces."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
