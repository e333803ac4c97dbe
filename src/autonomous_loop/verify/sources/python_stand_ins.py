"""What a Python test puts in place of the code it then checks.

Only what is certain by reading: a name of a module is replaced, and the same test calls it by that module.
Replacing what the code under test uses is honest, and calling a mock to look at its calls is too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from autonomous_loop.verify.sources.python_checks import name_of

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_SETUPS = frozenset({"setUp", "setUpClass", "setup_method", "setup_class", "setup_function", "setup_module"})


def stand_ins(source: bytes, inner: str, conftests: Iterable[bytes] = ()) -> list[str]:
    """`module.name`s that a test calls after it, a fixture or a conftest of the candidate replaced them.

    Args:
        inner: `Class::name` of the test.
        conftests: of the candidate, new or changed.
    """
    try:
        tree = ast.parse(source)
        around = [ast.parse(one) for one in conftests]
    except (SyntaxError, ValueError, RecursionError):
        return []
    test = _test(tree, inner.split("::"))
    if test is None:
        return []
    modules = _modules(tree)
    replaced = set(_replaced(test, modules))
    for one in [tree, *around]:
        for node in ast.walk(one):
            if isinstance(node, _FUNCTION) and _is_setup(node):
                replaced |= set(_replaced(node, _modules(one)))
    return sorted(replaced & set(_called(test, modules)))


def _test(tree: ast.Module, names: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    body: list[ast.stmt] = tree.body
    for name in names[:-1]:
        found = next((one for one in body if isinstance(one, ast.ClassDef) and one.name == name), None)
        body = found.body if found else []
    return next((one for one in body if isinstance(one, _FUNCTION) and one.name == names[-1]), None)


def _is_setup(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return node.name in _SETUPS or any(name_of(one) == "fixture" for one in decorators)


def _modules(tree: ast.AST) -> dict[str, str]:
    """Names that imports bind, and the last part of what they stand for."""
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for one in node.names:
                last = one.name.rpartition(".")[2]
                bound[one.asname or last] = last
    return bound


def _replaced(node: ast.AST, modules: dict[str, str]) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            yield from _replaced_by(one, modules)
        elif isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store):
            base = name_of(one.value)
            if base in modules:
                yield f"{modules[base]}.{one.attr}"


def _replaced_by(call: ast.Call, modules: dict[str, str]) -> Iterator[str]:
    """`monkeypatch.setattr(...)`, `setattr(...)`, `patch(...)`, `patch.object(...)`."""
    named, args = ast.unparse(call.func), call.args
    if not named.endswith(("setattr", "patch", "patch.object")) or not args:
        return
    if any(one.arg == "wraps" for one in call.keywords):
        return  # a spy: what it wraps still runs
    first = args[0].value if isinstance(args[0], ast.Constant) else None
    if isinstance(first, str) and not named.endswith("patch.object"):
        yield ".".join(first.split(".")[-2:])
    elif len(args) > 1 and isinstance(args[1], ast.Constant):
        base = name_of(args[0])
        yield f"{modules.get(base, base)}.{args[1].value!s}"


def _called(test: ast.FunctionDef | ast.AsyncFunctionDef, modules: dict[str, str]) -> Iterator[str]:
    own = {
        one.asname or one.name: f"{(node.module or '').rpartition('.')[2]}.{one.name}"
        for node in ast.walk(test)
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }
    for node in ast.walk(test):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and name_of(node.func.value) in modules:
            yield f"{modules[name_of(node.func.value)]}.{node.func.attr}"
        elif isinstance(node.func, ast.Name) and node.func.id in own:
            yield own[node.func.id]
