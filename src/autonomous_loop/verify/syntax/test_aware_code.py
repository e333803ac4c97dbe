"""Finds source that checks whether it is being tested, since it could behave for its tests alone.

Such source is refused and not only marked: it undoes what a proof rests on, and an honest feature has another
way (a setting, an argument). Only plain cases are found: a runner's own name in the environment; a function
that looks for a runner among the loaded modules, or for a test among its callers; a comparison of the command
line with either. A person may allow it with the `runner-keys` input.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

from autonomous_loop.verify.syntax.python_nodes import Nodes, children, walk

_ENVIRONMENT = re.compile(
    r"PYTEST_(?:CURRENT_TEST|VERSION|XDIST_\w+)|JEST_WORKER_ID|VITEST(?:_\w+)?|TOX_ENV_NAME"
)
_RUNNERS = re.compile(r"(?<![a-z])(?:_?pytest|py\.test|unittest|conftest)(?![a-z])", re.IGNORECASE)
_TESTS = re.compile(r"(?<![a-z])tests?(?![a-z])", re.IGNORECASE)
_LOADED = frozenset({"sys.modules"})
_CALLERS = frozenset({
    "sys._getframe", "sys._current_frames", "inspect.stack", "inspect.currentframe",
    "traceback.extract_stack", "traceback.walk_stack",
})  # fmt: skip
_CALLED_AS = frozenset({"sys.argv", "sys.orig_argv"})
_ASKING = frozenset({"any", "startswith", "endswith", "search", "match", "find", "count"})
_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_JAVASCRIPT = re.compile(
    r"process\.env\.(?:JEST_WORKER_ID|VITEST\w*)|process\.env\[['\"](?:JEST_WORKER_ID|VITEST\w*)['\"]\]"
    r"|import\.meta\.env\.VITEST|import\.meta\.vitest|typeof\s+jest\b"
)


Look: TypeAlias = tuple[str, frozenset[str]]
"""How a source looks; for its own command (`sys.argv[1] == "test"`), also the words it compares with."""


def in_python(tree: ast.Module, nodes: Nodes) -> tuple[Look, ...]:
    """Return how a source outside the tests looks for its tests, sorted.

    Args:
        nodes: the tree's nodes.
    """
    return tuple(sorted(set(_python(tree, nodes)), key=lambda look: (look[0], sorted(look[1]))))


def in_javascript(source: bytes) -> tuple[Look, ...]:
    """Return the same for JavaScript and TypeScript."""
    found = _JAVASCRIPT.findall(source.decode("utf-8", "replace"))
    return tuple((one, frozenset()) for one in sorted(set(found)))


def among(looks: Iterable[Look], called: Collection[str]) -> tuple[str, ...]:
    """Return those that may detect a test run, sorted.

    Args:
        called: words that may be on the command line of a test run; a program's own command `test` is none of
            them unless a folder or a word of the test command has this name.
    """
    return tuple(sorted({name for name, words in looks if not words or words & set(called)}))


def _python(tree: ast.Module, nodes: Nodes) -> Iterator[Look]:
    yield from _always(one for one in _texts(nodes.of(ast.Constant)) if _ENVIRONMENT.fullmatch(one))
    # Most sources name none of these, so the question does not arise.
    if not any(_looks(nodes.of(ast.Attribute), _CALLED_AS | _LOADED | _CALLERS)):
        return
    comparing = nodes.of(ast.Compare, ast.GeneratorExp, ast.ListComp, ast.SetComp)
    for node in [*comparing, *filter(_asks, nodes.of(ast.Call))]:
        inside = walk(node)
        if any(_RUNNERS.search(one) or _TESTS.search(one) for one in _texts(inside)):
            words = _command(node)
            yield from ((look, words) for look in _looks(inside, _CALLED_AS))
    for scope in [tree, *nodes.of(*_SCOPE)]:
        own = list(_own(scope))
        texts = _texts(own)
        if any(map(_RUNNERS.search, texts)):
            yield from _always(_looks(own, _LOADED | _CALLERS))
        if any(map(_TESTS.search, texts)):
            yield from _always(_looks(own, _CALLERS))


def _always(looks: Iterable[str]) -> Iterator[Look]:
    return ((one, frozenset()) for one in looks)


def _command(node: ast.AST) -> frozenset[str]:
    """Return the words in `sys.argv[1] == "test"`; empty if it is not the program's own command."""
    if not (isinstance(node, ast.Compare) and isinstance(node.left, ast.Subscript)):
        return frozenset()
    which, texts = node.left.slice, _texts(walk(node))
    later = isinstance(which, ast.Constant) and isinstance(which.value, int) and which.value > 0
    whole = all(isinstance(one, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for one in node.ops) and all(
        isinstance(one, ast.Constant | ast.Tuple | ast.Set | ast.List) for one in node.comparators
    )
    plain = all(re.fullmatch(r"[a-z]+", one) and not _RUNNERS.search(one) for one in texts)
    return frozenset(texts) if later and whole and plain else frozenset()


def _asks(node: ast.Call) -> bool:
    name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
    return name in _ASKING


def _looks(nodes: Iterable[ast.AST], wanted: Collection[str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in wanted:
                yield name


def _texts(nodes: Iterable[ast.AST]) -> list[str]:
    return [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of the scope itself, without its docstring and its functions."""
    body = getattr(scope, "body", [])
    stated = body if isinstance(body, list) else [body]
    left: list[ast.AST] = [
        one
        for one in stated
        if not isinstance(one, _SCOPE)
        and not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    while left:
        node = left.pop()
        yield node
        left += [one for one in children(node) if not isinstance(one, _SCOPE)]
