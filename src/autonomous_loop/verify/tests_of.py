"""Which paths are tests, what was submitted, and how a changed test differs from what it was."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.pytest_settings import PytestSettings

ROOTS = frozenset({"tests", "test", "__tests__", "spec", "specs", "testdata", "e2e"})
_NAMES = re.compile(
    r"(?:test_.*|.*_test|tests?|conftest)\.py|.*[._-](?:test|spec)\.[cm]?[jt]sx?|.*_test\.go|.*(?:Test|Tests|IT)\.(?:java|kt)"
)
_EXCUSES = re.compile(r"skip|xfail|expectedfailure", re.IGNORECASE)
_CHECKS = re.compile(
    r"assert|raises|warns|expect|check|verify|fail|match|should|approx|snapshot|compare|ensure", re.IGNORECASE
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


# --- Python test functions, compared ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TestBody:
    """What a test function holds: how many checks, and what excuses it from counting."""

    __test__ = False

    checks: int
    excuses: int


def bodies(source: bytes | None) -> dict[str, TestBody]:
    """Test functions of a Python file by `Class::name`; empty where it cannot be parsed."""
    try:
        tree = ast.parse(source or b"")
    except (SyntaxError, ValueError, RecursionError):
        return {}
    module_excuses = sum(
        1
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        and _EXCUSES.search(ast.unparse(node.value))
    )
    return dict(_functions(tree.body, "", module_excuses))


def _functions(nodes: Sequence[ast.stmt], prefix: str, excuses: int) -> Iterator[tuple[str, TestBody]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}::", excuses + _decorated(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            asserts = [one for one in ast.walk(node) if isinstance(one, ast.Assert)]
            real = sum(1 for one in asserts if not isinstance(one.test, ast.Constant))
            calls = sum(
                1
                for one in ast.walk(node)
                if isinstance(one, ast.Call) and _CHECKS.search(ast.unparse(one.func))
            )
            body = TestBody(real + calls, excuses + _decorated(node))
            yield f"{prefix}{node.name}", body


def _decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return sum(1 for one in node.decorator_list if _EXCUSES.search(ast.unparse(one)))


def weakened(old: bytes | None, new: bytes | None) -> list[str]:
    """`Class::name` of tests that assert less, or are excused more, than they were."""
    before, after = bodies(old), bodies(new)
    return [
        name
        for name, was in before.items()
        if (now := after.get(name)) is not None and (now.checks < was.checks or now.excuses > was.excuses)
    ]


def asserts_nothing(source: bytes | None, test_id: str) -> bool:
    """Whether a Python test holds no check at all; unknown tests get the benefit of the doubt."""
    inner = test_id.partition("::")[2].partition("[")[0]
    body = bodies(source).get(inner)
    return body is not None and body.checks == 0
