"""Reads a source once and collects everything that the verifier asks about it from a single parse."""

from __future__ import annotations

import ast
import posixpath
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.syntax import (
    go,
    java,
    javascript,
    javascript_texts,
    python,
    python_around,
    python_browser,
    python_controls,
    python_texts,
    runner_uses,
    rust,
    test_aware_code,
)
from autonomous_loop.verify.syntax.base import Around, TestBody
from autonomous_loop.verify.syntax.javascript_tokens import pairs, tokens
from autonomous_loop.verify.syntax.python_nodes import Nodes
from autonomous_loop.verify.syntax.python_stand_ins import StandIns, stand_ins


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The content of a source. A field is empty if the language lacks such a thing or is unknown.

    Attributes:
        bodies: its tests, by the part of their ids after the file.
        texts: the tests' words, if the language is read that closely: the head without the name, then the
            body.
        around: the part outside its tests; None if it is not known.
        besides: the part besides its tests, to tell whether it is the same (Python).
        controls: what in it decides about tests (Python).
        awareness: how it checks whether it is being tested (Python; for JavaScript see `awareness`).
        runner_uses: how it uses a test runner (Python, JavaScript).
        stand_ins: what its functions replace and call (Python).
        browser: names of functions that drive a browser (Python).
        written: its tests with what they request from their runner (JavaScript).
        examples: documentation lines that run as tests (Rust).
        fault: why it is not valid in its language; then it cannot run either.
        unread: why it could not be read although it may be valid; then nothing is known of it.
    """

    bodies: Mapping[str, TestBody] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    around: Around | None = None
    besides: python_around.Besides | None = None
    controls: tuple[python_controls.Control, ...] = ()
    awareness: tuple[test_aware_code.Look, ...] = ()
    runner_uses: tuple[str, ...] = ()
    stand_ins: StandIns = field(default_factory=StandIns)
    browser: frozenset[str] = frozenset()
    written: javascript.Tests = field(default_factory=javascript.Tests)
    examples: tuple[str, ...] = ()
    fault: str = ""
    unread: str = ""

    def asserts_nothing(self, test_id: str) -> bool:
        """Return whether a test holds no check at all; unknown tests get the benefit of the doubt."""
        body = self.bodies.get(without_parameters(test_id).partition("::")[2])
        return body is not None and body.is_empty


Reader: TypeAlias = Callable[[bytes], SourceFile]


def is_readable(path: str) -> bool:
    """Return whether there is a reader for a file, judging by its suffix."""
    return kind(path) in _LANGUAGES


def kind(path: str) -> str:
    """Return the language to read a file as; "" if there is no reader."""
    if posixpath.basename(path) == _CONFTEST:
        return _CONFTEST
    ending = posixpath.splitext(path)[1]
    return ending if ending in _LANGUAGES else ""


def look_at(kind: str, source: bytes) -> SourceFile:
    """Read a source.

    Args:
        kind: as returned by `kind`.
    """
    return _LANGUAGES[kind](source)


def _python(source: bytes, *, conftest: bool = False) -> SourceFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the source's own escapes and comparisons
            tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        return SourceFile(fault=str(error) or type(error).__name__)
    nodes = Nodes(tree)
    bodies, around = python.read(tree, nodes)
    return SourceFile(
        bodies=bodies,
        texts=python_texts.texts(tree, nodes),
        around=around,
        besides=python_around.besides(tree),
        runner_uses=runner_uses.in_python(nodes),
        controls=python_controls.controls(tree, nodes, conftest=conftest),
        awareness=test_aware_code.in_python(tree, nodes),
        stand_ins=stand_ins(tree, nodes),
        browser=python_browser.driving(nodes, source),
    )


def _conftest(source: bytes) -> SourceFile:
    return _python(source, conftest=True)


def _javascript(source: bytes) -> SourceFile:
    text = source.decode("utf-8", "replace")
    words = tokens(text)
    try:
        closing = pairs(words)
    except ValueError as error:
        return SourceFile(fault=str(error))
    tests, around = javascript.read(text, words, closing)
    uses = runner_uses.in_javascript(words, closing)
    said = javascript_texts.texts(tests, words)
    return SourceFile(bodies=tests.bodies, texts=said, around=around, written=tests, runner_uses=uses)


def _go(source: bytes) -> SourceFile:
    return SourceFile(bodies=go.bodies(source), texts=go.texts(source), around=go.around(source))


def _rust(source: bytes) -> SourceFile:
    return SourceFile(bodies=rust.bodies(source), around=rust.around(source), examples=rust.examples(source))


def _java(source: bytes) -> SourceFile:
    return SourceFile(bodies=java.bodies(source), texts=java.texts(source), around=java.around(source))


_CONFTEST = "conftest.py"
_LANGUAGES: Mapping[str, Reader] = {
    ".py": _python,
    _CONFTEST: _conftest,
    ".go": _go,
    ".rs": _rust,
    ".java": _java,
    ".kt": _java,
    **{f".{ending}": _javascript for ending in javascript.KINDS},
}
