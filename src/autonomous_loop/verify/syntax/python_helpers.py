"""Finds what a Python test may use of its own file: helpers that check for it, and tables of values."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TypeAlias

from autonomous_loop.verify.syntax.base import Closely
from autonomous_loop.verify.syntax.python_checks import is_constant, name_of
from autonomous_loop.verify.syntax.python_nodes import walk

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Row = tuple[bytes, ...]
# Bases without helpers that a test would call.
_KNOWN_BASES = frozenset({"object", "TestCase", "IsolatedAsyncioTestCase", "ABC", "Generic", "Protocol"})


@dataclass(frozen=True, eq=False)
class Scope:
    """The parts of its file that a test can use.

    Attributes:
        functions: the module's functions, each under a name with no other meaning.
        methods: the same for the class that holds the test.
        tables: names of the module that stand for literals.
        calm: the file's context managers that swallow a failed assertion.
        rebound: names that get another meaning somewhere while tests run.
        known: cache of what a helper checks, by its name and arguments.
        rows: cache of the rows of literals.
        classes: cache of the scopes of classes, by their methods.
        own: cache of each class's own helpers.
        assigned: cache of the names that each helper rebinds.
    """

    functions: Mapping[str, Function] = field(default_factory=dict)
    methods: Mapping[str, Function] = field(default_factory=dict)
    tables: dict[str, ast.expr] = field(default_factory=dict)
    calm: Collection[str] = frozenset()
    rebound: frozenset[str] = frozenset()
    known: dict[object, Closely] = field(default_factory=dict)
    rows: dict[ast.expr, list[Row]] = field(default_factory=dict)
    classes: dict[frozenset[Function], Scope] = field(default_factory=dict)
    own: dict[ast.ClassDef, dict[str, Function]] = field(default_factory=dict)
    assigned: dict[Function, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of_module(cls, tree: ast.Module, calm: Collection[str]) -> Scope:
        """Return the scope of a file."""
        rebound = frozenset(_rebound(tree))
        functions = {name: one for name, one in _helpers(tree.body).items() if name not in rebound}
        return cls(functions=functions, tables=tables(tree.body), calm=calm, rebound=rebound)

    def inside(self, family: Sequence[ast.ClassDef]) -> Scope:
        """Return the scope inside a class, given as the class followed by its bases in the file."""
        own, *bases = family
        self.own.update({one: _helpers(one.body) for one in family if one not in self.own})
        methods = dict(self.own[own])
        if all(_is_known(one, {base.name for base in bases}) for one in family):
            bound = Counter(name for one in family for name in set(_bound(one.body)))
            inherited = {name: one for base in bases for name, one in self.own[base].items()}
            methods |= {name: one for name, one in inherited.items() if bound[name] == 1}
        methods = {name: one for name, one in methods.items() if name not in self.rebound}
        key = frozenset(methods.values())
        if key not in self.classes:
            self.classes[key] = replace(self, methods=methods, known={})
        return self.classes[key]

    def rows_of(self, literal: ast.expr | None) -> list[Row]:
        """Return the different rows of a literal: see `rows`."""
        if literal is None:
            return []
        if literal not in self.rows:
            self.rows[literal] = rows(literal)
        return self.rows[literal]

    def assigned_in(self, helper: Function) -> frozenset[str]:
        """Return the names that a helper rebinds."""
        if helper not in self.assigned:
            self.assigned[helper] = frozenset(_bound(helper.body))
        return self.assigned[helper]


def _is_known(node: ast.ClassDef, family: Collection[str]) -> bool:
    """Return whether all bases are in this file or known."""
    bases = (name_of(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases)
    return not node.keywords and all(one in family or one in _KNOWN_BASES for one in bases)


def _rebound(tree: ast.Module) -> Iterator[str]:
    """Names set by `global same`, `self.same = ...`, `setattr(it, "same", ...)`, `patch("tests.same")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.attr
        elif isinstance(node, ast.Call) and name_of(node.func) in {"setattr", "delattr", "patch", "object"}:
            said = (one.value for one in node.args[:2] if isinstance(one, ast.Constant))
            yield from (one.rpartition(".")[2] for one in said if isinstance(one, str))


def _helpers(body: Sequence[ast.stmt]) -> dict[str, Function]:
    """Return functions that run when they are called and whose outcome no decorator changes."""
    bound = Counter(_bound(body))
    found: dict[str, Function] = {}
    for node in body:
        if isinstance(node, FUNCTION) and bound[node.name] == 1:
            plain = all(name_of(one) in {"staticmethod", "classmethod"} for one in node.decorator_list)
            if plain and not any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk(node)):
                found[node.name] = node
    return found


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        yield from _bound_by(node)


def _bound_by(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, FUNCTION | ast.ClassDef):
        yield node.name
        return
    for one in walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
        elif isinstance(one, ast.alias):
            yield one.asname or one.name.partition(".")[0]
        elif isinstance(one, FUNCTION | ast.ClassDef):
            yield one.name


def bound_in(function: Function) -> frozenset[str]:
    """Names that mean something of their own in a function: arguments, and what it assigns or defines."""
    given = {one.arg for one in walk(function.args) if isinstance(one, ast.arg)}
    return frozenset(given.union(_bound(function.body)))


def tables(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Return the names that are bound once, to a literal."""
    bound = Counter(_bound(body))
    return {
        node.targets[0].id: node.value
        for node in body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and bound[node.targets[0].id] == 1
        and isinstance(node.value, ast.List | ast.Tuple | ast.Set | ast.Dict)
    }


def rows(literal: ast.expr) -> list[Row]:
    """Return the different rows of a literal as marks: values, pairs, or the content of nested rows."""
    found: list[tuple[ast.expr, ...]] = []
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
    return list(dict.fromkeys(tuple(map(mark, row)) for row in found))


def mark(node: ast.AST) -> bytes:
    """Return a mark that is the same for the same code, whatever its layout."""
    return blake2b(ast.dump(node).encode("utf-8", "replace"), digest_size=16).digest()


def parametrized(function: Function) -> Iterator[tuple[frozenset[str], ast.expr]]:
    """Yield arguments of a test with the expression that holds their rows."""
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and name_of(one.func) == "parametrize" and len(one.args) > 1:
            said = [part.value for part in walk(one.args[0]) if isinstance(part, ast.Constant)]
            names = {name.strip() for text in said if isinstance(text, str) for name in text.split(",")}
            yield frozenset(names), one.args[1]


def arguments(helper: Function, call: ast.Call, assigned: Collection[str]) -> dict[str, ast.expr]:
    """Return a helper's arguments as far as a check can tell: constants, and which others are equal.

    Args:
        assigned: arguments that the helper rebinds; they are left out.
    """
    names = [one.arg for one in (*helper.args.posonlyargs, *helper.args.args)]
    if isinstance(call.func, ast.Attribute) and "staticmethod" not in map(name_of, helper.decorator_list):
        names = names[1:]
    given: dict[str, ast.expr] = dict(zip(reversed(names), reversed(helper.args.defaults), strict=False))
    if not any(isinstance(one, ast.Starred) for one in call.args):
        given |= dict(zip(names, call.args, strict=False))
    given |= {one.arg: one.value for one in call.keywords if one.arg}
    seen: dict[bytes, str] = {}
    made: dict[str, ast.expr] = {}
    for name, value in given.items():
        if name in assigned:
            continue
        if is_constant(value):
            made[name] = ast.Constant(bool(getattr(value, "value", True)))
        else:
            made[name] = ast.Name(seen.setdefault(mark(value), f"given {name}"), ast.Load())
    return made
