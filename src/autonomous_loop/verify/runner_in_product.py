"""Source that is no test and takes hold of a test runner: it could change what fails.

Only what is plain to see: an import of pytest, of vitest and its like; a part of unittest, or of an assertion
library, that is put in place of. Code that needs a runner's classes is a plugin, or a helper for tests, and
is one before the feature comes, or stands where tests are. Private modules of pytest are refused elsewhere
(`python_controls`).
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.sources import javascript
from autonomous_loop.verify.sources.javascript_tokens import Token, pairs, tokens
from autonomous_loop.verify.tree_facts import Facts

_RUNNERS = frozenset({"pytest", "pluggy", "nose", "nose2", "xdist"})
# What a file for tests is called that stands outside of their folders.
_FOR_TESTS = re.compile(
    r"(?:.*/)?(?:[^/]*[-_.])?(?:tests?|testing|pytest|vitest|jest|playwright|plugin|plugins|fixtures)"
    r"(?:[-_./].*)?|(?:.*/)?setup-?[tT]ests?\..*"
)
_PATCHED = frozenset({"unittest", "doctest"})
_IMPORTING = ("import_module", "__import__", "find_spec", "reload")
_JAVASCRIPT_RUNNERS = re.compile(
    r"(?:node:)?test(?:/reporters)?|vitest(?:/(?!config$).*)?|@vitest/(?:expect|runner|spy|snapshot|utils)"
    r"|@?jest(?:/(?!types$).*)?|jest-(?:circus|jasmine2|runner|mock)(?:/.*)?|expect|mocha(?:/.*)?|ava|tape|uvu(?:/.*)?"
    r"|bun:test|@playwright/test|chai"
)
_ASSERTIONS = re.compile(r"(?:node:)?assert(?:/strict)?")
_GLOBALS = frozenset({"expect", "jest", "vi", "describe", "it", "test", "beforeEach", "afterEach", "assert"})
_HOLDERS = frozenset({"globalThis", "global", "window", "self"})


def runner_uses(path: str, source: bytes | None) -> tuple[str, ...]:
    """How a source that is no test takes hold of a runner, sorted; empty where it cannot be read."""
    try:
        if path.endswith(".py"):
            return tuple(sorted(set(_python(ast.parse(source or b"")))))
        if path.rpartition(".")[2] in javascript.KINDS:
            return tuple(sorted(set(_javascript((source or b"").decode("utf-8", "replace")))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    return ()


def holds_runner(path: str, old: bytes | None, new: bytes | None, checkpoint: Facts) -> Iterator[Reason]:
    """Why a file that is not there for tests is refused: it newly imports, or changes, a test runner.

    Args:
        old: its content at the checkpoint.
        new: the candidate's.
        checkpoint: its tree: a plugin of pytest, or one more helper for tests, may import its runner.
    """
    uses = sorted(set(runner_uses(path, new)) - set(runner_uses(path, old)))
    if not uses or _is_plugin(checkpoint) or _helps_tests(path, uses, checkpoint):
        return
    text = (
        f"{path} takes hold of the test runner ({', '.join(uses)}). Code that is no test has no need of it:"
        " put helpers for tests below the tests, or do without. If it is meant, a person can set runner-keys."
    )
    yield Reason(code="runner-in-product", text=text)


def _is_plugin(checkpoint: Facts) -> bool:
    """Whether the project was a plugin of pytest before."""
    declared = ("pyproject.toml", "setup.cfg", "setup.py", "entry_points.txt")
    return any(b"pytest11" in (checkpoint.read_if_there(name) or b"") for name in declared)


def _helps_tests(path: str, uses: Sequence[str], checkpoint: Facts) -> bool:
    """Whether a file is one more of the helpers for tests that the project has, and only imports."""
    if not _FOR_TESTS.fullmatch(path) or not all(one.startswith("an import") for one in uses):
        return False
    folder, ending = posixpath.dirname(path), posixpath.splitext(path)[1]
    beside = (
        one
        for one in checkpoint.paths
        if posixpath.dirname(one) == folder and one.endswith(ending) and folder
    )
    return any(runner_uses(one, checkpoint.read_if_there(one)) for one in beside)


def _python(tree: ast.Module) -> Iterator[str]:
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        for name, module in _imported(node):
            if module.partition(".")[0] in _RUNNERS:
                yield f"an import of {module.partition('.')[0]}"
            bound[name] = module
    for node in ast.walk(tree):
        whole = _whole(_replaced(node), bound)
        if whole.partition(".")[0] in _PATCHED and not whole.startswith("unittest.mock"):
            yield f"a change of {whole}"


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that are bound, and the modules (or what of them) they stand for."""
    if isinstance(node, ast.Import):
        for one in node.names:
            yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom) and not node.level:
        for one in node.names:
            yield one.asname or one.name, f"{node.module}.{one.name}"
    elif isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith(_IMPORTING):
        named = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        yield "", named if isinstance(named, str) else ""


def _replaced(node: ast.AST) -> ast.expr | None:
    """What is given another attribute."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.value
    sets = ("setattr", "delattr", "patch.object", "patch.multiple")
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith(sets):
        return node.args[0]
    return None


def _whole(node: ast.expr | None, bound: dict[str, str]) -> str:
    first, dot, rest = ast.unparse(node).partition(".") if node is not None else ("", "", "")
    return f"{bound[first]}{dot}{rest}" if first in bound else ""


def _javascript(text: str) -> Iterator[str]:
    words = tokens(text)
    closing = pairs(words)
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


def _loads(words: list[Token], at: int) -> bool:
    """Whether a text names a module: `from "a"`, `import "a"`, `require("a")`, `import("a")`."""
    before = [one.text for one in words[max(0, at - 2) : at]]
    return before[-1:] in (["from"], ["import"]) or before in (["require", "("], ["import", "("])


def _names_before(words: list[Token], at: int) -> set[str]:
    """Names of the statement that loads a module."""
    names, at = set[str](), at - 1
    while at >= 0 and words[at].text not in {"import", "const", "let", "var", ";"}:
        if words[at].kind == "name":
            names.add(words[at].text)
        at -= 1
    return names - {"from", "require", "await", "as"}


def _changed(words: list[Token], closing: dict[int, int], held: Collection[str]) -> Iterator[str]:
    """`assert.equal = ...`, `Object.assign(assert, ...)`, `Object.defineProperty(assert, ...)`."""
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
