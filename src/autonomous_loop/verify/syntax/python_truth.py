"""Finds conditions of a Python test that are decided before it runs."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

_COMPARED: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


def truth(test: ast.expr) -> bool | None:
    """Return whether a condition always or never holds; None: it is known only at run time."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Tuple | ast.List | ast.Set | ast.Dict):
        inside = test.keys if isinstance(test, ast.Dict) else test.elts
        return None if inside else False
    if isinstance(test, ast.Name | ast.Attribute):
        return False if ast.unparse(test).endswith("TYPE_CHECKING") else None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        known = truth(test.operand)
        return None if known is None else not known
    if isinstance(test, ast.BoolOp | ast.Compare):
        return _of_parts(test) if isinstance(test, ast.BoolOp) else _compared(test)
    return None


def _of_parts(test: ast.BoolOp) -> bool | None:
    decides = isinstance(test.op, ast.Or)  # one true part of an `or`, one false part of an `and`
    known = [truth(part) for part in test.values]
    if decides in known:
        return decides
    return not decides if None not in known else None


def _compared(test: ast.Compare) -> bool | None:
    left, right = test.left, test.comparators[0]
    if len(test.ops) > 1 or not (isinstance(left, ast.Constant) and isinstance(right, ast.Constant)):
        return None
    compare = _COMPARED.get(type(test.ops[0]))
    return compare(left.value, right.value) if compare else None
