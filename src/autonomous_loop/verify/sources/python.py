"""Test functions of a Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from autonomous_loop.verify.sources.base import TestBody

_EXCUSES = re.compile(r"skip|xfail|expectedfailure", re.IGNORECASE)
_CHECKS = re.compile(
    r"assert|raises|warns|expect|check|verify|fail|match|should|approx|snapshot|compare|ensure", re.IGNORECASE
)


def bodies(source: bytes) -> dict[str, TestBody]:
    """Test functions of a Python file by `Class::name`; empty where it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    module_excuses = sum(
        1
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        and _EXCUSES.search(ast.unparse(node.value))
    )
    return dict(_functions(tree.body, "", module_excuses))


def _functions(nodes: Sequence[ast.stmt], prefix: str, excuses: int) -> Iterator[tuple[str, TestBody]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}::", excuses + _decorated(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            asserts = [one for one in ast.walk(node) if isinstance(one, ast.Assert)]
            real = sum(1 for one in asserts if not isinstance(one.test, ast.Constant))
            calls = sum(
                1
                for one in ast.walk(node)
                if isinstance(one, ast.Call) and _CHECKS.search(ast.unparse(one.func))
            )
            body = TestBody(real + calls, excuses + _decorated(node))
            yield f"{prefix}{node.name}", body


def _decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return sum(1 for one in node.decorator_list if _EXCUSES.search(ast.unparse(one)))
