"""Reads the test functions of a Rust file, inside the source or beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from autonomous_loop.verify.syntax.base import Around, TestBody, refuse_depth
from autonomous_loop.verify.syntax.braces import (
    COMMENT,
    alive,
    block_ends,
    inside,
    quiet,
    same,
    truth,
    without,
)
from autonomous_loop.verify.syntax.braces import around as around_in
from autonomous_loop.verify.syntax.python_checks import EQUAL, NONE, SOME, TRUE

_SILENT = (
    r"//[^\n]*",
    COMMENT,
    r'r#+".*?(?:"#+|\Z)',
    r'"(?:\\.|[^"\\])*"',
    r"'(?:\\[^\n]{1,8}|[^'\\\n])'",
)
# No alternative can begin where another continues, so the pattern tries nothing in two ways.
_WORD = re.compile(
    r"(?P<attribute>#\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])"
    r"|(?P<end>[{};])|\b(?P<kind>fn|mod)\s+(?P<name>\w+)"
)
_IS_TEST = re.compile(r"#\[(?:\w+::)*(?:test|rstest|test_case|proptest|quickcheck)\b")
_CHECKS = re.compile(
    r"\b\w*(?:assert|panic|expect|check|verify|should|compare|ensure|unreachable|snapshot)\w*!?\s*[({\[]"
    r"|\.(?:unwrap|unwrap_err)\(\)|\?\s*[;)]"
)
# Ends where the next one begins, so that no part of a file is looked through twice.
_HELPER = re.compile(r"(?:\bfn\s+|\bmacro_rules!\s*)(?P<name>\w+)(?:(?!\bfn\s+\w)[^{};])*\{")
_KEPT = re.compile(r"\blet\s+(?P<name>\w+)\s*=\s*(?:move\s+)?\|[^|]*\|(?P<body>[^;{}]*(?P<block>\{)?)")
_DOCUMENTS = re.compile(r"\s*//[/!]")
_EXCUSES = re.compile(r"#\[(?:ignore|should_panic)\b|#\[cfg\((?!test\))|#\[cfg_attr\(")


def bodies(source: bytes) -> dict[str, TestBody]:
    """Return a Rust file's test functions by `module::name`."""
    text = source.decode("utf-8", "replace")
    return dict(_bodies(text, quiet(text, *_SILENT), 0, "", 0))


def _bodies(text: str, code: str, start: int, prefix: str, excuses: int) -> Iterator[tuple[str, TestBody]]:
    refuse_depth(prefix.count("::"))
    items = list(_items(code))
    done = 0
    for item, end in zip(items, block_ends(code, (one.body for one in items)), strict=True):
        if item.start < done:
            continue  # it is inside the one before
        done = end
        mine = excuses + len(_EXCUSES.findall(item.attributes))
        inner = code[item.body : end]
        if item.kind == "mod":
            yield from _bodies(text, inner, start + item.body, f"{prefix}{item.name}::", mine)
        elif _IS_TEST.search(item.attributes):
            body = _called(alive(inner))
            panics = item.attributes.count("should_panic")
            checks = len(_CHECKS.findall(body)) + panics
            strengths = [strength for strength, _ in _weighed(body)] + [SOME] * bool(panics)
            said = text[start + item.start : start + end]
            yield f"{prefix}{item.name}", TestBody(checks, mine, " ".join(said.split()), tuple(strengths))


@dataclass(frozen=True, slots=True)
class _Item:
    """A function or module: the positions of its attributes and of its body."""

    attributes: str
    kind: str
    name: str
    start: int
    body: int


def _items(code: str) -> Iterator[_Item]:
    attributes: list[re.Match[str]] = []
    named: re.Match[str] | None = None
    for word in _WORD.finditer(code):
        if word["end"]:
            if named and word[0] == "{":
                said = "".join(one[0] for one in attributes)
                start = attributes[0].start() if attributes else named.start()
                yield _Item(said, named["kind"], named["name"], start, word.end())
            attributes, named = [], None
        elif named is None and word["attribute"]:
            attributes.append(word)
        elif named is None:
            named = word


def around(source: bytes) -> Around:
    """Return the part of test modules (or, without any, of the file) outside the tests."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    found = list(_items(code))
    items = list(zip(found, block_ends(code, (one.body for one in found)), strict=True))
    tests = [(one.start, end) for one, end in items if one.kind == "fn" and _IS_TEST.search(one.attributes)]
    modules = [(one.body, end) for one, end in items if one.kind == "mod" and "cfg(test)" in one.attributes]
    if not modules:
        return around_in(text, code, tests, _weighed, _HELPER)
    hidden, at = list[tuple[int, int]](), 0
    for start, end in modules:
        if start >= at:
            hidden += [(at, start), *(one for one in tests if start <= one[0] < end)]
            at = end
    return around_in(text, code, [*hidden, (at, len(code))], _weighed, _HELPER)


def _called(body: str) -> str:
    """Blank out closures that are kept and never called."""
    used = Counter(re.findall(r"\w+", body))
    kept = [one for one in _KEPT.finditer(body) if used[one["name"]] < 2]
    blocks = block_ends(body, (one.end() for one in kept))
    ends = (end if one["block"] else one.end() for one, end in zip(kept, blocks, strict=True))
    return without(body, ((one.start("body"), end) for one, end in zip(kept, ends, strict=True)))


def _weighed(code: str) -> Iterator[tuple[float, int]]:
    for found in _CHECKS.finditer(code):
        yield _worth(found[0], inside(code, found.end())), found.start()


def _worth(said: str, arguments: str) -> float:
    name = said.strip("!?.;({[) \n\t")
    if re.fullmatch(r"(?:debug_)?assert", name):
        return truth(re.split(r",(?![^(]*\))", arguments)[0])
    if re.fullmatch(r"\w*(?:assert\w*_eq|eq|snapshot)", name):
        return NONE if same(arguments) else EQUAL
    return TRUE if said.startswith((".", "?")) else SOME


def examples(source: bytes) -> tuple[str, ...]:
    """Return the documentation lines with examples."""
    return tuple(
        line.strip() for line in source.decode("utf-8", "replace").splitlines() if _DOCUMENTS.match(line)
    )
