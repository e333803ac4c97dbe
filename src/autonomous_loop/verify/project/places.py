"""The places where a run looks for tests: files, folders and patterns from a command or the settings.

The canary must not change which tests are collected. If a command names a folder and a path below it, pytest
8 drops the folder, pytest 7 collects the path twice, and pytest 9 once. So a canary is named only if no place
holds it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def holds(place: str, path: str) -> bool:
    """Return whether a place (maybe a shell pattern) is this path or a folder above it."""
    if place == ".":
        return True
    parts = place.split("/")
    return path.count("/") + 1 >= len(parts) and all(
        fnmatchcase(one, part) for one, part in zip(path.split("/"), parts, strict=False)
    )


def innermost(named: Iterable[str]) -> list[str]:
    """Drop places that hold another place: pytest 8 looks only in the inner ones."""
    each = list(dict.fromkeys(map(posixpath.normpath, named)))
    return [one for one in each if not any(other != one and holds(one, other) for other in each)]


def unseen(paths: Iterable[str], named: Sequence[str]) -> list[str]:
    """Return the paths that a run must be told about, because it looks in places and none holds them."""
    looked = innermost(named)
    return [path for path in paths if looked and not any(holds(one, path) for one in looked)]
