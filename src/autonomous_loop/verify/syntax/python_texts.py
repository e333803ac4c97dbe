"""Returns the words of Python tests, so that untouched and merely renamed tests are recognised."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from autonomous_loop.verify.syntax.python_checks import name_of
from autonomous_loop.verify.syntax.python_never_runs import NeverRuns
from autonomous_loop.verify.syntax.python_nodes import Nodes

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_STATEMENT = ast.stmt | ast.excepthandler | ast.match_case
_Words = tuple[str, ...]


def texts(tree: ast.Module, nodes: Nodes) -> dict[str, _Words]:
    """Return tests by `Class::name`: the head without name and parameter rows, then a mark per statement.

    Formatting, comments and documentation are left out.

    Args:
        nodes: the tree's nodes.
    """
    return dict(_Texts(NeverRuns(tree, nodes)).of(tree.body, "", ""))


class _Texts:
    """The words of a file's tests, each taken once, however many classes inherit it."""

    def __init__(self, never: NeverRuns) -> None:
        self._never = never
        self._known: dict[tuple[ast.AST, str], _Words] = {}

    def of(self, nodes: Sequence[ast.stmt], prefix: str, around: str) -> Iterator[tuple[str, _Words]]:
        """Yield the tests of a module, or of a class and its bases in the file (bases first)."""
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                family = list(self._never.family(node))
                inner = around + "".join(map(_decorators, family))
                for one in reversed(family):
                    yield from self.of(one.body, f"{prefix}{node.name}::", inner)
            elif isinstance(node, _FUNCTION) and node.name.startswith("test"):
                if (node, around) not in self._known:
                    self._known[node, around] = _words(node, around)
                yield f"{prefix}{node.name}", self._known[node, around]


def _words(node: ast.FunctionDef | ast.AsyncFunctionDef, around: str) -> _Words:
    kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    head = f"{around}{_decorators(node)}{kind}({ast.unparse(node.args)})"
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return (head, *_lines(body))


def _lines(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield a mark of each statement, also of nested ones, with their depth."""
    left: list[tuple[int, ast.AST | str]] = [(0, one) for one in reversed(body)]
    while left:
        depth, node = left.pop()
        if isinstance(node, str):
            yield f"{depth} {node}"
            continue
        head, inner = [type(node).__name__], list[tuple[int, ast.AST | str]]()
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and any(isinstance(one, _STATEMENT) for one in value):
                inner += [(depth, name), *((depth + 1, one) for one in value)]
            else:
                parts = value if isinstance(value, list) else [value]
                said = [ast.dump(one) if isinstance(one, ast.AST) else repr(one) for one in parts]
                head.append(f"{name}={said}")
        yield f"{depth} {blake2b(' '.join(head).encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
        left += reversed(inner)


def _decorators(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "".join(f"@{_without_rows(one)}\n" for one in node.decorator_list)


def _without_rows(decorator: ast.expr) -> str:
    """Return a decorator without rows, which are compared separately because there may be more of them."""
    match decorator:
        case ast.Call(func=func, args=[names, ast.List() | ast.Tuple() | ast.Set(), *_]):
            if name_of(func) == "parametrize":
                return f"{ast.unparse(func)}({ast.unparse(names)})"
    return ast.unparse(decorator)
