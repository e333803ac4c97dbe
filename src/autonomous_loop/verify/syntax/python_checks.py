"""Weighs the checks in a Python test: how much each says, and whether it is reached.

Nothing runs, so this is a reading and not a proof: it does not judge what a test compares with. It
distinguishes an assertion that was loosened, forgiven or made unreachable from one that was rewritten.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from autonomous_loop.verify.syntax.python_nodes import children, walk
from autonomous_loop.verify.syntax.python_truth import truth

EQUAL, APPROXIMATE, SOME, TRUE, NONE = 4.0, 3.0, 2.0, 1.0, 0.0
# The weight of a check that is reached only sometimes.
MAYBE = 0.5
CHECKS = re.compile(
    r"assert|raises|warns|expect|check|verify|fail|match|should|snapshot|compare|ensure", re.IGNORECASE
)
# In a helper, only these are certainly assertions; other words may mean anything.
SURE = re.compile(r"assert|raises|warns|fail|should|expect")
_EVERYTHING = frozenset({"Exception", "BaseException", "AssertionError"})
SKIPS = frozenset({"skip", "skipTest", "xfail", "importorskip", "SkipTest"})
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_TOTAL = 1e9


class Checks:
    """The checks of one test function.

    Args:
        test: the function.
        calm: context managers that swallow a failed assertion, besides the well-known ones.

    Attributes:
        strengths: the strength of each check, 0 if it is never reached or cannot fail.
        ends: the number of checks up to the end of each statement of the function.
        skips: the number of calls that end the test without a verdict.
    """

    named = CHECKS

    def __init__(
        self, test: ast.FunctionDef | ast.AsyncFunctionDef, calm: Collection[str] = frozenset()
    ) -> None:
        self._used = Counter(
            one.id for one in walk(test) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
        )
        self._calm = calm
        self._found: list[float] = []
        self._named: dict[int, bool] = {}
        self.skips = 0
        self._body, self.ends = test.body, list[int]()
        self._block(test.body, EQUAL)
        self.strengths = tuple(self._found)

    def _block(self, body: Sequence[ast.stmt], most: float) -> None:
        """Walk consecutive statements; `most` is the highest value of a check in them."""
        for node in body:
            self._statement(node, most)
            if body is self._body:
                self.ends.append(len(self._found))
            if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break) or _skips(node):
                most = NONE
            elif _may_leave(node):
                most = min(most, MAYBE)

    def _statement(self, node: ast.stmt, most: float) -> None:
        if isinstance(node, ast.Assert) or _is_failure(node):
            # A raised AssertionError is as good as `fail()`.
            self._add(strengths(node.test) if isinstance(node, ast.Assert) else [SOME], most)
        elif isinstance(node, ast.If):
            self._if(node, most)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            over = node.test if isinstance(node, ast.While) else node.iter
            self._block(node.body, NONE if _is_nothing(over) else most)
            self._block(node.orelse, most)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self._with(node, most)
        elif isinstance(node, ast.Try | ast.TryStar):
            self._try(node, most)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                self._block(case.body, min(most, MAYBE))
        elif isinstance(node, (*_FUNCTION, ast.ClassDef)):
            inside = sum(isinstance(one, ast.Name) and one.id == node.name for one in walk(node))
            self._block(node.body, most if self._used[node.name] > inside else NONE)
        elif _is_kept(node) and not any(self._used[name_of(one)] for one in getattr(node, "targets", ())):
            self._calls(node, NONE)
        else:
            self._calls(node, most)

    def _if(self, node: ast.If, most: float) -> None:
        self._calls(node.test, most)
        known = truth(node.test)
        inner = min(most, MAYBE)
        # `if wrong: fail()` is as good as an assertion.
        sure = known or (known is None and _only_fails(node.body))
        self._block(node.body, most if sure else NONE if known is False else inner)
        self._block(node.orelse, NONE if known else most if known is False else inner)

    def _with(self, node: ast.With | ast.AsyncWith, most: float) -> None:
        inner = most
        for item in node.items:
            call = item.context_expr
            named = name_of(call.func) if isinstance(call, ast.Call) else ""
            broad = named in {"raises", "assertRaises"} and _is_broad(call)
            inner = NONE if broad or named == "suppress" or named in self._calm else inner
            self._calls(call, most)
        self._block(node.body, inner)

    def _try(self, node: ast.Try | ast.TryStar, most: float) -> None:
        forgiven = any(map(forgives, node.handlers)) or any(map(_swallows, node.finalbody))
        self._block(node.body, NONE if forgiven else most)
        for handler in node.handlers:
            self._block(handler.body, min(most, MAYBE))
        self._block(node.orelse, most)
        self._block(node.finalbody, most)

    def _calls(self, node: ast.AST, most: float) -> None:
        """Walk the calls of an expression; the second part of `a and b` is reached only sometimes."""
        if isinstance(node, ast.Call):
            self._call(node, most)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                self._calls(part, most)
                known = truth(part)
                ends = known is not None and known is isinstance(node.op, ast.Or)
                most = NONE if ends else min(most, MAYBE) if known is None else most
            return
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            most = NONE if any(_is_nothing(one.iter) for one in node.generators) else most
        for one in children(node):
            self._calls(one, most)

    def _call(self, node: ast.Call, most: float) -> None:
        self.skips += name_of(node.func) in SKIPS
        if self._names_check(node.func):
            self._add(of_call(node), most)

    def _names_check(self, node: ast.AST) -> bool:
        """Return whether anything in an expression is named like a check; look at each part once."""
        key = id(node)
        if key not in self._named:
            self._named[key] = any(map(self.named.search, _words(node))) or any(
                map(self._names_check, children(node))
            )
        return self._named[key]

    def _add(self, found: Sequence[float], most: float) -> None:
        self._found += [min(one, most) for one in found]


def _words(node: ast.AST) -> Iterator[str]:
    """Yield the names and texts in the node itself."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, str):
            yield value
        elif isinstance(value, bytes):
            yield value.decode("latin-1")


def strengths(test: ast.expr) -> list[float]:
    """Return how much an asserted expression says, one number for each of its parts."""
    if isinstance(test, ast.BoolOp):
        if isinstance(test.op, ast.And):
            return [strength for part in test.values for strength in strengths(part)]
        sure = any(isinstance(part, ast.Constant) and part.value for part in test.values)
        return [NONE if sure else TRUE]
    if isinstance(test, ast.Constant):
        return [SOME if not test.value else NONE]  # `assert False` is a failure, `assert True` nothing
    if isinstance(test, ast.Compare):
        return list(_compared(test))
    if isinstance(test, ast.Call):
        return of_call(test) if CHECKS.search(name_of(test.func)) else _of_function(test)
    return [NONE if isinstance(test, ast.Tuple) and test.elts else TRUE]  # one that holds something is true


def _compared(test: ast.Compare) -> Iterator[float]:
    sides = [test.left, *test.comparators]
    for left, operator, right in zip(sides, test.ops, sides[1:], strict=False):
        if ast.dump(left) == ast.dump(right) or (is_constant(left) and is_constant(right)):
            yield NONE
        elif isinstance(operator, ast.Eq | ast.Is):
            parts = 1
            if isinstance(left, ast.Tuple | ast.List) and isinstance(right, ast.Tuple | ast.List):
                parts = max(1, min(len(left.elts), len(right.elts)))
            yield from [min(_approximately(left), _approximately(right))] * parts
        elif isinstance(operator, ast.IsNot) and is_constant(right):
            yield TRUE
        else:
            yield SOME


def _approximately(side: ast.expr) -> float:
    """Weigh an approximate equality: the wider the tolerance, the less it says."""
    call = next(
        (one for one in walk(side) if isinstance(one, ast.Call) and name_of(one.func) == "approx"), None
    )
    return EQUAL if call is None else _tolerant(call)


def _tolerant(call: ast.Call) -> float:
    if not call.keywords and len(call.args) < 2:
        return APPROXIMATE
    widest = 0.0
    for value in [*call.args[1:], *(one.value for one in call.keywords)]:
        found = value.value if isinstance(value, ast.Constant) else _TOTAL
        widest = max(widest, float(found) if isinstance(found, int | float) else 0.0)
    return SOME + 0.9 / (1 + widest)


def _of_function(call: ast.Call) -> list[float]:
    name = name_of(call.func)
    inner = call.args[0] if call.args else None
    if name == "all" and isinstance(inner, ast.GeneratorExp | ast.ListComp):
        return strengths(inner.elt)
    return [SOME + 0.9 / 2 if name in {"isclose", "allclose"} else TRUE]


def of_call(call: ast.Call) -> list[float]:
    """Weigh `self.assertEqual(a, b)`, `pytest.raises(E)`, `mock.assert_called_with(...)`, `check(...)`."""
    name, args = name_of(call.func), call.args
    if name in {"assertTrue", "assert_", "assertFalse"} and args:
        return strengths(args[0])
    if name in {"raises", "warns"} or name.startswith(("assertRaises", "assertWarns")):
        told = any(one.arg == "match" for one in call.keywords) or name.endswith("Regex")
        return [APPROXIMATE if told else TRUE if _is_broad(call) else SOME]
    if re.fullmatch(r"assert(?:(?!Not|Almost)\w)*Equals?|assertIs|assertIsNone|assert\w*_with", name):
        if len(args) > 1 and (ast.dump(args[0]) == ast.dump(args[1]) or all(map(is_constant, args[:2]))):
            return [NONE]
        return [EQUAL]
    if name in {"assertAlmostEqual", "assert_allclose"}:
        return [SOME + 0.9 / 2]
    return [TRUE if name in {"assertIsNotNone", "assertIsInstance", "assert_called"} else SOME]


def _is_broad(call: ast.expr) -> bool:
    """Return whether this is like `raises(Exception)`: a failed assertion is an Exception too."""
    args = call.args[:1] if isinstance(call, ast.Call) else []
    return not args or any(name_of(one) in _EVERYTHING for arg in args for one in walk(arg))


def forgives(handler: ast.ExceptHandler) -> bool:
    """Whether a failed assertion ends in an `except`."""
    caught = handler.type is None or any(name_of(one) in _EVERYTHING for one in walk(handler.type))
    again = any(
        isinstance(one, ast.Raise) or (isinstance(one, ast.Call) and "fail" in name_of(one.func))
        for node in handler.body
        for one in walk(node)
    )
    return caught and not again


def _only_fails(body: Sequence[ast.stmt]) -> bool:
    return all(_is_failure(node) or "fail" in _called(node) for node in body)


def _called(node: ast.stmt) -> str:
    """Return the name of the function if a statement only calls it."""
    call = node.value if isinstance(node, ast.Expr) else None
    return name_of(call.func) if isinstance(call, ast.Call) else ""


def _is_failure(node: ast.stmt) -> bool:
    """Return whether this is `raise AssertionError(...)`."""
    raised = node.exc if isinstance(node, ast.Raise) else None
    return name_of(raised.func if isinstance(raised, ast.Call) else raised or ast.Pass()) == "AssertionError"


def _skips(node: ast.stmt) -> bool:
    return _called(node) in SKIPS


def _is_kept(node: ast.stmt) -> bool:
    """Return whether a function or generator is made here and not run."""
    value = node.value if isinstance(node, ast.Assign | ast.Expr) else None
    return isinstance(value, ast.Lambda | ast.GeneratorExp)


def _swallows(node: ast.stmt) -> bool:
    """A way out of `finally`: what failed before it is forgotten."""
    return any(isinstance(one, ast.Return | ast.Break | ast.Continue) for one in walk(node))


def _may_leave(node: ast.stmt) -> bool:
    """Return whether the test may end within this statement without a failure."""
    if isinstance(node, (*_FUNCTION, ast.ClassDef)):
        return False
    return any(
        isinstance(one, ast.Return) or (isinstance(one, ast.stmt) and _skips(one)) for one in walk(node)
    )


def _is_nothing(over: ast.expr) -> bool:
    if isinstance(over, ast.List | ast.Tuple | ast.Set):
        return not over.elts
    if isinstance(over, ast.Dict):
        return not over.keys
    if isinstance(over, ast.Call) and name_of(over.func) == "range":
        return all(isinstance(one, ast.Constant) and not one.value for one in over.args)
    return isinstance(over, ast.Constant) and not over.value


def is_constant(node: ast.expr) -> bool:
    """Return whether it is a literal, or holds only literals."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(map(is_constant, node.elts))
    return isinstance(node, ast.Constant)


def name_of(node: ast.AST) -> str:
    """Return the last part of a dotted name; "" for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
