"""How a changed test differs from what it was, and whether it checks anything, by its language."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping

from autonomous_loop.verify.sources import go, java, javascript, python, python_stand_ins, rust
from autonomous_loop.verify.sources.base import TestBody
from autonomous_loop.verify.tests_of import without_parameters

_LANGUAGES: Mapping[str, Callable[[bytes], Mapping[str, TestBody]]] = {
    ".py": python.bodies,
    ".go": go.bodies,
    ".rs": rust.bodies,
    ".java": java.bodies,
    **{f".{kind}": javascript.bodies for kind in javascript.KINDS},
}


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
        if (now := after.get(name)) is not None and now.is_weaker_than(was)
    ]


def asserts_nothing(path: str, source: bytes | None, test_id: str) -> bool:
    """Whether a test holds no check at all; unknown tests get the benefit of the doubt."""
    inner = without_parameters(test_id).partition("::")[2]
    body = bodies(path, source).get(inner)
    return body is not None and body.is_empty


def stand_ins(path: str, source: bytes | None, test_id: str, conftests: Iterable[bytes] = ()) -> list[str]:
    """What a test calls although it, or a conftest, put something else in its place."""
    if not path.endswith(".py") or not source:
        return []
    return python_stand_ins.stand_ins(source, without_parameters(test_id).partition("::")[2], conftests)


def examples(path: str, source: bytes | None) -> tuple[str, ...]:
    """Lines of the documentation that is run as tests; empty where the language has none."""
    return rust.examples(source) if path.endswith(".rs") and source else ()
