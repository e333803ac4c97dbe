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
# For each candidate word, even in a text, the file is read once more without it.
_MOST_WRITTEN = 20


def refuse_focus(path: str, old: bytes | None, new: bytes | None) -> Iterator[Reason]:
    """Yield reasons to refuse a test file that has more of them than before."""
    source = (new or b"").decode("utf-8", "replace")
    if not _WRITTEN.search(source) or path.rpartition(".")[2] not in KINDS:
        return
    now = _focused(source)
    was = _focused((old or b"").decode("utf-8", "replace"))
    if now > was:
        where = ", ".join(f"`{said}` at {path}:{line}" for said, line in _places(source, now)) or path
        text = f"{where}: left so, the runner runs no other tests. Take it away, so that all of them run."
        yield Reason(code="focused", text=text)


def _places(source: str, count: int) -> list[tuple[str, int]]:
    """Return each one as written with its line; those in comments and texts do not count."""
    found: list[tuple[str, int]] = []
    for one in list(_WRITTEN.finditer(source))[:_MOST_WRITTEN]:
        if len(found) == min(count, _MOST):
            break
        without = source[: one.start()] + "_" + source[one.end() :]
        if _focused(without) < count:
            said = re.sub(r"\s", "", one[0])
            found.append((said if said != "only" else "only: true", source.count("\n", 0, one.start()) + 1))
    return found


def _focused(source: str) -> int:
    """Count them; 0 if the file cannot be read."""
    try:
        found = tokens(source)
    except (ValueError, RecursionError):
        return 0
    return sum(_is_focus(found, at) for at in range(len(found)))


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
