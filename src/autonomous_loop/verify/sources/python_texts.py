"""The words of Python's tests, so that one that nobody touched, or that was only renamed, is told."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from autonomous_loop.verify.sources.python_checks import name_of

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def texts(source: bytes) -> dict[str, tuple[str, ...]]:
    """Tests by `Class::name`: the head without name and rows of parameters, then the body's lines.

    Formatting, comments and the documentation are left out. Empty where the file cannot be parsed.
    """
    try:
        tree = ast.parse(source)
        return dict(_texts(tree.body, "", ""))
    except (SyntaxError, ValueError, RecursionError):
        return {}


def _texts(nodes: Sequence[ast.stmt], prefix: str, around: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from _texts(node.body, f"{prefix}{node.name}::", around + _decorators(node))
        elif isinstance(node, _FUNCTION) and node.name.startswith("test"):
            kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
            head = f"{around}{_decorators(node)}{kind}({ast.unparse(node.args)})"
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            lines = (line for one in body for line in ast.unparse(one).splitlines())
            yield f"{prefix}{node.name}", (head, *lines)


def _decorators(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "".join(f"@{_without_rows(one)}\n" for one in node.decorator_list)


def _without_rows(decorator: ast.expr) -> str:
    """Rows are compared by themselves: there may be more of them."""
    match decorator:
        case ast.Call(func=func, args=[names, ast.List() | ast.Tuple() | ast.Set(), *_]):
            if name_of(func) == "parametrize":
                return f"{ast.unparse(func)}({ast.unparse(names)})"
    return ast.unparse(decorator)
