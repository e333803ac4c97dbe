"""Detects runs without any test in projects that have tests."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.domain.proof import Reason, TestRun
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.wording import listed
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.syntax import bodies, holds_tests


def expected(step: Step, facts: Facts) -> list[str]:
    """Return the test files that a step's whole suite should run, judging by names and content."""
    below = f"{step.folder}/" if step.folder else ""
    return [
        path
        for path in facts.test_files
        if path.startswith(below)
        and step.runner.is_test_file(step.inner(path), facts)
        and _runs_by_default(path, facts.read(path))
    ]


def nothing_ran(run: TestRun, files: Sequence[str]) -> Reason:
    """Return the reason for a whole suite without a single test.

    Args:
        files: files that hold tests.
    """
    text = (
        f"{run.command} ran no test at all, though there are tests in {listed(files, most=5)}. A run that"
        f" holds no test shows nothing. Let it run them. The end of its output:\n{run.excerpt[-1_500:]}"
    )
    return Reason(code="nothing-ran", text=text)


def _runs_by_default(path: str, source: bytes | None) -> bool:
    """Return whether a file's tests run by default; Go skips a file whose build tags are not set."""
    if path.endswith(".go"):
        return any(not body.excuses for body in bodies(path, source).values())
    return holds_tests(path, source)
