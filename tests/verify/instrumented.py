"""The verifier with a switch at each of its checks: what may refuse can be taken out, one by one, as it runs.

A check is a statement of `autonomous_loop.verify` that refuses: a `Reason` that is raised, yielded, returned,
appended or listed; a `raise Refused(...)`; a call of a function that does one of these. Checks are found in
the source, never listed by hand, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

PACKAGE = "autonomous_loop.verify"
_SWITCH = "_check_is_gone"


@dataclass
class Checks:
    """Every check, and which of them are gone.

    Attributes:
        lines: of each check, by its id: `module.function:code`, or `module.function>callee` for a call.
        gone: what is taken out now.
        asked: those the verifier came to, in order: about to refuse (or to call what may).
    """

    lines: dict[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def is_gone(self, check: str) -> bool:
        """Asked by the instrumented code."""
        self.asked.append(check)
        return check in self.gone


def install() -> Checks:
    """From here on the verifier is imported with its switches; it must not have been imported before."""
    loaded = [name for name in sys.modules if name.startswith(PACKAGE)]
    assert not loaded, loaded
    folder = importlib.util.find_spec("autonomous_loop").submodule_search_locations[0]
    sources = {path: path.read_text() for path in sorted(Path(folder, "verify").rglob("*.py"))}
    trees = {path: ast.parse(text) for path, text in sources.items()}
    refusing, reasons = _Refusing(trees.values()), _reason_makers(trees.values())
    checks = Checks()
    for path, tree in trees.items():
        module = path.stem if path.stem != "__init__" else path.parent.name
        _Switches(module, path, checks, refusing, reasons).visit(tree)
        ast.fix_missing_locations(tree)
    sys.meta_path.insert(0, _Finder({str(path): tree for path, tree in trees.items()}, checks))
    return checks


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, trees: dict[str, ast.Module], checks: Checks) -> None:
        self._trees = trees
        self._checks = checks

    def find_spec(self, name, path, target=None):
        if not name.startswith(f"{PACKAGE}."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin in self._trees:
            spec.loader = _Loader(name, spec.origin, self._trees[spec.origin], self._checks)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, tree: ast.Module, checks: Checks) -> None:
        super().__init__(name, path)
        self._tree = tree
        self._checks = checks

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__[_SWITCH] = self._checks.is_gone
        exec(compile(self._tree, self.path, "exec"), module.__dict__)


class _Switches(ast.NodeTransformer):
    """Puts `if gone: pass, else: the statement` in place of each statement that refuses."""

    def __init__(self, module, path, checks, refusing, reasons) -> None:
        self._module = module
        self._path = path
        self._checks = checks
        self._refusing = refusing
        self._makers = reasons
        self._class = ""
        self._function = ""
        self._seen: Counter[str] = Counter()

    def visit_ClassDef(self, node):
        outer, self._class = self._class, node.name
        made = self.generic_visit(node)
        self._class = outer
        return made

    def visit_FunctionDef(self, node):
        outer, self._function = self._function, node.name
        # A function that only makes a reason is judged where it is called.
        made = node if node.name in self._makers else self.generic_visit(node)
        self._function = outer
        return made

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's name

    def visit_Raise(self, node):
        if isinstance(node.exc, ast.Call) and _name(node.exc.func) == "Refused":
            return self._switched(node, self._code(node) or "raise")
        return node

    def visit_Return(self, node):
        value = node.value
        if isinstance(value, ast.Tuple) and value.elts and self._refuses(value.elts[0]):
            return self._switched(node, self._code(node))  # `return Verdict(accepted=False, ...), {}`
        if self._is_reason(value) or self._refuses(value) or self._only_reasons(value):
            return self._switched(node, self._code(node))
        return self.generic_visit(node)

    def visit_Expr(self, node):
        value = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(value, ast.Yield) and self._is_reason(value.value):
            return self._switched(node, self._code(node))
        if isinstance(value, ast.YieldFrom) and self._gives_reasons(value.value):
            return self._switched(node, _name(value.value.func), mark=">")
        if isinstance(value, ast.Call):
            if _name(value.func) in {"append", "insert"} and any(map(self._is_reason, value.args)):
                return self._switched(node, self._code(node))
            if self._refusing.calls(value, self._class):
                return self._switched(node, _name(value.func), mark=">")
        return self.generic_visit(node)

    def visit_AugAssign(self, node):
        if self._gives_reasons(node.value):
            return self._switched(node, _name(node.value.func), mark=">")
        return self.generic_visit(node)

    def visit_Await(self, node):
        return self._or_nothing(node, node.value)

    def visit_Call(self, node):
        return self._or_nothing(node, node)

    def _or_nothing(self, node, call):
        """What may refuse and gives a tuple otherwise: an empty one in its place."""
        if not self._refusing.gives_tuple(call, self._class):
            return self.generic_visit(node)
        check = self._new(node, _name(call.func), ">")
        return ast.IfExp(_asked(check), ast.Tuple([], ast.Load()), node)

    def visit_List(self, node):
        return self._without_reasons(node)

    def visit_Tuple(self, node):
        return self._without_reasons(node)

    def _without_reasons(self, node):
        rest = [one for one in node.elts if not self._is_reason(one)]
        if len(rest) == len(node.elts):
            return self.generic_visit(node)
        check = self._new(node, self._code(node), ":")
        return ast.IfExp(_asked(check), type(node)(rest, ast.Load()), node)

    def _switched(self, node, what, mark=":"):
        check = self._new(node, what, mark)
        return ast.If(_asked(check), [ast.Pass()], [node])

    def _new(self, node, what, mark) -> str:
        name = f"{self._module}.{self._function}{mark}{what}"
        self._seen[name] += 1
        check = name if self._seen[name] == 1 else f"{name}#{self._seen[name]}"
        self._checks.lines[check] = f"{self._path.name}:{node.lineno}"
        return check

    def _is_reason(self, node) -> bool:
        return isinstance(node, ast.Call) and (
            _name(node.func) == "Reason" or _name(node.func) in self._makers
        )

    def _only_reasons(self, node) -> bool:
        return (
            isinstance(node, ast.List | ast.Tuple)
            and bool(node.elts)
            and all(map(self._is_reason, node.elts))
        )

    def _refuses(self, node) -> bool:
        """`Verdict(..., reasons=(Reason(...),))`: one that merely passes reasons on is no check."""
        if not (isinstance(node, ast.Call) and _name(node.func) == "Verdict"):
            return False
        return any(map(self._is_reason, ast.walk(node)))

    def _gives_reasons(self, node) -> bool:
        return isinstance(node, ast.Call) and self._refusing.calls(node, self._class)

    def _code(self, node) -> str:
        for one in ast.walk(node):
            if isinstance(one, ast.Call) and _name(one.func) in self._makers:
                return self._makers[_name(one.func)]
            if isinstance(one, ast.Call) and _name(one.func) == "Reason":
                code = next((key.value for key in one.keywords if key.arg == "code"), None)
                if isinstance(code, ast.Constant):
                    return str(code.value)
                if isinstance(code, ast.IfExp):
                    return "|".join(str(ast.literal_eval(part)) for part in (code.body, code.orelse))
        return ""


def _asked(check: str) -> ast.expr:
    return ast.Call(ast.Name(_SWITCH, ast.Load()), [ast.Constant(check)], [])


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@dataclass(frozen=True)
class _Function:
    """A function and the class it stands in, "" outside of one."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    owner: str

    @property
    def returns(self) -> str:
        return ast.unparse(self.node.returns) if self.node.returns else ""


def _functions(trees: Iterable[ast.Module]) -> Iterator[_Function]:
    for tree in trees:
        for node in ast.walk(tree):
            inside = node.body if isinstance(node, ast.ClassDef | ast.Module) else ()
            owner = node.name if isinstance(node, ast.ClassDef) else ""
            for one in inside:
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield _Function(one, owner)


def _reason_makers(trees: Iterable[ast.Module]) -> dict[str, str]:
    """Functions that do nothing but make one reason (they return `Reason`, never None), and its code."""
    made = {}
    for function in _functions(trees):
        if function.returns == "Reason":
            for node in ast.walk(function.node):
                if (
                    isinstance(node, ast.keyword)
                    and node.arg == "code"
                    and isinstance(node.value, ast.Constant)
                ):
                    made[function.node.name] = str(node.value.value)
    return made


class _Refusing:
    """Functions that raise `Refused` themselves or by a plain call, or that give reasons."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        every = list(_functions(trees))
        self._found = {
            (one.owner, one.node.name) for one in every if "Reason" in one.returns and one.returns != "Reason"
        }
        grown = True
        while grown:
            more = {(one.owner, one.node.name) for one in every if self._may_refuse(one)} - self._found
            grown = bool(more)
            self._found |= more
        self._giving = {
            (one.owner, one.node.name) for one in every if one.returns.endswith(", ...]")
        } & self._found

    def calls(self, call: ast.expr, within: str) -> bool:
        """Whether a call, in a method of the class `within`, goes to one of them.

        A receiver says by its name which class it is of: `self._regression` is a `RegressionCheck`.
        """
        return bool(self._called(call, within))

    def _called(self, call: ast.expr, within: str) -> set[tuple[str, str]]:
        if not isinstance(call, ast.Call):
            return set()
        name = _name(call.func)
        if not isinstance(call.func, ast.Attribute):
            return {("", name)} & self._found
        receiver = _name(call.func.value).strip("_").lower()
        return {
            (owner, one)
            for owner, one in self._found
            if one == name and (owner == within if receiver == "self" else receiver in owner.lower())
        }

    def gives_tuple(self, call: ast.expr, within: str) -> bool:
        """Whether a call to one of them gives a tuple of any length where it does not refuse."""
        return bool(self._called(call, within) & self._giving)

    def _may_refuse(self, function: _Function) -> bool:
        for node in ast.walk(function.node):
            if (
                isinstance(node, ast.Raise)
                and isinstance(node.exc, ast.Call)
                and _name(node.exc.func) == "Refused"
            ):
                return True
            if isinstance(node, ast.Expr):
                value = node.value.value if isinstance(node.value, ast.Await) else node.value
                if self.calls(value, function.owner):
                    return True
        return False
