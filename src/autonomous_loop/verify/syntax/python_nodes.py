"""Groups the nodes of a Python file by kind, so that one walk serves everybody who looks for some."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import TypeVar, cast

Node = TypeVar("Node", bound=ast.AST)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


# Fields that hold no nodes, or only what tells one operator, or a name that is read, from another.
_PLAIN = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "asname", "module"})
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: ()}


def walk(tree: ast.AST) -> list[ast.AST]:
    """As `ast.walk`, but for operators and contexts, and faster: tests are walked many times."""
    found = [tree]
    for node in found:  # it grows meanwhile
        _add_children(found, node)
    return found


def children(node: ast.AST) -> list[ast.AST]:
    """As `ast.iter_child_nodes`, likewise."""
    found: list[ast.AST] = []
    _add_children(found, node)
    return found


def _add_children(found: list[ast.AST], node: ast.AST) -> None:
    kind = type(node)
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(name for name in kind._fields if name not in _PLAIN)
    for name in _FIELDS[kind]:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif value and isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]


class Nodes:
    """The nodes of a tree.

    Args:
        tree: the whole file, or one of its nodes.
    """

    def __init__(self, tree: ast.AST) -> None:
        self._all = walk(tree)
        self._of = defaultdict[type[ast.AST], list[int]](list)
        for at, node in enumerate(self._all):
            self._of[type(node)].append(at)

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Functions of both kinds."""
        return cast("Iterator[ast.FunctionDef | ast.AsyncFunctionDef]", self.of(*FUNCTIONS))

    @property
    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Imports of both kinds."""
        return cast("Iterator[ast.Import | ast.ImportFrom]", self.of(ast.Import, ast.ImportFrom))

    def of(self, *kinds: type[Node]) -> Iterator[Node]:
        """Those of some kinds, in the order of `walk`: of two that bind one name the last counts."""
        places = sorted(chain.from_iterable(self._of.get(kind, ()) for kind in kinds))
        return (cast("Node", self._all[at]) for at in places)
