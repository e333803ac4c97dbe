"""Test functions of a Go file."""

from __future__ import annotations

import re

from autonomous_loop.verify.sources.base import TestBody
from autonomous_loop.verify.sources.braces import block_end, lines_of, quiet, reached

_SILENT = (r"//[^\n]*", r"/\*.*?\*/", r"`[^`]*`", r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\\n])+'")
_OUTPUT = re.compile(r"//\s*(?:Unordered output|Output):", re.IGNORECASE)
_FUNCTION = re.compile(r"^func\s+((?:Test|Example|Fuzz|Benchmark)\w*)\s*\([^)]*\)\s*\{", re.MULTILINE)
_CHECKS = re.compile(
    r"\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\bpanic\("
    r"|\b\w*(?:assert|require|expect|check|verify|must|should|want|compare|ensure|golden)\w*(?:\.\w+)?\(",
    re.IGNORECASE,
)
_EXCUSES = re.compile(r"\.(?:Skip|Skipf|SkipNow|Short)\(")
_TAGS = re.compile(r"^//(?:go:build|\s*\+build)\b", re.MULTILINE)


def bodies(source: bytes) -> dict[str, TestBody]:
    """Test functions of a Go file by name."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    tags = len(_TAGS.findall(text))
    found = {}
    for function in _FUNCTION.finditer(code):
        start, end = function.end(), block_end(code, function.end())
        body = reached(code[start:end])
        checks = len(_CHECKS.findall(body))
        if function[1].startswith("Example"):  # what it prints is compared with its last comment
            checks += len(_OUTPUT.findall(text[start:end]))
        found[function[1]] = TestBody(checks, len(_EXCUSES.findall(body)) + tags)
    return found


def texts(source: bytes) -> dict[str, tuple[str, ...]]:
    """Test functions by name: nothing, then the lines of each."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    return {
        function[1]: ("", *lines_of(text[function.end() : block_end(code, function.end())]))
        for function in _FUNCTION.finditer(code)
    }
