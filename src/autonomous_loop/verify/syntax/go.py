"""Reads the test functions of a Go file."""

from __future__ import annotations

import re
from collections.abc import Iterator

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

_SILENT = (r"//[^\n]*", COMMENT, r"`[^`]*`", r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\\n])+'")
_OUTPUT = re.compile(r"//\s*(?:Unordered output|Output):", re.IGNORECASE)
_FUNCTION = re.compile(r"^func\s+((?:Test|Example|Fuzz|Benchmark)\w*)\s*\([^){}]*\)\s*\{", re.MULTILINE)
_CHECKS = re.compile(
    r"\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\bpanic\("
    r"|\b\w*(?:assert|require|expect|check|verify|must|should|want|compare|ensure|golden)\w*(?:\.\w+)?\(",
    re.IGNORECASE,
)
_EXCUSES = re.compile(r"\.(?:Skip|Skipf|SkipNow|Short)\(")
_HELPER = re.compile(r"^func\s+(?:\([^)]*\)\s*)?(?P<name>\w+)[^{}\n]*\{", re.MULTILINE)
_CONDITIONS = re.compile(r"\bif\b(?P<asked>[^{}]*)\{|[{}]|(?P<check>" + _CHECKS.pattern + ")", re.IGNORECASE)
_EQUALS = re.compile(
    r"\.(?:Equal\w*|Exactly|JSONEq|YAMLEq|ElementsMatch|Same|ErrorIs|Empty|Zero|Len|Nil)f?\($", re.IGNORECASE
)
_TRUTHS = re.compile(r"\.(?:NotNil|NotEmpty|NotZero|NoError|Error)f?\($")
_HOLDS = re.compile(r"\.(?:True|False)f?\($")
_SAME = re.compile(r"!\s*(?:\w+\.)?(?:DeepEqual|Equal)\(")
_TAGS = re.compile(r"^//(?:go:build|\s*\+build)\b", re.MULTILINE)


def bodies(source: bytes) -> dict[str, TestBody]:
    """Return a Go file's test functions by name."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    tags = len(_TAGS.findall(text))
    found = {}
    functions = list(_FUNCTION.finditer(code))
    ends = block_ends(code, (one.end() for one in functions))
    for function, end in zip(functions, ends, strict=True):
        start = function.end()
        body = alive(code[start:end])
        checks = len(_CHECKS.findall(body))
        if function[1].startswith("Example"):  # its output is compared with its last comment
            checks += len(_OUTPUT.findall(text[start:end]))
        strengths = tuple(strength for strength, _ in _weighed(body))
        found[function[1]] = TestBody(checks, len(_EXCUSES.findall(body)) + tags, strengths=strengths)
    return found


def texts(source: bytes) -> dict[str, tuple[str, ...]]:
    """Return test functions by name: an empty head, then the lines of each."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    functions = list(_FUNCTION.finditer(code))
    ends = block_ends(code, (one.end() for one in functions))
    return {one[1]: ("", *lines_of(text[one.end() : end])) for one, end in zip(functions, ends, strict=True)}


def around(source: bytes) -> Around:
    """Return the part of a Go test file outside its tests."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    functions = list(_FUNCTION.finditer(code))
    ends = block_ends(code, (one.end() for one in functions))
    tests = [(one.start(), end) for one, end in zip(functions, ends, strict=True)]
    return around_in(text, code, tests, _weighed, _HELPER)


def _weighed(code: str) -> Iterator[tuple[float, int]]:
    """Yield the checks; one that fails under a condition checks the opposite condition."""
    asked: list[str] = []
    for found in _CONDITIONS.finditer(code):
        if found["check"]:
            said = found["check"]
            plain = re.match(r"\.(?:Error|Fatal|Fail)", said)
            strength = _opposite(asked[-1] if asked else "") if plain else _asserted(said, code, found.end())
            yield strength, found.start()
        elif found[0] == "}":
            del asked[-1:]
        else:
            asked.append(found["asked"] or "")


def _opposite(condition: str) -> float:
    condition = condition.rpartition(";")[2]
    if re.match(r"\s*false\b|.*&&\s*false\b", condition):
        return NONE
    if "!=" in condition or _SAME.search(condition):
        return EQUAL
    return SOME if not condition.strip() or re.search(r"==|[<>]", condition) else TRUE


def _asserted(name: str, code: str, opened: int) -> float:
    """Weigh `assert.Equal(t, 4, a)`, whose first argument is the test itself."""
    arguments = inside(code, opened).partition(",")[2]
    if _HOLDS.search(name):
        return truth(arguments)
    if _EQUALS.search(name):
        return NONE if same(arguments) else EQUAL
    return TRUE if _TRUTHS.search(name) else SOME
