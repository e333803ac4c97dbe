"""Test methods of a Java file."""

from __future__ import annotations

import re

from autonomous_loop.verify.sources.base import TestBody
from autonomous_loop.verify.sources.braces import block_end, lines_of, quiet, reached

_SILENT = (
    r"//[^\n]*",
    r"/\*.*?\*/",
    r'""".*?"""',
    r'"(?:\\.|[^"\\\n])*"',
    r"'(?:\\.|[^'\\\n])+'",
)
_METHOD = re.compile(
    r"(?P<annotations>(?:@[\w.]+(?:\s*\((?:[^()]|\([^()]*\))*\))?\s+)+)"
    r"(?:(?:public|protected|private|static|final)\s+)*(?:<[^>]*>\s*)?[\w.<>\[\]]+\s+(?P<name>\w+)\s*\([^)]*\)"
    r"[^{};]*\{"
)
_IS_TEST = re.compile(
    r"@(?:[\w.]+\.)?(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
)
_CHECKS = re.compile(
    r"\b\w*(?:assert|verify|expect|check|fail|should|must|that|ensure)\w*\s*\(|\bthrow\b|\bassert\b",
    re.IGNORECASE,
)
_EXCUSES = re.compile(r"@(?:[\w.]+\.)?(?:Ignore|Disabled\w*|Enabled\w*)\b|\bassum(?:e|ing)\w*\s*\(")


def bodies(source: bytes) -> dict[str, TestBody]:
    """Test methods of a Java file by name; those of nested classes, too."""
    code = quiet(source.decode("utf-8", "replace"), *_SILENT)
    methods = [one for one in _METHOD.finditer(code) if _IS_TEST.search(one["annotations"])]
    # Whatever stands outside of methods excuses them all.
    outside = code[: methods[0].start()] if methods else ""
    everywhere = len(_EXCUSES.findall(outside))
    found = {}
    for method in methods:
        body = reached(code[method.end() : block_end(code, method.end())])
        checks = len(_CHECKS.findall(body)) + len(re.findall(r"\bexpected\s*=", method["annotations"]))
        excuses = len(_EXCUSES.findall(method["annotations"])) + len(_EXCUSES.findall(body)) + everywhere
        found[method["name"]] = TestBody(checks, excuses)
    return found


def texts(source: bytes) -> dict[str, tuple[str, ...]]:
    """Test methods by name: the annotations of each, then its lines."""
    text = source.decode("utf-8", "replace")
    code = quiet(text, *_SILENT)
    return {
        method["name"]: (
            " ".join(text[method.start() : method.end("annotations")].split()),
            *lines_of(text[method.end() : block_end(code, method.end())]),
        )
        for method in _METHOD.finditer(code)
        if _IS_TEST.search(method["annotations"])
    }
