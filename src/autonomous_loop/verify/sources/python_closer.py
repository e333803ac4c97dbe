"""A closer look at the checks of a Python test: through helpers of its own file, and at tables of values.

`strengths` (python_checks.py) do not see an assertion that moved into a helper, nor two that became a loop
over a table, rows of parameters, or one comparison with a dict.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autonomous_loop.verify.sources.base import Check, Closely
from autonomous_loop.verify.sources.python_checks import (
    CHECKS,
    EQUAL,
    Checks,
    is_constant,
    name_of,
    of_call,
    strengths,
)
from autonomous_loop.verify.sources.python_helpers import (
    Around,
    Function,
    Row,
    arguments,
    bound_in,
    names_in,
    parametrized,
    rows,
    tables,
)

_MOST_DEEP = 3
_EQUALITIES = frozenset({"assertEqual", "assertDictEqual", "assertListEqual", "assertTupleEqual"})


def closely(test: Function, around: Around) -> Closely:
    """What a test checks."""
    seen = _Closer(test, around, {}, ())
    for names, values in parametrized(test):
        seen.repeat(0, names, values)
    return seen.closely


class _Closer(Checks):
    """Reads a function.

    Args:
        given: its arguments, by what the call says of them.
        stack: names of the helpers on the way here.
    """

    def __init__(
        self, test: Function, around: Around, given: Mapping[str, ast.expr], stack: tuple[str, ...]
    ) -> None:
        self._around = around
        self._given = given
        self._stack = stack
        self._own = bound_in(test)
        self._tables = {**around.tables, **tables(test.body)}
        self._checks: list[Check] = []
        self._more: list[Check] = []
        self._helpers: set[str] = set()
        super().__init__(test)

    @property
    def closely(self) -> Closely:
        """What was found."""
        return Closely(tuple(self._checks), tuple(self._more), frozenset(self._helpers))

    def repeat(self, start: int, names: frozenset[str], table: Sequence[Row]) -> None:
        """Each check since `start` that uses one of these names is made once for each row."""
        for check in self._checks[start:]:
            if check.strength > 0 and check.names & names:
                self._more += [
                    Check(check.strength, frozenset(map(ast.dump, row)), frozenset()) for row in table[1:]
                ]

    def _statement(self, node: ast.stmt, most: float) -> None:
        if isinstance(node, ast.Assert):
            self._asserted(node.test, most)
        elif isinstance(node, ast.For):
            start = len(self._checks)
            super()._statement(node, most)
            self.repeat(start, names_in(node.target), rows(self._table(node.iter)))
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
        self._note(strengths(self._resolved(test)), most, sides, names_in(test))
        if isinstance(test, ast.Compare) and len(sides) == 2 and isinstance(test.ops[0], ast.Eq):
            self._parts(sides, most)

    def _calls(self, node: ast.AST, most: float) -> None:
        for one in ast.walk(node):
            if not isinstance(one, ast.Call) or self._followed(one, most):
                continue
            if CHECKS.search(ast.unparse(one.func)):
                said = self._resolved(one)
                assert isinstance(said, ast.Call)
                self._note(of_call(said), most, one.args, names_in(one))
                if name_of(one.func) in _EQUALITIES:
                    self._parts(one.args[:2], most)

    def _note(
        self, found: Sequence[float], most: float, about: Sequence[ast.expr], names: frozenset[str]
    ) -> None:
        dumps = frozenset(map(ast.dump, about))
        self._checks += [Check(min(one, most), dumps, names) for one in found]

    def _parts(self, sides: Sequence[ast.expr], most: float) -> None:
        """What is equal to a literal is so in each of its values."""
        if len(sides) == 2 and not all(map(is_constant, sides)):
            for literal in sides:
                self._more += [
                    Check(min(EQUAL, most), frozenset({ast.dump(row[-1])}), frozenset())
                    for row in rows(literal)[1:]
                ]

    def _followed(self, call: ast.Call, most: float) -> bool:
        """Whether a call goes to a helper that checks something."""
        name, helper = self._helper(call)
        if helper is None or name in self._stack or len(self._stack) >= _MOST_DEEP:
            return False
        given = arguments(helper, call)
        key = (self._stack, name, tuple(sorted((one, ast.dump(value)) for one, value in given.items())))
        if key not in self._around.known:
            inner = _Closer(helper, self._around, given, (*self._stack, name))
            self._around.known[key] = inner.closely
        found = self._around.known[key]
        if not any(one.strength > 0 for one in found.checks):
            return False
        about = [*call.args, *(one.value for one in call.keywords)]
        self._note([one.strength for one in found.checks], most, about, names_in(call))
        self._more += [replace(one, strength=min(one.strength, most)) for one in found.more]
        self._helpers |= {name, *found.helpers}
        return True

    def _helper(self, call: ast.Call) -> tuple[str, Function | None]:
        match call.func:
            case ast.Name(id=name) if name not in self._own:
                return name, self._around.functions.get(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return f"self.{name}", self._around.methods.get(name)
        return "", None

    def _is_never_awaited(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and isinstance(self._helper(node)[1], ast.AsyncFunctionDef)

    def _resolved(self, node: ast.expr) -> ast.expr:
        if not self._given.keys() & names_in(node):
            return node
        made: ast.expr = _Given(self._given).visit(copy.deepcopy(node))
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


class _Given(ast.NodeTransformer):
    """Puts what a call gives in the place of the helper's arguments."""

    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._given.get(node.id, node)
