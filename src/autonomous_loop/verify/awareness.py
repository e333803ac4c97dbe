"""Source that looks whether it is being tested: it could behave for its tests alone.

Refused, not only pointed out: it undoes what a proof rests on, and an honest feature has another way (a
setting, an argument). Only what is plain to see is found: a name of a runner's own in the environment; a
function that looks for a runner among what is loaded, or for a test among its callers; a comparison of the
command line with either. A person may let it through by the `runner-keys` input.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence

_ENVIRONMENT = re.compile(
    r"PYTEST_(?:CURRENT_TEST|VERSION|XDIST_\w+)|JEST_WORKER_ID|VITEST(?:_\w+)?|TOX_ENV_NAME"
)
_RUNNERS = re.compile(r"(?<![a-z])(?:_?pytest|py\.test|unittest|conftest)(?![a-z])", re.IGNORECASE)
_TESTS = re.compile(r"(?<![a-z])tests?(?![a-z])", re.IGNORECASE)
_LOADED = frozenset({"sys.modules"})
_CALLERS = frozenset({
    "sys._getframe", "sys._current_frames", "inspect.stack", "inspect.currentframe",
    "traceback.extract_stack", "traceback.walk_stack",
})  # fmt: skip
_CALLED_AS = frozenset({"sys.argv", "sys.orig_argv"})
_ASKING = frozenset({"any", "startswith", "endswith", "search", "match", "find", "count"})
_SCOPE = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_JAVASCRIPT = re.compile(
    r"process\.env\.(?:JEST_WORKER_ID|VITEST\w*)|process\.env\[['\"](?:JEST_WORKER_ID|VITEST\w*)['\"]\]"
    r"|import\.meta\.env\.VITEST|import\.meta\.vitest|typeof\s+jest\b"
)


def awareness(path: str, source: bytes | None, called: Collection[str] = ("test",)) -> tuple[str, ...]:
    """How a source that is no test looks for its tests, sorted; empty where it cannot be read.

    Args:
        called: words that may stand on the command line of a run of tests; a program's own command `test`
            is none of them where no folder, and no word of the test command, is called so.
    """
    if path.endswith(".py"):
        try:
            return tuple(sorted(set(_python(ast.parse(source or b""), called))))
        except (SyntaxError, ValueError, RecursionError):
            return ()
    if re.search(r"\.[cm]?[jt]sx?$", path):
        return tuple(sorted(set(_JAVASCRIPT.findall((source or b"").decode("utf-8", "replace")))))
    return ()


def _python(tree: ast.Module, called: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from (one for one in _texts([node]) if _ENVIRONMENT.fullmatch(one))
        if _is_command(node, called):
            continue
        if isinstance(node, ast.Compare | ast.GeneratorExp | ast.ListComp | ast.SetComp) or _asks(node):
            inside = list(ast.walk(node))
            if any(_RUNNERS.search(one) or _TESTS.search(one) for one in _texts(inside)):
                yield from _looks(inside, _CALLED_AS)
    for scope in [tree, *(one for one in ast.walk(tree) if isinstance(one, _SCOPE))]:
        own = list(_own(scope))
        texts = _texts(own)
        if any(map(_RUNNERS.search, texts)):
            yield from _looks(own, _LOADED | _CALLERS)
        if any(map(_TESTS.search, texts)):
            yield from _looks(own, _CALLERS)


def _is_command(node: ast.AST, called: Collection[str]) -> bool:
    """`sys.argv[1] == "test"`: a command of the program's own, where no run of tests is called so."""
    if not (isinstance(node, ast.Compare) and isinstance(node.left, ast.Subscript)):
        return False
    which, texts = node.left.slice, _texts(list(ast.walk(node)))
    later = isinstance(which, ast.Constant) and isinstance(which.value, int) and which.value > 0
    whole = all(isinstance(one, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for one in node.ops) and all(
        isinstance(one, ast.Constant | ast.Tuple | ast.Set | ast.List) for one in node.comparators
    )
    plain = all(re.fullmatch(r"[a-z]+", one) and not _RUNNERS.search(one) for one in texts)
    return later and whole and plain and not set(texts) & set(called)


def _asks(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _ASKING


def _looks(nodes: Sequence[ast.AST], wanted: Collection[str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node) in wanted:
            yield ast.unparse(node)


def _texts(nodes: Sequence[ast.AST]) -> list[str]:
    return [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a scope itself: without its docstring and the functions in it."""
    body = getattr(scope, "body", [])
    stated = body if isinstance(body, list) else [body]
    left: list[ast.AST] = [
        one
        for one in stated
        if not isinstance(one, _SCOPE)
        and not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    while left:
        node = left.pop()
        yield node
        left += [one for one in ast.iter_child_nodes(node) if not isinstance(one, _SCOPE)]
