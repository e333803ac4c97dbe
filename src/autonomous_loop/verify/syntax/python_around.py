"""What stands around the tests of a Python file: whether it can be what makes an untouched one pass."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Besides:
    """What a file holds beside its tests.

    Attributes:
        rest: a mark of all that is neither a test nor an import; equal where that is.
        imports: names that imports bind, and what they stand for.
    """

    rest: str
    imports: Mapping[str, str]

    def is_same(self, was: Besides, is_own: Callable[[str], bool]) -> bool:
        """Whether it differs from another version in nothing but names that are not imported any more.

        What is imported besides may come from other projects alone: an own module could bring a fixture that
        every test uses.

        Args:
            is_own: whether a module is, or may be, one of the project's.
        """
        before = was.imports
        return self.rest == was.rest and all(
            before[name] == origin if name in before else not (is_own(origin) or hasattr(builtins, name))
            for name, origin in self.imports.items()
        )


def besides(tree: ast.Module) -> Besides:
    """What a file holds beside its tests."""
    mark = sha256()
    for one in _others(tree.body):
        mark.update(one.encode("utf-8", "replace") + b"\n")
    return Besides(mark.hexdigest(), dict(_imported(tree.body)))


def _others(nodes: Sequence[ast.stmt]) -> Iterator[str]:
    """Statements that are neither tests nor imports; of classes, what is not a test in them."""
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
    """Names that imports bind, and the modules and names they stand for; `*` binds whatever it may."""
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
