"""Chooses tests for a change that names none: changed test files, or else tests that read changed data."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.proof import Baseline
from autonomous_loop.verify.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Differing:
    """The test-related differences between two trees.

    Attributes:
        tests: test files to submit.
        data: changed test data and fixtures, or removed test files, if no test file differs. `tests` are then
            the test files beside or above them.
    """

    tests: tuple[str, ...]
    data: tuple[str, ...] = ()

    def that_ran(self, baseline: Baseline) -> tuple[str, ...]:
        """Return the tests, but drop older ones that no run showed: they reveal nothing about the data."""
        if not self.data:
            return self.tests
        seen = {one.partition("::")[0] for run in baseline.runs for one in (*run.passed, *run.failing)}
        return tuple(one for one in self.tests if one in seen) or self.tests


def differing(work: Candidate) -> Differing:
    """Find the tests for a change; both fields are empty if nothing below a test root differs."""
    there = frozenset(work.new_test_files)
    found = tuple(one.path for one in work.changes if one.path in there and one.status != "D")
    if found or not work.test_paths:
        return Differing(found)
    readers = {test for path in work.test_paths for test in _readers(path, work.new_test_files)}
    return Differing(tuple(sorted(readers)), work.test_paths)


def named_by(tests: Sequence[str], data: Collection[str], work: Candidate) -> tuple[str, ...]:
    """From very many tests, return those whose text names a data file or the folder that holds it."""
    names = {name.encode() for path in data for name in _names(path)}
    read = ((test, work.trees.read(work.after, test) or b"") for test in tests)
    return tuple(test for test, text in read if any(name in text for name in names))


def _readers(path: str, tests: Sequence[str]) -> Iterator[str]:
    """Yield the test files below the nearest parent folder that has any."""
    folder = path
    while folder:
        folder = posixpath.dirname(folder)
        start = f"{folder}/" if folder else ""
        if below := [one for one in tests if one.startswith(start)]:
            yield from below
            return


def _names(path: str) -> Iterator[str]:
    yield posixpath.basename(path)
    if folder := posixpath.basename(posixpath.dirname(path)):
        yield folder
