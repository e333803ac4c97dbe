"""The common part of JavaScript runners' reports."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case, Outcome, ReportError
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.syntax import titles
from autonomous_loop.verify.syntax.javascript import Titles, as_name

# Untrusted JSON: its shape is found out by reading it.
Json: TypeAlias = Any
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# A source frame shown with an error; no program printed its content as a message.
_FRAME = re.compile(r"^[ \t]*(?:>[ \t]*)?(?:\d+[ \t]*)?[|\u2502].*(?:\n|$)", re.MULTILINE)
_UNLOADABLE = re.compile(
    r"^.*(?:Cannot find (?:module|package) '|does not provide an export named|error TS\d+:"
    r"|SyntaxError: |Failed to resolve import \").*$",
    re.MULTILINE,
)
_MOST_TEXT = 6_000


def plain(text: str) -> str:
    """Return the text without colours and source frames."""
    return _FRAME.sub("", _COLOUR.sub("", text))


def unloadable(output: str) -> str:
    """Return the first output line about code that cannot be loaded or compiled; or ""."""
    found = _UNLOADABLE.search(plain(output))
    return found[0].strip() if found else ""


def make_case(file: str, inner: str, outcome: Outcome, said: str = "") -> Case:
    """Make a case from its file and the rest of its id; "" stands for the whole file."""
    text = plain(said).strip()[:_MOST_TEXT]
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return Case(f"{file}::{inner}" if inner else file, file, outcome, first, text)


def once(cases: Iterable[Case]) -> list[Case]:
    """Return each id once; a failing case wins, then a skipped one."""
    found: dict[str, Case] = {}
    for case in cases:
        known = found.get(case.id)
        if known is None or _gravity(case) > _gravity(known):
            found[case.id] = case
    return list(found.values())


def _gravity(case: Case) -> int:
    return 2 if case.failing else case.outcome == "skipped"


def document(reports: Mapping[str, bytes]) -> Json:
    """Parse a JSON report.

    Raises:
        ReportError: it is not JSON.
    """
    try:
        return json.loads(next(iter(reports.values()), b""))
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the test report is not JSON: {error}") from None


def inside(absolute: Collection[str], facts: Facts, step: Step) -> Callable[[str], str]:
    """Return a function that maps a report's full paths to paths as the command sees them.

    The project's own files show where the project is. Other files (the canary) are beside them.
    """
    root = ""
    for path in sorted(absolute):
        parts = path.lstrip("/").split("/")
        for start in range(len(parts)):
            inner = "/".join(parts[start:])
            if step.outer(inner) in facts.every_path:
                root = path.removesuffix(inner)
                break
        if root:
            break
    return lambda path: posixpath.normpath(path).removeprefix(root) if root else path


class FileTitles:
    """The test titles in each file of a report, read from the tree that the run was on."""

    def __init__(self, facts: Facts, step: Step) -> None:
        self._facts = facts
        self._step = step
        self._known: dict[str, Titles] = {}

    def of(self, file: str) -> Titles:
        """Return the titles of a file, given as the command sees its path."""
        if file not in self._known:
            path = self._step.outer(file)
            source = self._facts.read(path) if path in self._facts.every_path else None
            self._known[file] = titles(path, source)
        return self._known[file]


def jest_cases(found: Json, facts: Facts, step: Step) -> list[Case]:
    """Return the cases of jest's JSON, which vitest writes too.

    Raises:
        ReportError: it has another shape.
    """
    titles = FileTitles(facts, step)
    cases: list[Case] = []
    try:
        results = list(found["testResults"])
        relative = inside({str(one["name"]) for one in results}, facts, step)
        for result in results:
            file = relative(str(result["name"]))
            tests = result["assertionResults"]
            if result["status"] == "failed" and not any(one["status"] == "failed" for one in tests):
                said = re.sub(r"^\s*\u25cf.*\n", "", plain(str(result.get("message") or "")), count=1)
                cases.append(make_case(file, "", "error", said))
            cases += [_jest_case(file, one, titles.of(file)) for one in tests]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"the test report has another shape than jest's: {error!r}") from None
    return once(cases)


def _jest_case(file: str, one: Json, titles: Titles) -> Case:
    names = [*map(str, one["ancestorTitles"]), str(one["title"])]
    if not names[0] and titles.fixtures("::".join(map(as_name, names))) is None:
        names = names[1:]  # older versions of vitest put an empty name first, for the file
    status, inner = one["status"], titles.id_of(names)
    outcome: Outcome = "passed" if status == "passed" else "failed" if status == "failed" else "skipped"
    if outcome == "passed" and titles.is_inverted(names):
        return make_case(file, inner, "skipped", "it is expected to fail")
    return make_case(file, inner, outcome, "\n".join(map(str, one.get("failureMessages") or ())))


def lines_of(data: bytes) -> Sequence[Json]:
    """Parse a report with one JSON value per line.

    Raises:
        ReportError: it is invalid.
    """
    try:
        return [json.loads(line) for line in data.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the test report is not JSON, a line each: {error}") from None
