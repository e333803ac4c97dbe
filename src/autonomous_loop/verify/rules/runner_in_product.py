"""Refuses source files outside the tests that use a test runner: they could change what fails.

It finds only plain cases: an import of pytest, vitest and the like, or the replacement of a part of unittest
or of an assertion library. Code that needs a runner's classes is a plugin or a test helper. Such code was one
before the feature, or is where tests are. Private modules of pytest are refused elsewhere
(`python_controls`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.syntax import read_source

# Names of test-related files outside test folders.
_FOR_TESTS = re.compile(
    r"(?:.*/)?(?:[^/]*[-_.])?(?:tests?|testing|pytest|vitest|jest|playwright|plugin|plugins|fixtures)"
    r"(?:[-_./].*)?|(?:.*/)?setup-?[tT]ests?\..*"
)


def holds_runner(path: str, old: bytes | None, new: bytes | None, checkpoint: Facts) -> Iterator[Reason]:
    """Yield why a file outside the tests is refused: it newly imports or changes a test runner.

    Args:
        old: its content at the checkpoint.
        new: the candidate's content.
        checkpoint: facts about its tree: a pytest plugin, or another test helper, may import its runner.
    """
    uses = sorted(set(read_source(path, new).runner_uses) - set(read_source(path, old).runner_uses))
    if not uses or _is_plugin(checkpoint) or _helps_tests(path, uses, checkpoint):
        return
    text = (
        f"{path} takes hold of the test runner ({', '.join(uses)}). Code that is no test has no need of it:"
        " put helpers for tests below the tests, or do without. If it is meant, a person can set runner-keys."
    )
    yield Reason(code="runner-in-product", text=text)


def _is_plugin(checkpoint: Facts) -> bool:
    """Return whether the project was a pytest plugin before."""
    declared = ("pyproject.toml", "setup.cfg", "setup.py", "entry_points.txt")
    return any(b"pytest11" in (checkpoint.read_if_there(name) or b"") for name in declared)


def _helps_tests(path: str, uses: Sequence[str], checkpoint: Facts) -> bool:
    """Return whether a file joins existing test helpers of the project and only imports a runner."""
    if not _FOR_TESTS.fullmatch(path) or not all(one.startswith("an import") for one in uses):
        return False
    folder, ending = posixpath.dirname(path), posixpath.splitext(path)[1]
    beside = (
        one
        for one in checkpoint.paths
        if posixpath.dirname(one) == folder and one.endswith(ending) and folder
    )
    return any(read_source(one, checkpoint.read_if_there(one)).runner_uses for one in beside)
