"""Finds what decides about tests in a Python file: hooks, selecting names, ways to reach the runner.

It reads only the source. Code that is hidden well enough is not found (docs/proof-limits.md). An honest
change needs nothing of what is found here.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from autonomous_loop.verify.syntax.python_nodes import FUNCTIONS, Nodes

# Hooks through which Python code decides a test's outcome or whether the run continues.
OUTCOME_HOOKS = re.compile(
    r"pytest_(?:runtest_\w+|runtestloop|pyfunc_call|report_teststatus|exception_interact|sessionfinish"
    r"|cmdline_\w+|unconfigure|fixture_setup|keyboard_interrupt|internalerror|load_initial_conftests)"
)
SELECTION_HOOKS = re.compile(
    r"pytest_(?:ignore_collect|collection\w*|collect_\w+|itemcollected|deselected|pycollect_\w+"
    r"|make_collect_report|make_parametrize_id)"
)
SELECTION_NAMES = frozenset({"collect_ignore", "collect_ignore_glob", "pytest_plugins"})
# Parts of a test as the runner holds it. If they are replaced, it is another test.
_NODES = frozenset({"node", "item", "pyfuncitem", "function_item"})
_PARTS = frozenset({"obj", "_obj", "runtest", "_nodeid", "nodeid", "callspec"})
# Fixtures and types that tests import from the runner's private modules, because there is no public name.
_HARMLESS = frozenset({
    "MonkeyPatch", "LogCaptureFixture", "CaptureFixture", "FixtureRequest", "SubRequest", "TempPathFactory",
    "TempdirFactory", "Pytester", "Testdir", "WarningsRecorder", "MarkDecorator", "Mark", "ExceptionInfo",
    "Config", "Parser", "Metafunc", "ParameterSet", "RaisesContext", "approx", "LEGACY_PATH",
})  # fmt: skip
_HIDING = frozenset({"exec", "eval", "globals", "vars", "locals", "__import__"})


# Names in a statement's text that may be a hook or may select tests.
_DECIDING = re.compile(r"pytest_\w+|collect_ignore(?:_glob)?")


@dataclass(frozen=True, slots=True)
class Control:
    """Something in a file that decides about tests: its name, its content in brief, and how grave it is."""

    name: str
    content: str
    outcome: bool


def controls(tree: ast.Module, nodes: Nodes, *, conftest: bool = False) -> tuple[Control, ...]:
    """Return all of them, each once.

    Args:
        nodes: the tree's nodes.
        conftest: whether the file is a conftest, where a name that its source does not show may be a hook.
    """
    found = [*_hooks(nodes), *_reached(nodes)]
    if conftest:
        found += _hidden(tree, nodes)
    return tuple(dict.fromkeys(found))


def _hooks(nodes: Nodes) -> Iterator[Control]:
    assigned = _Assigned(nodes)
    for function in nodes.functions:
        yield from _named(function.name, partial(_content, [function]))
        yield from _specified(function)
    for name in dict.fromkeys(one.id for one in nodes.of(ast.Name) if isinstance(one.ctx, ast.Store)):
        yield from _named(name, partial(assigned.content, name))
        if name in SELECTION_NAMES:
            yield Control(name, assigned.content(name), outcome=False)
    for node in nodes.imports:
        for one in node.names:
            yield from _named(one.asname or one.name, partial(_imported, node, one.name))


def _named(name: str, content: Callable[[], str]) -> Iterator[Control]:
    """Yield a control if the name is a hook's; compute the content only then, since most names are not."""
    if OUTCOME_HOOKS.fullmatch(name):
        yield Control(name, content(), outcome=True)
    elif SELECTION_HOOKS.fullmatch(name):
        yield Control(name, content(), outcome=False)


def _specified(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Control]:
    """Find `@hookimpl(specname=...)`, which makes a function with any name a hook."""
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and _last(one.func).endswith("hookimpl"):
            named = any(key.arg in {"specname", None} for key in one.keywords)
            if named:
                yield Control(f"specname of {node.name}", _content([node]), outcome=True)


def _reached(nodes: Nodes) -> Iterator[Control]:
    """Find ways to reach the runner itself."""
    for node in nodes.of(ast.Attribute):
        if node.attr == "pluginmanager":
            yield Control("a use of config.pluginmanager", "", outcome=True)
        elif node.attr in _PARTS and isinstance(node.ctx, ast.Store) and _last(node.value) in _NODES:
            yield Control(f"an assignment to {ast.unparse(node)}", _content([node]), outcome=True)
    for imported in nodes.imports:
        for name in _private(imported):
            yield Control(f"an import of {name}", "", outcome=True)
    named = {
        *(one.arg for one in nodes.of(ast.arg)),
        *(one.arg for one in nodes.of(ast.keyword)),
        *(one.id for one in nodes.of(ast.Name)),
    }
    if "record_xml_attribute" in named:
        yield Control("a use of record_xml_attribute", "", outcome=True)


def _private(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return what an import takes from the runner's private modules."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names if one.name.partition(".")[0] == "_pytest"]
    if (node.module or "").partition(".")[0] != "_pytest":
        return []
    return [f"{node.module}.{one.name}" for one in node.names if one.name not in _HARMLESS]


def _hidden(tree: ast.Module, nodes: Nodes) -> Iterator[Control]:
    """Find names of a conftest that its source does not show."""
    for call in nodes.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in _HIDING:
            yield Control(f"a call of {call.func.id}", _content([call]), outcome=True)
    for node in nodes.of(ast.ImportFrom):
        if any(one.name == "*" for one in node.names):
            yield Control(f"from {'.' * node.level}{node.module or ''} import *", "", outcome=True)
    for stated in tree.body:
        if isinstance(stated, FUNCTIONS) and stated.name in {"__getattr__", "__dir__"}:
            yield Control(stated.name, _content([stated]), outcome=True)


class _Assigned:
    """The values assigned to names, found in one pass over the assigning statements."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._known: dict[str, str] = {}

    def content(self, name: str) -> str:
        """Return everything that is assigned to a name, as comparable text."""
        if name not in self._known:
            self._known[name] = _content(self._statements.get(name, ()))
        return self._known[name]

    @cached_property
    def _statements(self) -> dict[str, list[ast.stmt]]:
        found = defaultdict[str, list[ast.stmt]](list)
        for node in self._nodes.of(ast.Assign, ast.AugAssign, ast.AnnAssign):
            for name in set(_DECIDING.findall(ast.unparse(node))):
                found[name].append(node)
        return found


def _content(nodes: Iterable[ast.AST]) -> str:
    """Return nodes as comparable text; it is short, because it is kept and passed between processes."""
    digest = hashlib.sha256()
    for node in nodes:
        digest.update(ast.dump(node).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def _imported(node: ast.Import | ast.ImportFrom, name: str) -> str:
    """Return where a name comes from; what else the import takes does not matter."""
    return f"{'.' * getattr(node, 'level', 0)}{getattr(node, 'module', '') or ''}:{name}"


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
