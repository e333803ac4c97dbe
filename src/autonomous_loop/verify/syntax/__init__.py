"""How a changed test differs from what it was, and whether it checks anything, by its language."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping

from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.syntax.base import TestBody
from autonomous_loop.verify.syntax.javascript import KINDS, Titles
from autonomous_loop.verify.syntax.python_controls import Control
from autonomous_loop.verify.syntax.reading import read_ahead, read_source
from autonomous_loop.verify.syntax.source_file import SourceFile, is_readable
from autonomous_loop.verify.syntax.test_aware_code import among, in_javascript

__all__ = [
    "SourceFile",
    "TestBody",
    "asserts_nothing",
    "awareness",
    "bodies",
    "controls",
    "examples",
    "holds_tests",
    "is_javascript",
    "is_readable",
    "read_ahead",
    "read_source",
    "stand_ins",
    "texts",
    "titles",
    "weakened",
]

# Tests that no reader finds by their names: inherited, computed, made by a macro.
_MAKES_TESTS = re.compile(
    rb"\bclass \w*Test|\bTestCase\b|\btest\w*\s*=|(?<![.\w])(?:test|it|describe|suite)\s*[(.]"
    rb"|#\[[\w:]*test\b|@Test"
)


def bodies(path: str, source: bytes | None) -> Mapping[str, TestBody]:
    """Tests of a file by what follows it in their ids; empty where its language is not known."""
    return read_source(path, source).bodies


def texts(path: str, source: bytes | None) -> Mapping[str, tuple[str, ...]]:
    """Words of a file's tests by what follows it in their ids; empty where it is not read that closely."""
    return read_source(path, source).texts


def holds_tests(path: str, source: bytes | None) -> bool:
    """Whether a file holds tests, or may: of what cannot be read its name is believed."""
    text = source or b""
    if not is_readable(path):
        return bool(text.strip())
    found = read_source(path, source)
    return bool(found.bodies or found.fault or found.unread or _MAKES_TESTS.search(text))


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
    return read_source(path, source).asserts_nothing(test_id)


def stand_ins(path: str, source: bytes | None, test_id: str, conftests: Iterable[bytes] = ()) -> list[str]:
    """What a test calls although it, or a conftest, put something else in its place."""
    inner = without_parameters(test_id).partition("::")[2]
    around = [read_source("conftest.py", one).stand_ins for one in conftests]
    return read_source(path, source).stand_ins.of(inner, around)


def examples(path: str, source: bytes | None) -> tuple[str, ...]:
    """Lines of the documentation that is run as tests; empty where the language has none."""
    return read_source(path, source).examples


def controls(path: str, source: bytes | None) -> tuple[Control, ...]:
    """What in a Python file decides about tests; empty where it cannot be parsed (nor run, then)."""
    return read_source(path, source).controls


def awareness(path: str, source: bytes | None, called: Collection[str] = ("test",)) -> tuple[str, ...]:
    """How a source that is no test looks for its tests, sorted; empty where it cannot be parsed.

    Args:
        called: words that may stand on the command line of a run of tests.
    """
    if is_javascript(path):
        return among(in_javascript(source or b""), called)  # by its text alone: it may be a very large bundle
    return among(read_source(path, source).awareness, called)


def is_javascript(path: str) -> bool:
    """Whether a file is JavaScript or TypeScript, by its name."""
    return posixpath.splitext(path)[1].removeprefix(".") in KINDS


def titles(path: str, source: bytes | None) -> Titles:
    """What the tests of a JavaScript file are called where it is written."""
    return Titles(read_source(path, source).written)
