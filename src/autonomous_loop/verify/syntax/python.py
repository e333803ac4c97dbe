"""Reads the test functions of a Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256

from autonomous_loop.verify.syntax.base import Around, Check, Closely, TestBody
from autonomous_loop.verify.syntax.python_checks import SURE, Checks, name_of
from autonomous_loop.verify.syntax.python_closer import closely
from autonomous_loop.verify.syntax.python_helpers import Scope
from autonomous_loop.verify.syntax.python_never_runs import NeverRuns, is_always
from autonomous_loop.verify.syntax.python_nodes import Nodes, walk

_EXCUSES = re.compile(r"skip|xfail|expectedfailure|flaky|rerun", re.IGNORECASE)
# Decorators that leave a test's outcome alone. Any other may swallow it.
_PLAIN = re.compile(
    r"(?:pytest\.)?mark\..+|(?:\w+\.)*(?:patch|mock_\w+)(?:\..+)?|(?:hypothesis\.)?(?:given|settings|example|seed)"
    r"|respx\.mock|requests_mock\.(?:mock|Mocker)|httpretty\.activate|aioresponses"
    r"|(?:\w+\.)?(?:freeze_time|travel|override_settings|modify_settings|tag|parameterized|expand|activate"
    r"|use_cassette|staticmethod|classmethod|slow|asyncio_test|async_test|gen_test|fixture)"
)


def read(tree: ast.Module, nodes: Nodes) -> tuple[dict[str, TestBody], Around]:
    """Return tests by `Class::name`, and the helpers and fixtures with what each checks.

    Args:
        nodes: the tree's nodes.
    """
    never = NeverRuns(tree, nodes)
    names = set(_names(nodes))
    checks = [
        Check(strength, node.lineno, said, node.name in names or is_always(node))
        for node in _helpers(tree.body)
        for strength, said in _said(node, never.calm)
    ]
    bodies = dict(_Reader(tree, never).tests(tree.body))
    return bodies, Around(tuple(checks), "\n".join(_texts(tree.body)))


def _said(node: ast.FunctionDef | ast.AsyncFunctionDef, calm: Collection[str]) -> Iterator[tuple[float, str]]:
    """Each check of a helper, and a digest of what decides about it: how it is called, and all before it."""
    yields = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk(node))
    head = [type(node).__name__, node.name, yields, *map(ast.dump, (node.args, *node.decorator_list))]
    digest = sha256(repr(head).encode())
    checks, start = _Assertions(node, calm), 0
    for statement, end in zip(node.body, checks.ends, strict=True):
        digest.update(ast.dump(statement).encode())
        yield from ((strength, digest.hexdigest()) for strength in checks.strengths[start:end] if strength)
        start = end


def _helpers(body: Sequence[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _helpers(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("test"):
            yield node


def _texts(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the text outside the tests, without its layout."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            if not any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in node.body):
                yield f"class {node.name}({', '.join(map(ast.unparse, node.bases))})"
            yield from _texts(node.body)
        elif not (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")):
            yield ast.unparse(node)


def _names(nodes: Nodes) -> Iterator[str]:
    """Yield everything that is used by name: variables, attributes, arguments, texts."""
    yield from (one.id for one in nodes.of(ast.Name))
    yield from (one.attr for one in nodes.of(ast.Attribute))
    yield from (one.arg for one in nodes.of(ast.arg))
    yield from (one.value for one in nodes.of(ast.Constant) if isinstance(one.value, str))


class _Assertions(Checks):
    """The checks of a helper."""

    named = SURE


class _Reader:
    """Reads the tests of a file, each once, however many classes inherit it."""

    def __init__(self, tree: ast.Module, never: NeverRuns) -> None:
        self._never = never
        self._around = _excused(tree.body) + self._never.of_file()
        self._checks: dict[ast.AST, Checks] = {}
        self._scope = Scope.of_module(tree, self._never.calm)
        self._closely: dict[tuple[ast.AST, Scope], Closely] = {}

    def tests(
        self,
        nodes: Sequence[ast.stmt],
        prefix: str = "",
        excuses: int = 0,
        owner: ast.ClassDef | None = None,
        scope: Scope | None = None,
    ) -> Iterator[tuple[str, TestBody]]:
        """Yield the tests of a module, or of a class and its bases in the file (bases first)."""
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                family = list(self._never.family(node))
                inner = excuses + sum(_decorated(one) + _excused(one.body) for one in family)
                inner += self._never.of_class(node)
                seen = self._scope.inside(family)
                for one in reversed(family):
                    yield from self.tests(one.body, f"{prefix}{node.name}::", inner, node, seen)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
                yield f"{prefix}{node.name}", self._test(node, excuses, owner, scope or self._scope)

    def _test(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        excuses: int,
        owner: ast.ClassDef | None,
        scope: Scope,
    ) -> TestBody:
        if node not in self._checks:
            self._checks[node] = Checks(node, self._never.calm)
        if (node, scope) not in self._closely:
            self._closely[node, scope] = closely(node, scope)
        checks = self._checks[node]
        own = _decorated(node) + checks.skips + self._never.of_test(node, owner)
        return TestBody(
            checks=sum(1 for one in checks.strengths if one > 0),
            excuses=self._around + excuses + own,
            strengths=checks.strengths,
            rows=tuple(_rows(node)),
            unsure=self._never.is_unsure(node, owner),
            forgiven=any(map(_forgives, node.decorator_list)),
            closely=self._closely[node, scope],
        )


def _decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    count = 0
    for one in node.decorator_list:
        name = ast.unparse(one.func if isinstance(one, ast.Call) else one)
        count += bool(_EXCUSES.search(ast.unparse(one)) or not _PLAIN.fullmatch(name))
    return count


def _forgives(decorator: ast.expr) -> bool:
    """Return whether any failure is expected everywhere, and a success is welcome."""
    call = decorator if isinstance(decorator, ast.Call) else None
    keys = {one.arg for one in call.keywords} if call else set()
    return (
        name_of(call.func if call else decorator) == "xfail"
        and not (call and call.args)
        and keys <= {"reason"}
    )


def _excused(body: Sequence[ast.stmt]) -> int:
    """Count marks and calls that excuse every test of a module or a class."""
    found = 0
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(name_of(target) == "pytestmark" for target in targets):
                found += bool(_EXCUSES.search(ast.unparse(node.value)))
        elif isinstance(node, ast.Expr | ast.If):
            calls = [one for one in walk(node) if isinstance(one, ast.Call)]
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
