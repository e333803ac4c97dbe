"""Reads the test methods of a Java or Kotlin file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autonomous_loop.verify.syntax.base import Around, TestBody
from autonomous_loop.verify.syntax.braces import (
    COMMENT,
    alive,
    block_ends,
    inside,
    lines_of,
    quiet,
    same,
    truth,
)
from autonomous_loop.verify.syntax.braces import around as around_in
from autonomous_loop.verify.syntax.python_checks import EQUAL, NONE, SOME, TRUE

_SILENT = (
    r"//[^\n]*",
    COMMENT,
    r'""".*?(?:"""|\Z)',
    r'"(?:\\.|[^"\\\n])*"',
    r"'(?:\\.|[^'\\\n])+'",
)
# No alternative can begin where another continues, so the pattern tries nothing in two ways.
_WORD = re.compile(
    r"(?P<annotation>@[\w.]+(?:\s*\([^()]*(?:\([^()]*\)[^()]*)*\))?)|(?P<parenthesis>\()|(?P<end>[{};])"
)
_SIGNATURE = re.compile(
    r"\s*(?:(?:public|protected|private|internal|static|final)\s+)*(?:<[^>]*>\s*)?[\w.<>\[\]]+\s+(?P<name>\w+)\s*"
    r"\([^)]*\)[^{};]*"
)
_IS_TEST = re.compile(
    r"@(?:[\w.]+\.)?(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
)
_CHECKS = re.compile(
    r"\b\w*(?:assert|verify|expect|check|fail|should|must|that|ensure)\w*\s*\(|\bthrow\b|\bassert\b",
    re.IGNORECASE,
)
_EQUALS = re.compile(
    r"assert(?:\w*Equals|Null|Same|LinesMatch|ContentEquals)|fail|"
    r"(?:assertThat|expectThat|that)\b.*\b(?:isEqualTo|isSameAs|containsExactly\w*|isNull|isEmpty|hasSize|hasMessage|is|equalTo)\b"
)
_TRUTHS = re.compile(
    r"assertNotNull|(?:assertThat|that)\b.*\b(?:isNotNull|isNotEmpty|isTrue|isFalse|notNullValue)\b|throw"
)
_FORGIVEN = re.compile(
    r"\btry\s*\{(?P<tried>(?:[^{}]|\{[^{}]*\})*)\}\s*"
    r"catch\s*\([^)]*\b(?:Throwable|Error|AssertionError|AssertionFailedError)\b[^)]*\)\s*\{(?![^{}]*(?:throw|fail))"
)
_HELPER = re.compile(r"[\w.<>\[\]]+\s+(?P<name>\w+)\s*\([^()]*\)[^{}();=]*\{")
_EXCUSES = re.compile(r"@(?:[\w.]+\.)?(?:Ignore|Disabled\w*|Enabled\w*)\b|\bassum(?:e|ing)\w*\s*\(")


def bodies(source: bytes) -> dict[str, TestBody]:
    """Return a Java file's test methods by name, including those of nested classes."""
    code = quiet(source.decode("utf-8", "replace"), *_SILENT)
    methods = [one for one in _methods(code) if _IS_TEST.search(one.annotations)]
    # An excuse outside the methods excuses them all.
    outside = code[: methods[0].start] if methods else ""
    everywhere = len(_EXCUSES.findall(outside))
    found = {}
    ends = block_ends(code, (one.body for one in methods))
    for method, end in zip(methods, ends, strict=True):
        body = alive(code[method.body : end])
        checks = len(_CHECKS.findall(body)) + len(re.findall(r"\bexpected\s*=", method.annotations))
        excuses = len(_EXCUSES.findall(method.annotations)) + len(_EXCUSES.findall(body)) + everywhere
        strengths = tuple(strength for strength, _ in _weighed(body))
        found[method.name] = TestBody(checks, excuses, strengths=strengths)
    return found


def texts(source: bytes) -> dict[str, tuple[str, ...]]:
    """Return test methods by name: the annotations of each, then its lines."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    methods = [one for one in _methods(code) if _IS_TEST.search(one.annotations)]
    ends = block_ends(code, (one.body for one in methods))
    return {
        one.name: (
            " ".join(text[one.start : one.start + len(one.annotations)].split()),
            *lines_of(text[one.body : end]),
        )
        for one, end in zip(methods, ends, strict=True)
    }


def around(source: bytes) -> Around:
    """Return the part of a file outside its test methods."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    methods = [one for one in _methods(code) if _IS_TEST.search(one.annotations)]
    ends = block_ends(code, (one.body for one in methods))
    tests = [(one.start, end) for one, end in zip(methods, ends, strict=True)]
    return around_in(text, code, tests, _weighed, _HELPER)


def _weighed(code: str) -> Iterator[tuple[float, int]]:
    forgiven = [one.span("tried") for one in _FORGIVEN.finditer(code)]
    for found in _CHECKS.finditer(code):
        swallowed = any(start <= found.start() < end for start, end in forgiven)
        yield NONE if swallowed else _worth(found, code), found.start()


def _worth(found: re.Match[str], code: str) -> float:
    name = found[0].rstrip("( \n\t")
    arguments = inside(code, found.end()) if found[0].endswith("(") else ""
    if name in {"assertTrue", "assertFalse"}:
        return truth(arguments)
    said = (
        f"{name} {code[found.end() : code.find(';', found.end())]}" if name.lower().endswith("that") else name
    )
    if _EQUALS.match(said):
        return NONE if name.startswith("assert") and same(arguments) else EQUAL
    return TRUE if _TRUTHS.match(said) else SOME


@dataclass(frozen=True, slots=True)
class _Method:
    """A method with annotations: the positions of the annotations and of its body."""

    annotations: str
    name: str
    start: int
    body: int


def _methods(code: str) -> Iterator[_Method]:
    """Yield methods: consecutive annotations, the method's head, and the brace that opens its body."""
    start = end = -1  # of the annotations
    in_head = False  # whether the parameters come next
    for word in _WORD.finditer(code):
        if word["annotation"]:
            if start >= 0 and (in_head or not code[end : word.start()].strip()):
                end = end if in_head else word.end()
            else:
                start, end = word.span()
        elif word["parenthesis"]:
            in_head = True
        else:
            if start >= 0 and word[0] == "{" and (head := _SIGNATURE.fullmatch(code, end, word.start())):
                yield _Method(code[start:end], head["name"], start, word.end())
            start = end = -1
            in_head = False
