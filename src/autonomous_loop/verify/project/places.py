"""Places a run looks for tests in: files, folders and patterns, as a command or the settings name them.

The canary must not change what is collected. pytest 8 drops a folder when something below it is named too,
pytest 7 collects that twice, pytest 9 once. So a canary is named only where none of the places holds it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def holds(place: str, path: str) -> bool:
    """Whether a place, which may be a pattern as a shell has them, is this path or a folder above it."""
    if place == ".":
        return True
    parts = place.split("/")
    return path.count("/") + 1 >= len(parts) and all(
        fnmatchcase(one, part) for one, part in zip(path.split("/"), parts, strict=False)
    )


def innermost(named: Iterable[str]) -> list[str]:
    """Places without those that hold another of them: pytest 8 looks in the inner ones alone."""
    each = list(dict.fromkeys(map(posixpath.normpath, named)))
    return [one for one in each if not any(other != one and holds(one, other) for other in each)]


def unseen(paths: Iterable[str], named: Sequence[str]) -> list[str]:
    """Those of the paths that a run must be told of: it looks in places, and none of them holds it."""
    looked = innermost(named)
    return [path for path in paths if looked and not any(holds(one, path) for one in looked)]
