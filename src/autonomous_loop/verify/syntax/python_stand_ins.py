"""What a Python test puts in place of the code it then checks.

Only what is certain by reading: a name of a module is replaced, and the same test calls it by that module.
Replacing what the code under test uses is honest, and calling a mock to look at its calls is too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autonomous_loop.verify.syntax.python_checks import name_of

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_SETUPS = frozenset({"setUp", "setUpClass", "setup_method", "setup_class", "setup_function", "setup_module"})


@dataclass(frozen=True, slots=True)
class StandIns:
    """What a file's functions put in place of something, and what they call.

    Attributes:
        around: `module.name`s that its fixtures and setups replace, for whichever test.
        tests: what each function of its own or of a class, by `Class::name`, replaces and calls.
    """

    around: frozenset[str] = frozenset()
    tests: Mapping[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)

    def of(self, inner: str, conftests: Iterable[StandIns] = ()) -> list[str]:
        """`module.name`s that a test calls after it, a fixture or a conftest of the candidate replaced them.

        Args:
            inner: `Class::name` of the test.
            conftests: of the candidate, new or changed.
        """
        replaced, called = self.tests.get(inner, (frozenset(), frozenset()))
        everywhere = self.around.union(*(one.around for one in conftests))
        return sorted((replaced | everywhere) & called)


def stand_ins(tree: ast.Module) -> StandIns:
    """All of a file's."""
    modules = _modules(tree)
    setups = (node for node in ast.walk(tree) if isinstance(node, _FUNCTION) and _is_setup(node))
    around = {name for node in setups for name in _replaced(node, modules)}
    tests: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for inner, node in _functions(tree.body, ""):
        if inner not in tests:  # of two by one name the first is meant
            tests[inner] = (frozenset(_replaced(node, modules)), frozenset(_called(node, modules)))
    return StandIns(frozenset(around), tests)


def _functions(
    body: Sequence[ast.stmt], prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, _FUNCTION):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}::")


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
    last, args = name_of(call.func), call.args
    of_object = last == "object" and name_of(getattr(call.func, "value", call.func)).endswith("patch")
    if not (of_object or last.endswith(("setattr", "patch"))) or not args:
        return
    if any(one.arg == "wraps" for one in call.keywords):
        return  # a spy: what it wraps still runs
    first = args[0].value if isinstance(args[0], ast.Constant) else None
    if isinstance(first, str) and not of_object:
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
