"""Test functions of a Rust file, in the source or beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autonomous_loop.verify.sources.base import TestBody, refuse_depth
from autonomous_loop.verify.sources.braces import block_end, quiet, reached

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
_DOCUMENTS = re.compile(r"\s*//[/!]")
_EXCUSES = re.compile(r"#\[(?:ignore|should_panic)\b|#\[cfg\((?!test\))|#\[cfg_attr\(")


def bodies(source: bytes) -> dict[str, TestBody]:
    """Test functions of a Rust file by `module::name`."""
    text = source.decode("utf-8", "replace")
    return dict(_bodies(text, quiet(text, *_SILENT), 0, "", 0))


def _bodies(text: str, code: str, start: int, prefix: str, excuses: int) -> Iterator[tuple[str, TestBody]]:
    refuse_depth(prefix.count("::"))
    at = 0
    while found := _ITEM.search(code, at):
        end = block_end(code, found.end())
        attributes = found["attributes"]
        mine = excuses + len(_EXCUSES.findall(attributes))
        inner = code[found.end() : end]
        if found["kind"] == "mod":
            yield from _bodies(text, inner, start + found.end(), f"{prefix}{found['name']}::", mine)
        elif _IS_TEST.search(attributes):
            checks = len(_CHECKS.findall(reached(inner))) + attributes.count("should_panic")
            said = text[start + found.start() : start + end]
            yield f"{prefix}{found['name']}", TestBody(checks, mine, " ".join(said.split()))
        at = end


def examples(source: bytes) -> tuple[str, ...]:
    """Lines of documentation, where its examples stand."""
    return tuple(
        line.strip() for line in source.decode("utf-8", "replace").splitlines() if _DOCUMENTS.match(line)
    )
