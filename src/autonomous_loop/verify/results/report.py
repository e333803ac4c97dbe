"""JUnit XML as test cases. What the hands wrote is foreign: no DTD, no entities, a capped size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from autonomous_loop.domain.proof import TestCounts
from autonomous_loop.verify.results import faults

Outcome = Literal["passed", "failed", "error", "skipped"]
# How pytest reports that it failed itself: what it reported up to then is not all.
_INTERNAL = "pytest::internal"
REPORT_LIMIT = 50_000_000


class ReportError(ValueError):
    """The report is not JUnit XML."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a report.

    Attributes:
        id: `tests/test_x.py::TestY::test_z[1]`; the file alone where it could not be collected.
        file: path in the tree, "" where the runner does not say.
        message: the first line of what went wrong.
        text: the traceback.
    """

    id: str
    file: str
    outcome: Outcome
    message: str = ""
    text: str = ""

    @property
    def failing(self) -> bool:
        """Failed, or could not be run to its end."""
        return self.outcome in {"failed", "error"}

    @property
    def import_fault(self) -> bool:
        """It fails because something cannot be imported or compiled."""
        return self.failing and faults.is_import_fault(self.file, self._error)

    @property
    def interface_fault(self) -> bool:
        """It fails because something it uses is not there, or is called otherwise."""
        return self.failing and faults.is_interface_fault(self.file, self._error)

    @property
    def missing_modules(self) -> tuple[str, ...]:
        """Modules that do not exist, as the test's language names them."""
        return faults.missing_modules(self.file, self._error) if self.failing else ()

    @property
    def _error(self) -> str:
        return faults.error_lines(self.file, self.message, self.text)


def read_report(data: bytes, paths: Collection[str] = ()) -> tuple[Case, ...]:
    """The cases of a JUnit XML file, in its order, each id once (a failing entry wins).

    Args:
        paths: files as the report names them. pytest says where a test's function is written, which for an
            inherited one is another file than that of its class; the class's name tells.

    Raises:
        ReportError: not XML, with a DTD or entities, not JUnit, or cut short by pytest's own failure.
    """
    try:
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ReportError(f"the test report is not plain XML: {error}") from None
    if root.tag not in {"testsuites", "testsuite"}:
        raise ReportError(f"the test report is not JUnit XML: it starts with <{root.tag[:40]}>")
    # junitparser's annotation names lxml's Element where lxml is there; the standard one is what it wraps.
    try:
        found = once(_cases(JUnitXml.fromroot(root), paths))  # type: ignore[arg-type]
    except RecursionError:
        raise ReportError("the test report has suites in suites without end") from None
    if broken := next((case for case in found if case.id == _INTERNAL and case.failing), None):
        last = broken.text.strip().rpartition("\n")[2]
        raise ReportError(f"pytest met an internal error, its own or a plugin's: {last}")
    return found


def once(cases: Iterable[Case]) -> tuple[Case, ...]:
    """The cases in their order, each id once: a failing entry wins."""
    found: dict[str, Case] = {}
    for case in cases:
        known = found.get(case.id)
        if known is None or (case.failing and not known.failing):
            found[case.id] = case
    return tuple(found.values())


def _cases(element: JUnitXml | TestSuite, paths: Collection[str]) -> Iterator[Case]:
    for child in element:
        if isinstance(child, TestSuite):
            yield from _cases(child, paths)
        elif isinstance(child, TestCase):
            yield _case(child, paths)


def _case(found: TestCase, paths: Collection[str]) -> Case:
    file = str(found._elem.get("file") or "")  # noqa: SLF001 - xunit1's attribute has no accessor
    if file and not f"{found.classname or ''}.".startswith(f"{_module(file)}."):
        file = _of_class(str(found.classname or ""), paths) or file
    results = found.result or []
    outcome: Outcome = "passed"
    message = text = ""
    for result in results:
        if isinstance(result, Failure | Error):
            outcome = "error" if isinstance(result, Error) else "failed"
            message, text = str(result.message or ""), str(result.text or "")
            break
        if isinstance(result, Skipped):
            outcome, message = "skipped", str(result.message or "")
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return Case(_id(found, file), file, outcome, first, text)


def _id(found: TestCase, file: str) -> str:
    name, classname = str(found.name or ""), str(found.classname or "")
    if not file:
        return f"{classname}::{name}" if classname else name
    module = _module(file)
    if not classname and name == module:
        return file  # pytest: the file itself could not be collected
    inner = classname.removeprefix(module).strip(".")
    return "::".join([file, *(part for part in inner.split(".") if part), name])


def _module(file: str) -> str:
    return file.rsplit(".", 1)[0].replace("/", ".")


def _of_class(classname: str, paths: Collection[str]) -> str:
    """The file whose module is the longest beginning of a class's dotted name."""
    parts = classname.split(".")
    names = ("/".join(parts[:end]) + ".py" for end in range(len(parts), 0, -1))
    return next((name for name in names if name in paths), "")


def count(cases: Sequence[Case]) -> TestCounts:
    """How many of each."""
    outcomes = [case.outcome for case in cases]
    return TestCounts(
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        errors=outcomes.count("error"),
        skipped=outcomes.count("skipped"),
    )
