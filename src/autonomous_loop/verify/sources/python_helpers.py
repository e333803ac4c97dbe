"""What a Python test may use of its own file: functions that check for it, and tables of values."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autonomous_loop.verify.sources.base import Closely
from autonomous_loop.verify.sources.python_checks import is_constant, name_of

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
Function = ast.FunctionDef | ast.AsyncFunctionDef
Row = tuple[ast.expr, ...]


@dataclass(frozen=True)
class Around:
    """What stands around a test.

    Attributes:
        functions: of the module, each by a name that stands for nothing else.
        methods: of the class the test is in.
        tables: names of the module that stand for literals.
        known: what was found of a helper, by its name and what it was given.
    """

    functions: Mapping[str, Function] = field(default_factory=dict)
    methods: Mapping[str, Function] = field(default_factory=dict)
    tables: Mapping[str, ast.expr] = field(default_factory=dict)
    known: dict[object, Closely] = field(default_factory=dict)

    @classmethod
    def of_module(cls, tree: ast.Module) -> Around:
        """Of a file."""
        return cls(functions=dict(_helpers(tree.body)), tables=tables(tree.body))

    def inside(self, node: ast.ClassDef) -> Around:
        """The same in one of its classes."""
        return replace(self, methods=dict(_helpers(node.body)), known={})


def _helpers(body: Sequence[ast.stmt]) -> Iterator[tuple[str, Function]]:
    """Functions that run when they are called, and whose outcome no decorator touches."""
    bound = Counter(name for node in body for name in _bound_by(node))
    for node in body:
        if isinstance(node, FUNCTION) and bound[node.name] == 1:
            plain = all(name_of(one) in {"staticmethod", "classmethod"} for one in node.decorator_list)
            if plain and not any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node)):
                yield node.name, node


def _bound_by(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, FUNCTION | ast.ClassDef):
        yield node.name
        return
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
        elif isinstance(one, ast.alias):
            yield one.asname or one.name.partition(".")[0]
        elif isinstance(one, FUNCTION | ast.ClassDef):
            yield one.name


def bound_in(function: Function) -> frozenset[str]:
    """Names that mean something of their own in a function: arguments, and what it assigns or defines."""
    given = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    return frozenset(given.union(*map(_bound_by, function.body)))


def tables(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Names that are bound once, to a literal."""
    bound = Counter(name for node in body for name in _bound_by(node))
    return {
        node.targets[0].id: node.value
        for node in body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and bound[node.targets[0].id] == 1
        and isinstance(node.value, ast.List | ast.Tuple | ast.Set | ast.Dict)
    }


def rows(literal: ast.expr | None) -> list[Row]:
    """The different rows of a literal: values, pairs, or what stands in a row of its own."""
    found: list[Row] = []
    if isinstance(literal, ast.Dict):
        found = [
            (key, value) for key, value in zip(literal.keys, literal.values, strict=True) if key is not None
        ]
    elif isinstance(literal, ast.List | ast.Tuple | ast.Set):
        for one in literal.elts:
            inner = one
            if isinstance(one, ast.Call) and name_of(one.func) == "param":
                inner = ast.Tuple(one.args, ast.Load())
            found.append((*inner.elts, inner) if isinstance(inner, ast.Tuple | ast.List) else (inner,))
    return list({tuple(map(ast.dump, row)): row for row in found}.values())


def parametrized(function: Function) -> Iterator[tuple[frozenset[str], list[Row]]]:
    """Arguments of a test and their rows."""
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and name_of(one.func) == "parametrize" and len(one.args) > 1:
            said = [part.value for part in ast.walk(one.args[0]) if isinstance(part, ast.Constant)]
            names = {name.strip() for text in said if isinstance(text, str) for name in text.split(",")}
            yield frozenset(names), rows(one.args[1])


def names_in(node: ast.AST) -> frozenset[str]:
    """Every name that stands in it."""
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def arguments(helper: Function, call: ast.Call) -> dict[str, ast.expr]:
    """What a call gives to a helper, as far as a check can tell: constants, and which others are equal.

    An argument that the helper assigns anew is left out.
    """
    names = [one.arg for one in (*helper.args.posonlyargs, *helper.args.args)]
    if isinstance(call.func, ast.Attribute) and "staticmethod" not in map(name_of, helper.decorator_list):
        names = names[1:]
    given: dict[str, ast.expr] = dict(zip(reversed(names), reversed(helper.args.defaults), strict=False))
    if not any(isinstance(one, ast.Starred) for one in call.args):
        given |= dict(zip(names, call.args, strict=False))
    given |= {one.arg: one.value for one in call.keywords if one.arg}
    assigned = {name for node in helper.body for name in _bound_by(node)}
    seen: dict[str, str] = {}
    made: dict[str, ast.expr] = {}
    for name, value in given.items():
        if name in assigned:
            continue
        if is_constant(value):
            made[name] = ast.Constant(bool(getattr(value, "value", True)))
        else:
            made[name] = ast.Name(seen.setdefault(ast.dump(value), f"given {name}"), ast.Load())
    return made
