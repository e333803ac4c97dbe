"""The nodes of a Python file by their kinds: one walk for everybody who looks for some of them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import TypeVar, cast

Node = TypeVar("Node", bound=ast.AST)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Nodes:
    """What stands in a tree.

    Args:
        tree: the whole file, or one of its nodes.
    """

    def __init__(self, tree: ast.AST) -> None:
        self._all = list(ast.walk(tree))
        self._of = defaultdict[type[ast.AST], list[int]](list)
        for at, node in enumerate(self._all):
            self._of[type(node)].append(at)

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Of either kind."""
        return cast("Iterator[ast.FunctionDef | ast.AsyncFunctionDef]", self.of(*FUNCTIONS))

    @property
    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Of either kind."""
        return cast("Iterator[ast.Import | ast.ImportFrom]", self.of(ast.Import, ast.ImportFrom))

    def of(self, *kinds: type[Node]) -> Iterator[Node]:
        """Those of some kinds, in the order of `ast.walk`: of two that bind one name the last counts."""
        places = sorted(chain.from_iterable(self._of.get(kind, ()) for kind in kinds))
        return (cast("Node", self._all[at]) for at in places)
