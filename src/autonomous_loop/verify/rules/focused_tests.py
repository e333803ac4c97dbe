"""Finds leftover `test.only` and the like: with one, a runner skips the file's, or all, other tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.syntax.javascript import KINDS
from autonomous_loop.verify.syntax.javascript_tokens import Token, tokens

_HEADS = frozenset({"test", "it", "describe", "suite", "context", "specify"})
_WHOLE = frozenset({"fit", "ftest", "fdescribe", "fcontext", "fspecify"})
_WRITTEN = re.compile(r"(?:\b(?:\w+\s*\.\s*)+only|\b(?:fit|ftest|fdescribe|fcontext|fspecify)|\bonly)\b")
_MOST = 5


def refuse_focus(path: str, old: bytes | None, new: bytes | None) -> Iterator[Reason]:
    """Yield reasons to refuse a test file that has more of them than before."""
    source = (new or b"").decode("utf-8", "replace")
    if not _WRITTEN.search(source) or path.rpartition(".")[2] not in KINDS:
        return
    now = _focused(source)
    was = _focused((old or b"").decode("utf-8", "replace"))
    if len(now) > len(was):
        where = ", ".join(f"`{said}` at {path}:{line}" for said, line in now[:_MOST])
        text = f"{where}: left so, the runner runs no other tests. Take it away, so that all of them run."
        yield Reason(code="focused", text=text)


def _focused(source: str) -> list[tuple[str, int]]:
    """Return each one as it is written, with its line; empty if the file cannot be read."""
    try:
        found = tokens(source)
    except (ValueError, RecursionError):
        return []
    return [(_said(found, at), word.line) for at, word in enumerate(found) if _is_focus(found, at)]


def _said(found: Sequence[Token], at: int) -> str:
    """Return `test.concurrent.only`, `fit` or `only: true`."""
    word = found[at]
    if word.text in _WHOLE:
        return word.text
    if _text(found, at - 1) != ".":
        return "only: true"
    chain = [word.text]
    while at >= 2 and _text(found, at - 1) == "." and found[at - 2].kind == "name":
        at -= 2
        chain.insert(0, found[at].text)
    return ".".join(chain)


def _is_focus(found: Sequence[Token], at: int) -> bool:
    word = found[at]
    if word.kind not in {"name", "string"}:
        return False
    before, after = _text(found, at - 1), _text(found, at + 1)
    if word.text == "only" and before in {"{", ","} and (after, _text(found, at + 2)) == (":", "true"):
        return _is_option(found, at)
    if word.kind != "name" or after not in {"(", "."}:
        return word.text == "only" and _kind(found, at + 1) == "template" and _has_head(found, at)
    if word.text == "only":
        return _has_head(found, at)
    return word.text in _WHOLE and before not in {".", "?.", "function"} and after == "("


def _has_head(found: Sequence[Token], at: int) -> bool:
    """Return whether a chain of names that ends here starts like a test's."""
    while at >= 2 and _text(found, at - 1) == "." and found[at - 2].kind == "name":
        at -= 2
    return found[at].text in _HEADS


def _is_option(found: Sequence[Token], at: int) -> bool:
    """Return whether a key is in the options of a test: `test("name", { only: true }, ...)`."""
    while at >= 0 and _text(found, at) != "{":
        at -= 1
    return _text(found, at - 1) == "," and _kind(found, at - 2) in {"string", "template"}


def _text(found: Sequence[Token], at: int) -> str:
    return found[at].text if 0 <= at < len(found) and found[at].kind in {"punctuation", "name"} else ""


def _kind(found: Sequence[Token], at: int) -> str:
    return found[at].kind if 0 <= at < len(found) else ""
