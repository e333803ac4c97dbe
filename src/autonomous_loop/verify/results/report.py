"""Parses JUnit XML into test cases. The file is untrusted: no DTD, no entities, a limited size."""

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
# pytest's report of its own failure. Everything it reported before is incomplete.
_INTERNAL = "pytest::internal"
REPORT_LIMIT = 50_000_000


class ReportError(ValueError):
    """The report is not JUnit XML."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a report.

    Attributes:
        id: `tests/test_x.py::TestY::test_z[1]`; only the file if it could not be collected.
        file: path in the tree, "" if the runner does not name it.
        message: the first line of the failure.
        text: the traceback.
    """

    id: str
    file: str
    outcome: Outcome
    message: str = ""
    text: str = ""

    @property
    def failing(self) -> bool:
        """Whether it failed or could not run to the end."""
        return self.outcome in {"failed", "error"}

    @property
    def import_fault(self) -> bool:
        """Whether it fails because something cannot be imported or compiled."""
        return self.failing and faults.is_import_fault(self.file, self._error)

    @property
    def interface_fault(self) -> bool:
        """Whether it fails because something it uses does not exist or is called differently."""
        return self.failing and faults.is_interface_fault(self.file, self._error)

    @property
    def missing_modules(self) -> tuple[str, ...]:
        """Modules that do not exist, named as in the test's language."""
        return faults.missing_modules(self.file, self._error) if self.failing else ()

    @property
    def _error(self) -> str:
        return faults.error_lines(self.file, self.message, self.text)


def read_report(data: bytes, paths: Collection[str] = ()) -> tuple[Case, ...]:
    """Return the cases of a JUnit XML file in order, each id once (a failing entry wins).

    Args:
        paths: files as the report names them. For an inherited test, pytest names the file of the function,
            not of its class; the class's name leads to the right file.

    Raises:
        ReportError: it is not XML, has a DTD or entities, is not JUnit, or pytest itself failed midway.
    """
    try:
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ReportError(f"the test report is not plain XML: {error}") from None
    if root.tag not in {"testsuites", "testsuite"}:
        raise ReportError(f"the test report is not JUnit XML: it starts with <{root.tag[:40]}>")
    # If lxml is installed, junitparser's annotation names lxml's Element; in fact it wraps the standard one.
    try:
        found = once(_cases(JUnitXml.fromroot(root), paths))  # type: ignore[arg-type]
    except RecursionError:
        raise ReportError("the test report has suites in suites without end") from None
    if broken := next((case for case in found if case.id == _INTERNAL and case.failing), None):
        last = broken.text.strip().rpartition("\n")[2]
        raise ReportError(f"pytest met an internal error, its own or a plugin's: {last}")
    return found


def once(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return the cases in order, each id once; a failing entry wins."""
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
        return file  # pytest could not collect the file itself
    inner = classname.removeprefix(module).strip(".")
    return "::".join([file, *(part for part in inner.split(".") if part), name])


def _module(file: str) -> str:
    return file.rsplit(".", 1)[0].replace("/", ".")


def _of_class(classname: str, paths: Collection[str]) -> str:
    """Return the file whose module is the longest prefix of a class's dotted name."""
    parts = classname.split(".")
    names = ("/".join(parts[:end]) + ".py" for end in range(len(parts), 0, -1))
    return next((name for name in names if name in paths), "")


def count(cases: Sequence[Case]) -> TestCounts:
    """Count the cases by outcome."""
    outcomes = [case.outcome for case in cases]
    return TestCounts(
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        errors=outcomes.count("error"),
        skipped=outcomes.count("skipped"),
    )
