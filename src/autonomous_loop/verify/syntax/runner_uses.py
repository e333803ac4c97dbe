"""Finds how a source uses or changes a test runner, in plain cases."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from autonomous_loop.verify.syntax.javascript_tokens import Token
from autonomous_loop.verify.syntax.python_checks import name_of
from autonomous_loop.verify.syntax.python_nodes import Nodes

_RUNNERS = frozenset({"pytest", "pluggy", "nose", "nose2", "xdist"})
_PATCHED = frozenset({"unittest", "doctest"})
_IMPORTING = frozenset({("import_module",), ("__import__",), ("find_spec",), ("reload",)})
_SETTING = frozenset({("setattr",), ("delattr",), ("patch", "object"), ("patch", "multiple")})
_JAVASCRIPT_RUNNERS = re.compile(
    r"(?:node:)?test(?:/reporters)?|vitest(?:/(?!config$).*)?|@vitest/(?:expect|runner|spy|snapshot|utils)"
    r"|@?jest(?:/(?!types$).*)?|jest-(?:circus|jasmine2|runner|mock)(?:/.*)?|expect|mocha(?:/.*)?|ava|tape|uvu(?:/.*)?"
    r"|bun:test|@playwright/test|chai"
)
_ASSERTIONS = re.compile(r"(?:node:)?assert(?:/strict)?")
_GLOBALS = frozenset({"expect", "jest", "vi", "describe", "it", "test", "beforeEach", "afterEach", "assert"})
_HOLDERS = frozenset({"globalThis", "global", "window", "self"})


def in_python(nodes: Nodes) -> tuple[str, ...]:
    """Return how a Python file does it, sorted.

    Args:
        nodes: the file's nodes.
    """
    return tuple(sorted(set(_python(nodes))))


def in_javascript(words: Sequence[Token], closing: Mapping[int, int]) -> tuple[str, ...]:
    """Return how a JavaScript or TypeScript file does it, sorted.

    Args:
        closing: see `pairs`.
    """
    return tuple(sorted(set(_javascript(words, closing))))


def _python(nodes: Nodes) -> Iterator[str]:
    bound: dict[str, str] = {}
    for node in nodes.of(ast.Import, ast.ImportFrom, ast.Call):
        for name, module in _imported(node):
            if module.partition(".")[0] in _RUNNERS:
                yield f"an import of {module.partition('.')[0]}"
            bound[name] = module
    for node in nodes.of(ast.Attribute, ast.Call):
        whole = _whole(_replaced(node), bound)
        if whole.partition(".")[0] in _PATCHED and not whole.startswith("unittest.mock"):
            yield f"a change of {whole}"


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield bound names, with the modules (or parts of them) they stand for."""
    if isinstance(node, ast.Import):
        for one in node.names:
            yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom) and not node.level:
        for one in node.names:
            yield one.asname or one.name, f"{node.module}.{one.name}"
    elif isinstance(node, ast.Call) and node.args and _called(node.func)[-1:] in _IMPORTING:
        named = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        yield "", named if isinstance(named, str) else ""


def _called(node: ast.expr) -> tuple[str, ...]:
    """Return the last two names of a called function."""
    if isinstance(node, ast.Attribute):
        return (name_of(node.value), node.attr)
    return (name_of(node),)


def _replaced(node: ast.AST) -> ast.expr | None:
    """Return the object whose attribute is set."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.value
    if (
        isinstance(node, ast.Call)
        and node.args
        and _SETTING.intersection((_called(node.func), _called(node.func)[-1:]))
    ):
        return node.args[0]
    return None


def _whole(node: ast.expr | None, bound: dict[str, str]) -> str:
    first, dot, rest = ast.unparse(node).partition(".") if node is not None else ("", "", "")
    return f"{bound[first]}{dot}{rest}" if first in bound else ""


def _javascript(words: Sequence[Token], closing: Mapping[int, int]) -> Iterator[str]:
    held: set[str] = set()
    for at, word in enumerate(words):
        before = words[at - 1].text if at else ""
        if word.kind in {"string", "template"} and _loads(words, at):
            if _JAVASCRIPT_RUNNERS.fullmatch(word.text):
                yield f"an import of {word.text}"
            elif _ASSERTIONS.fullmatch(word.text):
                held |= _names_before(words, at)
        elif word.text in _GLOBALS and before == "." and at > 1 and words[at - 2].text in _HOLDERS:
            yield f"a use of {words[at - 2].text}.{word.text}"
        elif word.text == "jest" and word.kind == "name" and before not in {".", "typeof"}:
            if at + 1 < len(words) and words[at + 1].text == ".":
                yield "a use of jest"
        elif word.text == "extend" and before == "." and at > 1 and words[at - 2].text == "expect":
            yield "a use of expect.extend"
    yield from _changed(words, closing, held)


def _loads(words: Sequence[Token], at: int) -> bool:
    """Return whether a text names a module: `from "a"`, `import "a"`, `require("a")`, `import("a")`."""
    before = [one.text for one in words[max(0, at - 2) : at]]
    return before[-1:] in (["from"], ["import"]) or before in (["require", "("], ["import", "("])


def _names_before(words: Sequence[Token], at: int) -> set[str]:
    """Return the names in the statement that loads a module."""
    names, at = set[str](), at - 1
    while at >= 0 and words[at].text not in {"import", "const", "let", "var", ";"}:
        if words[at].kind == "name":
            names.add(words[at].text)
        at -= 1
    return names - {"from", "require", "await", "as"}


def _changed(words: Sequence[Token], closing: Mapping[int, int], held: Collection[str]) -> Iterator[str]:
    """Find `assert.equal = ...`, `Object.assign(assert, ...)`, `Object.defineProperty(assert, ...)`."""
    for at, word in enumerate(words):
        if word.kind != "name" or word.text not in held:
            continue
        after = at + 1
        while after + 1 < len(words) and words[after].text == "." and words[after + 1].kind == "name":
            after += 2
        if after < len(words) and words[after].text == "[":
            after = closing[after] + 1
        texts = [one.text for one in words[after : after + 2]]
        given = at > 1 and words[at - 1].text == "(" and words[at - 2].text in {"assign", "defineProperty"}
        if given or (after > at + 1 and texts[:1] == ["="] and texts[1:] != ["="] and texts[1:] != [">"]):
            yield f"a change of {word.text}"
