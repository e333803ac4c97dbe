"""Finds Python tests that drive a browser, through such a fixture or by calling Playwright themselves."""

from __future__ import annotations

import ast

from autonomous_loop.verify.syntax.python_nodes import Nodes, walk

_FIXTURES = frozenset({"page", "browser", "context", "browser_context", "new_context"})


def driving(nodes: Nodes, source: bytes) -> frozenset[str]:
    """Return the names of functions that do, anywhere in a file.

    Args:
        nodes: the file's nodes.
        source: the file's content.
    """
    named = b"playwright" in source
    return frozenset(
        node.name
        for node in nodes.functions
        if _uses_fixture(node) or (named and "playwright" in ast.unparse(node))
    )


def _uses_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = {one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
    wanted = arguments & _FIXTURES
    # A fixture that is asked for and never used shows nothing.
    return bool(wanted) and any(isinstance(one, ast.Name) and one.id in wanted for one in walk(node))
