"""Explains runs that ended at a file the sandbox's user may not read, usually of a virtual environment."""

from __future__ import annotations

import re

from autonomous_loop.sandbox.grants import READABLE

# The messages of Python, of a shell and of the kernel's loader.
_DENIED = re.compile(
    r"Permission denied: '(?P<python>/[^']+)'|'(?P<opened>/[^']+)': \[Errno 13\]"
    r"|(?<![\w.>])(?P<shell>/[^\s:]+): (?:bad interpreter: )?Permission denied"
)
_PROGRAMS = re.compile(r"/bin/[^/]+$")


def closed_to_hands(output: str) -> str:
    """Say which path is closed and how to open it; "" if the output names no closed path.

    Args:
        output: the output without the sandbox's own folders.
    """
    found = _DENIED.search(output)
    if found is None:
        return ""
    path = next(filter(None, found.groups()))
    folder = _PROGRAMS.sub("", path) if _PROGRAMS.search(path) else path.rpartition("/")[0]
    return (
        f"{path} is closed to the user who runs the tests: outside the system's folders nothing is open to"
        f" them. Name {folder or '/'} in the environment variable {READABLE}, one folder a line (on GitHub:"
        " in the input `readable` of the host action), and let other users enter every folder above it: a"
        " home folder of mode 0700 keeps them out, /opt does not."
    )
