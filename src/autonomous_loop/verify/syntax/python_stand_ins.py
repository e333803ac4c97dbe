"""Finds what a Python test replaces although it then checks it.

It reports only what is certain from the source: a name of a module is replaced, and the same test calls it
through that module. A replacement of something that the code under test uses is honest. So is a call of a
mock to look at its calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autonomous_loop.verify.syntax.python_checks import name_of
from autonomous_loop.verify.syntax.python_nodes import FUNCTIONS, Nodes

_SETUPS = frozenset({"setUp", "setUpClass", "setup_method", "setup_class", "setup_function", "setup_module"})


@dataclass(frozen=True, slots=True)
class StandIns:
    """The names that a file's functions replace and call.

    Attributes:
        around: each `module.name` that its fixtures and setups replace, for any test.
        tests: what each function or method, by `Class::name`, replaces and calls.
    """

    around: frozenset[str] = frozenset()
    tests: Mapping[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)

    def of(self, inner: str, conftests: Iterable[StandIns] = ()) -> list[str]:
        """Return each `module.name` that a test calls although it, a fixture or a conftest replaced it.

        Args:
            inner: the test's `Class::name`.
            conftests: the candidate's new or changed ones.
        """
        replaced, called = self.tests.get(inner, (frozenset(), frozenset()))
        everywhere = self.around.union(*(one.around for one in conftests))
        return sorted((replaced | everywhere) & called)


def stand_ins(tree: ast.Module, nodes: Nodes) -> StandIns:
    """Return all of a file's.

    Args:
        nodes: the tree's nodes.
    """
    modules = _modules(nodes)
    setups = filter(_is_setup, nodes.functions)
    around = {name for node in setups for name in _replaced(Nodes(node), modules)}
    tests: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for inner, node in _functions(tree.body, ""):
        if inner not in tests:  # if two have the same name, the first counts
            own = Nodes(node)
            tests[inner] = (frozenset(_replaced(own, modules)), frozenset(_called(own, modules)))
    return StandIns(frozenset(around), tests)


def _functions(
    body: Sequence[ast.stmt], prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, FUNCTIONS):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}::")


def _is_setup(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return node.name in _SETUPS or any(name_of(one) == "fixture" for one in decorators)


def _modules(nodes: Nodes) -> dict[str, str]:
    """Return names that imports bind, with the last part of what they stand for."""
    bound: dict[str, str] = {}
    for node in nodes.imports:
        for one in node.names:
            last = one.name.rpartition(".")[2]
            bound[one.asname or last] = last
    return bound


def _replaced(nodes: Nodes, modules: dict[str, str]) -> Iterator[str]:
    for call in nodes.of(ast.Call):
        yield from _replaced_by(call, modules)
    for one in nodes.of(ast.Attribute):
        if isinstance(one.ctx, ast.Store) and (base := name_of(one.value)) in modules:
            yield f"{modules[base]}.{one.attr}"


def _replaced_by(call: ast.Call, modules: dict[str, str]) -> Iterator[str]:
    """Yield what `monkeypatch.setattr(...)`, `setattr(...)`, `patch(...)`, `patch.object(...)` replace."""
    last, args = name_of(call.func), call.args
    of_object = last == "object" and name_of(getattr(call.func, "value", call.func)).endswith("patch")
    if not (of_object or last.endswith(("setattr", "patch"))) or not args:
        return
    if any(one.arg == "wraps" for one in call.keywords):
        return  # a spy: the wrapped code still runs
    first = args[0].value if isinstance(args[0], ast.Constant) else None
    if isinstance(first, str) and not of_object:
        yield ".".join(first.split(".")[-2:])
    elif len(args) > 1 and isinstance(args[1], ast.Constant):
        base = name_of(args[0])
        yield f"{modules.get(base, base)}.{args[1].value!s}"


def _called(nodes: Nodes, modules: dict[str, str]) -> Iterator[str]:
    own = {
        one.asname or one.name: f"{(node.module or '').rpartition('.')[2]}.{one.name}"
        for node in nodes.of(ast.ImportFrom)
        for one in node.names
    }
    for call in nodes.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and name_of(call.func.value) in modules:
            yield f"{modules[name_of(call.func.value)]}.{call.func.attr}"
        elif isinstance(call.func, ast.Name) and call.func.id in own:
            yield own[call.func.id]
