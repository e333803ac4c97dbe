"""What stands around the tests of a Python file: whether it can be what makes an untouched one pass."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def is_same_around(old: bytes, new: bytes, is_own: Callable[[str], bool]) -> bool:
    """Whether two versions of a file differ in nothing but their tests and names they do not import any more.

    What is imported besides may come from other projects alone: an own module could bring a fixture that
    every test uses.

    Args:
        is_own: whether a module is, or may be, one of the project's.
    """
    try:
        was, now = ast.parse(old), ast.parse(new)
        if list(_others(was.body)) != list(_others(now.body)):
            return False
    except (SyntaxError, ValueError, RecursionError):
        return False
    before, after = dict(_imported(was.body)), dict(_imported(now.body))
    return all(
        before[name] == origin if name in before else not (is_own(origin) or hasattr(builtins, name))
        for name, origin in after.items()
    )


def _others(nodes: Sequence[ast.stmt]) -> Iterator[str]:
    """Statements that are neither tests nor imports; of classes, what is not a test in them."""
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield f"class {node.name} {[ast.dump(one) for one in (*node.decorator_list, *node.bases)]}"
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
