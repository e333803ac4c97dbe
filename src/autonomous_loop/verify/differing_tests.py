"""Which tests show a change that names none: test files that differ, or else those that read what does."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.proof import Baseline
from autonomous_loop.verify.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Differing:
    """What differs between two trees, as far as tests are concerned.

    Attributes:
        tests: test files to submit.
        data: no test file differs, but these do: test data and fixtures, or test files that are gone. `tests`
            are then those that stand beside or above them.
    """

    tests: tuple[str, ...]
    data: tuple[str, ...] = ()

    def that_ran(self, baseline: Baseline) -> tuple[str, ...]:
        """The tests, without those older ones that no run showed: they cannot speak for what others read."""
        if not self.data:
            return self.tests
        seen = {one.partition("::")[0] for run in baseline.runs for one in (*run.passed, *run.failing)}
        return tuple(one for one in self.tests if one in seen) or self.tests


def differing(work: Candidate) -> Differing:
    """See above; both empty where nothing below a test root differs."""
    there = frozenset(work.new_test_files)
    found = tuple(one.path for one in work.changes if one.path in there and one.status != "D")
    if found or not work.test_paths:
        return Differing(found)
    readers = {test for path in work.test_paths for test in _readers(path, work.new_test_files)}
    return Differing(tuple(sorted(readers)), work.test_paths)


def named_by(tests: Sequence[str], data: Collection[str], work: Candidate) -> tuple[str, ...]:
    """Those of very many tests whose text names a file of the data, or the folder it lies in."""
    names = {name.encode() for path in data for name in _names(path)}
    read = ((test, work.trees.read(work.after, test) or b"") for test in tests)
    return tuple(test for test, text in read if any(name in text for name in names))


def _readers(path: str, tests: Sequence[str]) -> Iterator[str]:
    """Test files below the nearest folder above that holds any."""
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
