"""Tells whether the code around a Python file's tests may be what makes an untouched test pass."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Besides:
    """The content of a file besides its tests.

    Attributes:
        rest: a mark of everything that is neither a test nor an import; equal marks mean equal content.
        imports: names that imports bind, and what they stand for.
    """

    rest: str
    imports: Mapping[str, str]

    def is_same(self, was: Besides, is_own: Callable[[str], bool]) -> bool:
        """Return whether it differs from another version only by names that are no longer imported.

        A new import may come only from another project: a module of this project could bring a fixture that
        every test uses.

        Args:
            is_own: returns whether a module is, or may be, one of the project's.
        """
        before = was.imports
        return self.rest == was.rest and all(
            before[name] == origin if name in before else not (is_own(origin) or hasattr(builtins, name))
            for name, origin in self.imports.items()
        )


def besides(tree: ast.Module) -> Besides:
    """Return the content of a file besides its tests."""
    mark = sha256()
    for one in _others(tree.body):
        mark.update(one.encode("utf-8", "replace") + b"\n")
    return Besides(mark.hexdigest(), dict(_imported(tree.body)))


def _others(nodes: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield statements that are neither tests nor imports, also those inside classes."""
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            head = (*node.decorator_list, *node.bases, *node.keywords)
            yield f"class {node.name} {[ast.dump(one) for one in head]}"
            yield from _others(node.body)
            yield "end"
        elif isinstance(node, _FUNCTION) and node.name.startswith("test"):
            continue
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_text(node):
            yield ast.dump(node)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _imported(nodes: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield names that imports bind, with the modules and names they stand for; `*` stands for itself."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for one in node.names:
                name = one.name if one.asname else one.name.partition(".")[0]
                yield one.asname or name, name
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for one in node.names:
                bound = one.asname or one.name
                yield (f"{module}.*" if bound == "*" else bound), f"{module}.{one.name}"
