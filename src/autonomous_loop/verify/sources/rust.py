"""Test functions of a Rust file, in the source or beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autonomous_loop.verify.sources.base import TestBody, refuse_depth
from autonomous_loop.verify.sources.braces import COMMENT, block_ends, quiet, reached

_SILENT = (
    r"//[^\n]*",
    COMMENT,
    r'r#+".*?(?:"#+|\Z)',
    r'"(?:\\.|[^"\\])*"',
    r"'(?:\\[^\n]{1,8}|[^'\\\n])'",
)
# No part of these can begin where another goes on: nothing is tried in two ways.
_WORD = re.compile(
    r"(?P<attribute>#\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])"
    r"|(?P<end>[{};])|\b(?P<kind>fn|mod)\s+(?P<name>\w+)"
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
    items = list(_items(code))
    done = 0
    for item, end in zip(items, block_ends(code, (one.body for one in items)), strict=True):
        if item.start < done:
            continue  # it stands inside of the one before
        done = end
        mine = excuses + len(_EXCUSES.findall(item.attributes))
        inner = code[item.body : end]
        if item.kind == "mod":
            yield from _bodies(text, inner, start + item.body, f"{prefix}{item.name}::", mine)
        elif _IS_TEST.search(item.attributes):
            checks = len(_CHECKS.findall(reached(inner))) + item.attributes.count("should_panic")
            said = text[start + item.start : start + end]
            yield f"{prefix}{item.name}", TestBody(checks, mine, " ".join(said.split()))


@dataclass(frozen=True, slots=True)
class _Item:
    """A function or module: where it starts, its attributes with it, and where its body does."""

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


def examples(source: bytes) -> tuple[str, ...]:
    """Lines of documentation, where its examples stand."""
    return tuple(
        line.strip() for line in source.decode("utf-8", "replace").splitlines() if _DOCUMENTS.match(line)
    )
