"""Test functions of a Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import partial

from autonomous_loop.verify.sources.base import TestBody
from autonomous_loop.verify.sources.python_checks import Checks, name_of
from autonomous_loop.verify.sources.python_closer import closely
from autonomous_loop.verify.sources.python_helpers import Around

_EXCUSES = re.compile(r"skip|xfail|expectedfailure|flaky|rerun", re.IGNORECASE)
# Decorators that leave a test's outcome alone. Any other may swallow it.
_PLAIN = re.compile(
    r"(?:pytest\.)?mark\..+|(?:\w+\.)*(?:patch|mock_\w+)(?:\..+)?|(?:hypothesis\.)?(?:given|settings|example|seed)"
    r"|respx\.mock|requests_mock\.(?:mock|Mocker)|httpretty\.activate|aioresponses"
    r"|(?:\w+\.)?(?:freeze_time|travel|override_settings|modify_settings|tag|parameterized|expand|activate"
    r"|use_cassette|staticmethod|classmethod|slow|asyncio_test|async_test|gen_test|fixture)"
)


def bodies(source: bytes) -> dict[str, TestBody]:
    """Test functions of a Python file by `Class::name`; empty where it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return dict(_functions(tree.body, "", _excused(tree.body), Around.of_module(tree)))


def _functions(
    nodes: Sequence[ast.stmt], prefix: str, excuses: int, around: Around
) -> Iterator[tuple[str, TestBody]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            inner = excuses + _decorated(node) + _excused(node.body)
            yield from _functions(node.body, f"{prefix}{node.name}::", inner, around.inside(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            checks = Checks(node)
            body = TestBody(
                checks=sum(1 for one in checks.strengths if one > 0),
                excuses=excuses + _decorated(node) + checks.skips,
                strengths=checks.strengths,
                rows=tuple(_rows(node)),
                forgiven=any(map(_forgives, node.decorator_list)),
                helped=bool(around.methods or checks.names & around.functions.keys()),
                closely=partial(closely, node, around),
            )
            yield f"{prefix}{node.name}", body


def _decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    count = 0
    for one in node.decorator_list:
        name = ast.unparse(one.func if isinstance(one, ast.Call) else one)
        count += bool(_EXCUSES.search(ast.unparse(one)) or not _PLAIN.fullmatch(name))
    return count


def _forgives(decorator: ast.expr) -> bool:
    """Whether a failure of any kind is expected, everywhere, and a success welcome."""
    call = decorator if isinstance(decorator, ast.Call) else None
    keys = {one.arg for one in call.keywords} if call else set()
    return (
        name_of(call.func if call else decorator) == "xfail"
        and not (call and call.args)
        and keys <= {"reason"}
    )


def _excused(body: Sequence[ast.stmt]) -> int:
    """Marks and calls that excuse every test of a module or a class."""
    found = 0
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(name_of(target) == "pytestmark" for target in targets):
                found += bool(_EXCUSES.search(ast.unparse(node.value)))
        elif isinstance(node, ast.Expr | ast.If):
            calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
            found += sum(1 for one in calls if re.fullmatch(r"skip|importorskip", name_of(one.func)))
    return found


def _rows(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ...]]:
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and name_of(one.func) == "parametrize" and len(one.args) > 1:
            values = one.args[1]
            for row in values.elts if isinstance(values, ast.List | ast.Tuple | ast.Set) else ():
                inner = row
                if isinstance(row, ast.Call) and name_of(row.func) == "param":
                    inner = ast.Tuple(row.args, ast.Load())
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                yield tuple(ast.dump(part) for part in parts)
