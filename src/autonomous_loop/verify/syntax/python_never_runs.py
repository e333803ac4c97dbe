"""Finds what keeps a Python file's tests from running or failing without any mark.

A generator, or a coroutine that nobody awaits, is created and thrown away, and unittest calls that a success.
A class with its own `assertEqual` or other parts of unittest decides itself what fails. Each such thing
counts as an excuse: a test may keep one that it always had, but may not gain one.
"""

from __future__ import annotations

import ast
import re
import unittest
from collections.abc import Iterator, Sequence

from autonomous_loop.verify.syntax.python_checks import SKIPS, forgives, name_of
from autonomous_loop.verify.syntax.python_nodes import Nodes, children, walk

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPE = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_ASSERTIONS = frozenset(one for one in dir(unittest.TestCase) if one.startswith(("assert", "fail")))
# Parts of a test as unittest holds it. A test that replaces or reads them can pass without checking.
_INNER = frozenset({"_outcome", "_testMethodName", "_callTestMethod", "_feedErrorsToResult", "_Outcome"})
_OUTER = frozenset({"run", "__call__", "debug", "__getattribute__", "__getattr__", "skipTest", "_addSkip"})
_SETUPS = frozenset({
    "setUp", "setUpClass", "asyncSetUp", "setUpModule", "setup_method", "setup_class", "setup_function",
    "setup_module",
})  # fmt: skip
_RUNNERS = frozenset({"unittest", "pytest"})
# Libraries whose classes run coroutines although their names do not say so.
_ASYNCHRONOUS = frozenset({"django", "tornado", "twisted", "aiohttp", "asynctest", "aiounittest"})
_RUN_BY_DECORATOR = re.compile(
    r"sync|coroutine|inlineCallbacks|gen_test|ensureDeferred|trio|loop", re.IGNORECASE
)


class NeverRuns:
    """The excuses in a file's own classes and functions.

    Args:
        tree: the file's tree; each of its classes is walked once more.
        nodes: the tree's nodes.
    """

    def __init__(self, tree: ast.Module, nodes: Nodes) -> None:
        self._classes: dict[str, ast.ClassDef] = {}
        self._bound: dict[str, str] = {}
        self._skipping: set[str] = set()
        self.calm: set[str] = set()
        """The file's context managers that swallow a failed assertion."""
        for one in nodes.of(ast.ClassDef):
            self._classes[one.name] = one
        for imported in nodes.imports:
            self._bound |= _bound(imported)
        for node in tree.body:
            if isinstance(node, ast.ClassDef | _FUNCTION) and _is_calm(node):
                self.calm.add(node.name)
            elif isinstance(node, _FUNCTION) and not node.name.startswith("test") and _skips(node):
                self._skipping.add(node.name)
        self._own = {name: _parts_of(node) for name, node in self._classes.items()}
        self._outside = list(self._replaced(tree)) + [
            one.name for one in tree.body if isinstance(one, _FUNCTION) and is_always(one) and _skips(one)
        ]

    def of_file(self) -> int:
        """Count excuses of every test: changes to unittest or pytest, a set-up that skips."""
        return sum(1 for one in self._outside if one.partition(".")[0] not in self._classes)

    def of_class(self, node: ast.ClassDef) -> int:
        """Count excuses of every test of a class, in the class and its bases in the file."""
        if not node.bases:
            return 0
        family = {one.name for one in self.family(node)}
        outside = sum(1 for one in self._outside if one.partition(".")[0] in family)
        return outside + sum(len(self._own.get(one, ())) for one in family)

    def of_test(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef | None) -> int:
        """Count a test's own excuses."""
        named = [ast.unparse(one) for one in node.decorator_list]
        if any(_RUN_BY_DECORATOR.search(one) and not re.match(r"(?:pytest\.)?mark\.", one) for one in named):
            return 0
        idle = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in _own_nodes(node.body))
        idle = idle or (isinstance(node, ast.AsyncFunctionDef) and self._awaits(owner) is False)
        used = {one.id for one in walk(node) if isinstance(one, ast.Name)} | _arguments(node)
        return idle + len(used & self._skipping)

    def is_unsure(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef | None) -> bool:
        """Return whether a coroutine is in a class of which nobody knows whether it awaits it."""
        return isinstance(node, ast.AsyncFunctionDef) and self._awaits(owner) is None

    def family(self, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """Yield a class and its bases in the file, each once."""
        seen, left = set[str](), [node]
        while left:
            one = left.pop()
            if one.name not in seen:
                seen.add(one.name)
                yield one
                bases = (self._classes.get(name_of(base)) for base in one.bases)
                left += [base for base in bases if base is not None]

    def _awaits(self, owner: ast.ClassDef | None) -> bool | None:
        """Return whether a class runs coroutines; None: a base is unknown. Without bases, pytest does."""
        if owner is None or not owner.bases:
            return True
        names = [
            self._whole(base)
            for one in self.family(owner)
            for base in one.bases
            if name_of(base) not in self._classes
        ]
        if any("async" in one.lower() or one.partition(".")[0] in _ASYNCHRONOUS for one in names):
            return True
        plain = re.compile(r"unittest\.(?:case\.)?TestCase|object|(?:typing\.)?Generic")
        return False if all(map(plain.fullmatch, names)) else None

    def _whole(self, node: ast.expr) -> str:
        """Return a dotted name, with its first part as it was imported."""
        first, dot, rest = ast.unparse(node).partition(".")
        return f"{self._bound.get(first, first)}{dot}{rest}"

    def _replaced(self, tree: ast.Module) -> Iterator[str]:
        """Yield `Class.assertEqual = ...` outside classes, for the file's classes and the runner's own."""
        for node in _own_nodes(tree.body, into_functions=True):
            target, name = _set(node)
            if target is None:
                continue
            whole = self._whole(target)
            last, runners = name_of(target), whole.partition(".")[0] in _RUNNERS
            if runners and not whole.startswith("unittest.mock"):
                yield f"{whole}.{name}"
            elif last in self._classes and name in _ASSERTIONS | _INNER | _OUTER:
                yield f"{last}.{name}"


def _bound(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {
            one.asname or one.name.partition(".")[0]: one.name if one.asname else one.name.partition(".")[0]
            for one in node.names
        }
    return {one.asname or one.name: f"{node.module or ''}.{one.name}" for one in node.names}


def _parts_of(node: ast.ClassDef) -> list[str]:
    """Return what a class itself changes in how its tests run and fail."""
    found = [name for one in node.body for name in _defined(one)]
    found += [one.name for one in node.body if isinstance(one, _FUNCTION) and is_always(one) and _skips(one)]
    for one in walk(node):
        if isinstance(one, ast.Attribute) and one.attr in _INNER:
            found.append(one.attr)
        target, name = _set(one)
        if target is not None and name_of(target) in {"self", "cls"} and name in _ASSERTIONS:
            found.append(name)
    return found


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield unittest's names that a statement of a class body takes."""
    if isinstance(node, _FUNCTION):
        if node.name in _ASSERTIONS | _INNER | _OUTER and not _passes_on(node):
            yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (name_of(one) for one in targets if name_of(one) in _ASSERTIONS | _INNER)


def _passes_on(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether it only calls the method it overrides, with its own arguments (except a message)."""
    body = [
        one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    call = getattr(body[0], "value", None) if len(body) == 1 else None
    if not (isinstance(call, ast.Call) and ast.unparse(call.func) == f"super().{node.name}"):
        return False
    given = [one.arg for one in node.args.args[1:] if one.arg != "msg"]
    return [name_of(one) for one in call.args[: len(given)]] == given


def _set(node: ast.AST) -> tuple[ast.expr | None, str]:
    """The object and attribute that are set: `a.b = c`, `setattr(a, "b", c)`, `patch.object(a, "b")`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.value, node.attr
    if not (isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant)):
        return None, ""
    sets = ast.unparse(node.func).endswith(("setattr", "patch.object", "delattr"))
    return (node.args[0], str(node.args[1].value)) if sets else (None, "")


def _skips(node: ast.AST) -> bool:
    return any(
        (isinstance(one, ast.Call) and name_of(one.func) in SKIPS)
        or (isinstance(one, ast.Raise) and one.exc is not None and "Skip" in ast.unparse(one.exc))
        for one in walk(node)
    )


def is_always(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function runs before tests that do not request it."""
    return node.name in _SETUPS or any("autouse=True" in ast.unparse(one) for one in node.decorator_list)


def _is_calm(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether this is a context manager that swallows failures inside it."""
    if isinstance(node, ast.ClassDef):
        leaving = [one for one in node.body if isinstance(one, _FUNCTION) and one.name == "__exit__"]
        returned = [one for each in leaving for one in walk(each) if isinstance(one, ast.Return)]
        return any(isinstance(one.value, ast.Constant) and one.value.value for one in returned)
    if not any("contextmanager" in ast.unparse(one) for one in node.decorator_list):
        return False
    return any(
        (isinstance(one, ast.Try | ast.TryStar) and any(map(forgives, one.handlers)))
        or (isinstance(one, ast.With) and "suppress(" in ast.unparse(one.items[0]))
        for one in walk(node)
    )


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}


def _own_nodes(body: Sequence[ast.AST], *, into_functions: bool = False) -> Iterator[ast.AST]:
    """Yield the nodes in these statements, without those in classes and (by default) in functions."""
    left = list(body)
    while left:
        node = left.pop()
        yield node
        if isinstance(node, _SCOPE) and (isinstance(node, ast.ClassDef) or not into_functions):
            continue
        left += children(node)
