"""Reads what source files say about tests, by language: what a test checks, and how it changed."""

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

# Signs of tests that no reader finds by name: inherited, computed or made by a macro.
_MAKES_TESTS = re.compile(
    rb"\bclass \w*Test|\bTestCase\b|\btest\w*\s*=|(?<![.\w])(?:test|it|describe|suite)\s*[(.]"
    rb"|#\[[\w:]*test\b|@Test"
)


def bodies(path: str, source: bytes | None) -> Mapping[str, TestBody]:
    """Return a file's tests by the part of their ids after the file; empty if its language is unknown."""
    return read_source(path, source).bodies


def texts(path: str, source: bytes | None) -> Mapping[str, tuple[str, ...]]:
    """Return the words of a file's tests by the part of their ids after the file; empty if not supported."""
    return read_source(path, source).texts


def holds_tests(path: str, source: bytes | None) -> bool:
    """Return whether a file holds tests, or may: if it cannot be read, its name decides."""
    text = source or b""
    if not is_readable(path):
        return bool(text.strip())
    found = read_source(path, source)
    return bool(found.bodies or found.fault or found.unread or _MAKES_TESTS.search(text))


def weakened(path: str, old: bytes | None, new: bytes | None) -> list[str]:
    """Return `Class::name` of tests that assert less, or are excused more, than before."""
    before, after = bodies(path, old), bodies(path, new)
    return [
        name
        for name, was in before.items()
        if (now := after.get(name)) is not None and now.is_weaker_than(was)
    ]


def asserts_nothing(path: str, source: bytes | None, test_id: str) -> bool:
    """Return whether a test holds no check at all; unknown tests get the benefit of the doubt."""
    return read_source(path, source).asserts_nothing(test_id)


def stand_ins(path: str, source: bytes | None, test_id: str, conftests: Iterable[bytes] = ()) -> list[str]:
    """Return what a test calls although it, or a conftest, replaced it with something else."""
    inner = without_parameters(test_id).partition("::")[2]
    around = [read_source("conftest.py", one).stand_ins for one in conftests]
    return read_source(path, source).stand_ins.of(inner, around)


def examples(path: str, source: bytes | None) -> tuple[str, ...]:
    """Return documentation lines that run as tests; empty if the language has none."""
    return read_source(path, source).examples


def controls(path: str, source: bytes | None) -> tuple[Control, ...]:
    """Return what decides about tests in a Python file; empty if it cannot be parsed (and so cannot run)."""
    return read_source(path, source).controls


def awareness(path: str, source: bytes | None, called: Collection[str] = ("test",)) -> tuple[str, ...]:
    """Return how a source outside the tests detects its tests, sorted; empty if it cannot be parsed.

    Args:
        called: words that may be on the command line of a test run.
    """
    if is_javascript(path):
        return among(in_javascript(source or b""), called)  # by its text alone: it may be a very large bundle
    return among(read_source(path, source).awareness, called)


def is_javascript(path: str) -> bool:
    """Return whether a file is JavaScript or TypeScript, judging by its name."""
    return posixpath.splitext(path)[1].removeprefix(".") in KINDS


def titles(path: str, source: bytes | None) -> Titles:
    """Return the titles of a JavaScript file's tests, as written in the source."""
    return Titles(read_source(path, source).written)
