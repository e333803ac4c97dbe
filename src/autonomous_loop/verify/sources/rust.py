"""Test functions of a Rust file, in the source or beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from autonomous_loop.verify.sources.base import Around, TestBody
from autonomous_loop.verify.sources.braces import alive, block_end, inside, quiet, same, truth
from autonomous_loop.verify.sources.braces import around as around_in
from autonomous_loop.verify.sources.python_checks import EQUAL, NONE, SOME, TRUE

_SILENT = (
    r"//[^\n]*",
    r"/\*.*?\*/",
    r'(?P<hashes>r#+)".*?"#+',
    r'"(?:\\.|[^"\\])*"',
    r"'(?:\\[^\n]{1,8}|[^'\\\n])'",
)
_ATTRIBUTES = r"(?P<attributes>(?:#\[[^\]]*(?:\[[^\]]*\][^\]]*)*\]\s*)*)"
_ITEM = re.compile(
    _ATTRIBUTES + r"(?:pub(?:\([^)]*\))?\s+)?(?:(?:async|const|unsafe)\s+)*(?P<kind>fn|mod)\s+(?P<name>\w+)"
    r"(?P<head>[^{};]*)\{"
)
_IS_TEST = re.compile(r"#\[(?:\w+::)*(?:test|rstest|test_case|proptest|quickcheck)\b")
_CHECKS = re.compile(
    r"\b\w*(?:assert|panic|expect|check|verify|should|compare|ensure|unreachable|snapshot)\w*!?\s*[({\[]"
    r"|\.(?:unwrap|unwrap_err)\(\)|\?\s*[;)]"
)
_HELPER = re.compile(r"(?:\bfn\s+|\bmacro_rules!\s*)(?P<name>\w+)[^{};]*\{")
_KEPT = re.compile(r"\blet\s+(?P<name>\w+)\s*=\s*(?:move\s+)?\|[^|]*\|(?P<body>[^;{}]*(?P<block>\{)?)")
_DOCUMENTS = re.compile(r"\s*//[/!]")
_EXCUSES = re.compile(r"#\[(?:ignore|should_panic)\b|#\[cfg\((?!test\))|#\[cfg_attr\(")


def bodies(source: bytes) -> dict[str, TestBody]:
    """Test functions of a Rust file by `module::name`."""
    text = source.decode("utf-8", "replace")
    return dict(_bodies(text, quiet(text, *_SILENT), 0, "", 0))


def _bodies(text: str, code: str, start: int, prefix: str, excuses: int) -> Iterator[tuple[str, TestBody]]:
    at = 0
    while found := _ITEM.search(code, at):
        end = block_end(code, found.end())
        attributes = found["attributes"]
        mine = excuses + len(_EXCUSES.findall(attributes))
        inner = code[found.end() : end]
        if found["kind"] == "mod":
            yield from _bodies(text, inner, start + found.end(), f"{prefix}{found['name']}::", mine)
        elif _IS_TEST.search(attributes):
            body = _called(alive(inner))
            checks = len(_CHECKS.findall(body)) + attributes.count("should_panic")
            strengths = [strength for strength, _ in _weighed(body)] + [SOME] * ("should_panic" in attributes)
            said = text[start + found.start() : start + end]
            yield f"{prefix}{found['name']}", TestBody(checks, mine, " ".join(said.split()), tuple(strengths))
        at = end


def around(source: bytes) -> Around:
    """What stands in test modules (or, without one, in the whole file) outside of tests."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    items = [(one, one.start(), block_end(code, one.end())) for one in _ITEM.finditer(code)]
    tests = [
        (start, end)
        for one, start, end in items
        if one["kind"] == "fn" and _IS_TEST.search(one["attributes"])
    ]
    modules = [
        (one.end(), end) for one, _, end in items if one["kind"] == "mod" and "cfg(test)" in one["attributes"]
    ]
    if not modules:
        return around_in(text, code, tests, _weighed, _HELPER)
    hidden, at = list[tuple[int, int]](), 0
    for start, end in modules:
        if start >= at:
            hidden += [(at, start), *(one for one in tests if start <= one[0] < end)]
            at = end
    return around_in(text, code, [*hidden, (at, len(code))], _weighed, _HELPER)


def _called(body: str) -> str:
    """Without closures that are kept and never called."""
    at, used = 0, Counter(re.findall(r"\w+", body))
    while found := _KEPT.search(body, at):
        at = found.end()
        if used[found["name"]] < 2:
            end = block_end(body, found.end()) if found["block"] else found.end()
            body = body[: found.start("body")] + " " * (end - found.start("body")) + body[end:]
            at = end
    return body


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
    """Lines of documentation, where its examples stand."""
    return tuple(
        line.strip() for line in source.decode("utf-8", "replace").splitlines() if _DOCUMENTS.match(line)
    )
