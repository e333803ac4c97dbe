"""Decides which paths are tests, and checks the submitted tests."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.project.test_ids import without_parameters

__all__ = ["Selection", "is_support", "is_test_file", "select", "stands_in_source", "without_parameters"]

# Folders for things that tests use; the tests are beside or above them.
BESIDE_TESTS = frozenset({"testdata", "__mocks__", "__fixtures__"})
ROOTS = BESIDE_TESTS | {"tests", "test", "__tests__", "spec", "specs", "e2e"}
_NAMES = re.compile(
    r"(?:test_.*|.*_test|tests?|conftest)\.py|.*[._-](?:test|spec)\.[cm]?[jt]sx?|.*_test\.go|.*(?:Test|Tests|IT)\.(?:java|kt)"
)

# More files that jest and Node's own runner collect, by the folder or by the whole name.
_JAVASCRIPT = re.compile(
    r"(?:.*/)?(?:__tests__/(?:(?!.*(?:fixtures|mocks|snapshots|helpers|utils).*/).*/)?[^/]+\.[cm]?[jt]sx?"
    r"|test(?:-[^/]*)?\.[cm]?js)"
)
# Recorded answers that a test compares with. A new one beside old code must not look like new behaviour.
_SNAPSHOTS = re.compile(r"(?:.*/)?__snapshots__/.*|.*-snapshots/.*")
_RUST = re.compile(r"(?:.*/)?tests/[^/]+\.rs")


def is_test_file(path: str, settings: PytestSettings) -> bool:
    """Return whether a file holds tests, judging by its name."""
    name = posixpath.basename(path)
    if name == "conftest.py":
        return False
    return bool(
        _NAMES.fullmatch(name) or _JAVASCRIPT.fullmatch(path) or _RUST.fullmatch(path)
    ) or settings.is_test_file(path)


def stands_in_source(path: str) -> bool:
    """Whether a file's tests are inside the code they test (Rust), so it cannot be laid over other code."""
    folders = path.split("/")[:-1]
    return path.endswith(".rs") and ("src" in folders or "tests" not in folders)


def is_support(path: str) -> bool:
    """Return whether a file is for tests but no test file: below a test root, a snapshot or a conftest."""
    parts = path.split("/")
    if _SNAPSHOTS.fullmatch(path):
        return True
    return parts[-1] == "conftest.py" or any(part in ROOTS for part in parts[:-1])


@dataclass(frozen=True)
class Selection:
    """Submitted tests after the check.

    Attributes:
        tests: the submitted files or ids, normalised.
        files: the files that hold them, sorted.
    """

    tests: tuple[str, ...]
    files: tuple[str, ...]

    def covers(self, test_id: str) -> bool:
        """Return whether a test of a report was submitted."""
        return any(True for _ in self._covering(test_id))

    def untouched(self, ids: Iterable[str]) -> list[str]:
        """Return the submitted entries that none of `ids` belongs to."""
        touched = {one for test_id in ids for one in self._covering(test_id)}
        return [one for one in self.tests if one not in touched]

    def _covering(self, test_id: str) -> Iterator[str]:
        # Look up by length, since there are few lengths: a report may hold very many tests with very long
        # names.
        for length, submitted in self._by_length.items():
            if (start := test_id[:length]) in submitted and _ends(start, test_id[length : length + 2]):
                yield start

    @cached_property
    def _by_length(self) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for one in self.tests:
            found.setdefault(len(one), set()).add(one)
        return found


def _ends(submitted: str, rest: str) -> bool:
    """Return whether the rest of an id begins a part of the submitted entry."""
    # "/" begins a subtest in Go.
    return rest in {"", "::"} or ("::" in submitted and rest[0] in "[/")


def select(tests: Sequence[str], paths: Sequence[str], test_files: Sequence[str]) -> Selection | Reason:
    """Check the submitted tests and replace folders with the test files below them.

    Args:
        tests: as the model submitted them.
        paths: the paths of the candidate's tree.
        test_files: those paths that hold tests.
    """
    there = set(paths)
    chosen: list[str] = []
    for given in tests:
        file, sep, inner = given.strip().partition("::")
        path = posixpath.normpath(file) if file else ""
        if not path or path.startswith(("/", "..", "-")) or "\0" in given or "\n" in given:
            return Reason(code="bad-test", text=f"{given!r} is no path or test id relative to the project.")
        if path in there:
            chosen.append(f"{path}{sep}{inner}")
            continue
        below = [one for one in test_files if one.startswith(f"{path}/")]
        if sep or not below:
            return Reason(
                code="bad-test",
                text=f"{path} is not a test file of the submitted work. Is it ignored by git, or misspelt?",
            )
        chosen.extend(below)
    unique = tuple(dict.fromkeys(chosen))
    return Selection(unique, tuple(sorted({one.partition("::")[0] for one in unique})))
