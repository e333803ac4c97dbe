"""Which paths are tests, and what was submitted."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.pytest_settings import PytestSettings

ROOTS = frozenset({"tests", "test", "__tests__", "spec", "specs", "testdata", "e2e"})
_NAMES = re.compile(
    r"(?:test_.*|.*_test|tests?|conftest)\.py|.*[._-](?:test|spec)\.[cm]?[jt]sx?|.*_test\.go|.*(?:Test|Tests|IT)\.(?:java|kt)"
)


def is_test_file(path: str, settings: PytestSettings) -> bool:
    """A file that holds tests, by its name."""
    name = posixpath.basename(path)
    if name == "conftest.py":
        return False
    return bool(_NAMES.fullmatch(name)) or settings.is_test_file(path)


def is_support(path: str) -> bool:
    """Not a test file itself but there for tests: below a test root, or a conftest."""
    parts = path.split("/")
    return parts[-1] == "conftest.py" or any(part in ROOTS for part in parts[:-1])


@dataclass(frozen=True, slots=True)
class Selection:
    """Submitted tests, checked.

    Attributes:
        tests: files or ids as they were submitted, in normal form.
        files: the files they stand in, sorted.
    """

    tests: tuple[str, ...]
    files: tuple[str, ...]

    def covers(self, test_id: str) -> bool:
        """Whether a test of a report was submitted."""
        return any(_covers(one, test_id) for one in self.tests)

    def untouched(self, ids: Iterable[str]) -> list[str]:
        """Submitted entries none of `ids` belongs to."""
        known = list(ids)
        return [one for one in self.tests if not any(_covers(one, test_id) for test_id in known)]


def _covers(submitted: str, test_id: str) -> bool:
    if submitted == test_id:
        return True
    if "::" in submitted:
        return test_id.startswith((f"{submitted}::", f"{submitted}["))
    return test_id.startswith(f"{submitted}::")


def select(tests: Sequence[str], paths: Sequence[str], settings: PytestSettings) -> Selection | Reason:
    """The submitted tests, folders replaced by the test files below them.

    Args:
        tests: as the model gave them.
        paths: of the candidate's tree.
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
        below = [one for one in paths if one.startswith(f"{path}/") and is_test_file(one, settings)]
        if sep or not below:
            return Reason(
                code="bad-test",
                text=f"{path} is not a test file of the submitted work. Is it ignored by git, or misspelt?",
            )
        chosen.extend(below)
    unique = tuple(dict.fromkeys(chosen))
    return Selection(unique, tuple(sorted({one.partition("::")[0] for one in unique})))
