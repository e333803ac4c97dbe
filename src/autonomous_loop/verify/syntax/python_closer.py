"""Looks closer at the checks of a Python test: into helpers of its file, and at tables of values.

`strengths` (python_checks.py) miss an assertion that moved into a helper. They also miss two assertions that
became a loop over a table, rows of parameters, or one comparison with a dict.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from autonomous_loop.verify.syntax.base import Assertion, Closely
from autonomous_loop.verify.syntax.python_checks import (
    CHECKS,
    EQUAL,
    SURE,
    Checks,
    is_constant,
    name_of,
    of_call,
    strengths,
)
from autonomous_loop.verify.syntax.python_helpers import (
    Function,
    Row,
    Scope,
    arguments,
    bound_in,
    mark,
    parametrized,
    tables,
)
from autonomous_loop.verify.syntax.python_nodes import children

_MOST_DEEP = 3
# The limit for rows. Rows beyond it cover no older check.
_MOST_MORE = 2_000
_EQUALITIES = frozenset({"assertEqual", "assertDictEqual", "assertListEqual", "assertTupleEqual"})


def closely(test: Function, scope: Scope) -> Closely:
    """Return what a test checks."""
    seen = _Closer(test, scope, {}, ())
    for names, values in parametrized(test):
        seen.repeat(0, names, scope.rows_of(values))
    return seen.closely


class _Closer(Checks):
    """Reads a function.

    Args:
        given: its arguments, as the call gives them.
        stack: names of the helpers on the way here.
    """

    def __init__(
        self, test: Function, scope: Scope, given: Mapping[str, ast.expr], stack: tuple[str, ...]
    ) -> None:
        self.named = SURE if stack else CHECKS
        self._scope = scope
        self._given = given
        self._stack = stack
        self._own = bound_in(test)
        self._tables = ChainMap(tables(test.body), scope.tables)
        self._checks: list[tuple[Assertion, frozenset[str]]] = []
        self._more: list[Assertion] = []
        self._helpers: set[str] = set()
        self._names: dict[ast.AST, frozenset[str]] = {}
        super().__init__(test, scope.calm)

    @property
    def closely(self) -> Closely:
        """The result."""
        checks = tuple(one for one, _ in self._checks)
        return Closely(checks, tuple(self._more), frozenset(self._helpers))

    def repeat(self, start: int, names: frozenset[str], table: Sequence[Row]) -> None:
        """Repeat each check since `start` that uses one of these names, once for each further row."""
        values = list(map(frozenset, table[1:]))
        for check, used in self._checks[start:]:
            if check.strength > 0 and used & names:
                self._add_more(Assertion(check.strength, one) for one in values)

    def _statement(self, node: ast.stmt, most: float) -> None:
        if isinstance(node, ast.Assert):
            self._asserted(node.test, most)
        elif isinstance(node, ast.For):
            start = len(self._checks)
            super()._statement(node, most)
            self.repeat(start, self._names_in(node.target), self._scope.rows_of(self._table(node.iter)))
        elif isinstance(node, ast.Expr) and self._is_never_awaited(node.value):
            return
        else:
            super()._statement(node, most)

    def _asserted(self, test: ast.expr, most: float) -> None:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            for part in test.values:
                self._asserted(part, most)
            return
        sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
        self._note(strengths(self._resolved(test)), most, sides, test)
        if isinstance(test, ast.Compare) and len(sides) == 2 and isinstance(test.ops[0], ast.Eq):
            self._parts(sides, most)

    def _call(self, node: ast.Call, most: float) -> None:
        if self._followed(node, most) or not self._names_check(node.func):
            return
        said = self._resolved(node)
        assert isinstance(said, ast.Call)
        self._note(of_call(said), most, node.args, node)
        if name_of(node.func) in _EQUALITIES:
            self._parts(node.args[:2], most)

    def _note(self, found: Sequence[float], most: float, about: Sequence[ast.expr], node: ast.expr) -> None:
        marks, names = frozenset(map(mark, about)), self._names_in(node)
        self._checks += [(Assertion(min(one, most), marks), names) for one in found]

    def _parts(self, sides: Sequence[ast.expr], most: float) -> None:
        """Add a check for each value of a literal that something is equal to."""
        if len(sides) == 2 and not all(map(is_constant, sides)):
            for literal in sides:
                values = (row[-1] for row in self._scope.rows_of(literal)[1:])
                self._add_more(Assertion(min(EQUAL, most), frozenset({one})) for one in values)

    def _add_more(self, found: Iterable[Assertion]) -> None:
        self._more += islice(found, max(0, _MOST_MORE - len(self._more)))

    def _followed(self, call: ast.Call, most: float) -> bool:
        """Follow a call to a helper; return whether the helper checks something."""
        name, helper = self._helper(call)
        if helper is None or name in self._stack or len(self._stack) >= _MOST_DEEP:
            return False
        given = arguments(helper, call, self._scope.assigned_in(helper))
        key = (self._stack, name, tuple(sorted((one, ast.dump(value)) for one, value in given.items())))
        if key not in self._scope.known:
            inner = _Closer(helper, self._scope, given, (*self._stack, name))
            self._scope.known[key] = inner.closely
        found = self._scope.known[key]
        if not any(one.strength > 0 for one in found.checks):
            return False
        about = [*call.args, *(one.value for one in call.keywords)]
        self._note([one.strength for one in found.checks], most, about, call)
        self._add_more(Assertion(min(one.strength, most), one.about) for one in found.more)
        self._helpers |= {name, *found.helpers}
        return True

    def _helper(self, call: ast.Call) -> tuple[str, Function | None]:
        match call.func:
            case ast.Name(id=name) if name not in self._own:
                return name, self._scope.functions.get(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return f"self.{name}", self._scope.methods.get(name)
        return "", None

    def _is_never_awaited(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and isinstance(self._helper(node)[1], ast.AsyncFunctionDef)

    def _names_in(self, node: ast.AST) -> frozenset[str]:
        """Return every name in a node; look at each part once."""
        if node not in self._names:
            own = {node.id} if isinstance(node, ast.Name) else set[str]()
            self._names[node] = frozenset(own.union(*map(self._names_in, children(node))))
        return self._names[node]

    def _resolved(self, node: ast.expr) -> ast.expr:
        if not self._given.keys() & self._names_in(node):
            return node
        made: ast.expr = _replaced(node, self._given)
        return made

    def _table(self, node: ast.expr) -> ast.expr | None:
        match node:
            case ast.Name(id=name):
                return self._tables.get(name)
            case ast.Call(func=ast.Attribute(value=inner, attr="items"), args=[]):
                found = self._table(inner)
                return found if isinstance(found, ast.Dict) else None
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return node
        return None


def _replaced(value: Any, given: Mapping[str, ast.expr]) -> Any:  # noqa: ANN401 - whatever stands in a node
    """Return a part of the source with the call's values in place of the helper's arguments."""
    if isinstance(value, list):
        return [_replaced(one, given) for one in value]
    if isinstance(value, ast.Name):
        return given.get(value.id, value)
    if not isinstance(value, ast.AST):
        return value
    return type(value)(**{name: _replaced(one, given) for name, one in ast.iter_fields(value)})
