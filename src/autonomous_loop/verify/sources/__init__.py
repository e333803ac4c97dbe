"""How a changed test differs from what it was, and whether it checks anything, by its language."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from autonomous_loop.verify.sources import python
from autonomous_loop.verify.sources.base import TestBody

_LANGUAGES: Mapping[str, Callable[[bytes], Mapping[str, TestBody]]] = {".py": python.bodies}


def bodies(path: str, source: bytes | None) -> Mapping[str, TestBody]:
    """Tests of a file by what follows it in their ids; empty where its language is not known."""
    read = _LANGUAGES.get(posixpath.splitext(path)[1])
    return read(source) if read and source else {}


def weakened(path: str, old: bytes | None, new: bytes | None) -> list[str]:
    """`Class::name` of tests that assert less, or are excused more, than they were."""
    before, after = bodies(path, old), bodies(path, new)
    return [
        name
        for name, was in before.items()
        if (now := after.get(name)) is not None and (now.checks < was.checks or now.excuses > was.excuses)
    ]


def asserts_nothing(path: str, source: bytes | None, test_id: str) -> bool:
    """Whether a test holds no check at all; unknown tests get the benefit of the doubt."""
    inner = test_id.partition("::")[2].partition("[")[0]
    body = bodies(path, source).get(inner)
    return body is not None and body.checks == 0
