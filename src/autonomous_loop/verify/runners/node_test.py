"""Node's own runner, `node --test`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files as resources
from typing import ClassVar

from autonomous_loop.verify.project.package_json import Package
from autonomous_loop.verify.project.runner_options import NODE_VALUES
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case, Outcome, ReportError
from autonomous_loop.verify.runners.base import Folders, Step
from autonomous_loop.verify.runners.javascript import JavaScript, is_module
from autonomous_loop.verify.runners.javascript_reports import (
    FileTitles,
    Json,
    inside,
    lines_of,
    make_case,
    once,
    plain,
)

_REPORTER = "node_test_reporter.mjs"
_ERROR = re.compile(r"^(?:Uncaught )?\w*Error\b.*$", re.MULTILINE)
_LOOKED_AT = 20


class NodeTest(JavaScript):
    """Implements `Runner`."""

    name: ClassVar[str] = "node:test"
    blinds: ClassVar[str] = (
        "--test-name-pattern, --test-skip-pattern, a module of --import or --require, process.exit"
    )
    command: ClassVar[str] = "node --test"
    report: ClassVar[str] = "report.jsonl"
    # https://nodejs.org/api/test.html, "Running tests from the command line".
    named: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:.*/)?(?:[^/]*[._-]test|test-[^/]*|test|test/(?:.*/)?[^/]+)\.[cm]?[jt]s"
    )
    valued: ClassVar[frozenset[str]] = NODE_VALUES
    dropped: ClassVar[re.Pattern[str]] = re.compile(
        r"--(?:watch|watch-path|experimental-test-coverage|test-only)"
    )

    def is_used(self, package: Package, facts: Facts) -> bool:
        """See `JavaScript`: no dependency declares it; its tests import it."""
        near = [
            one for one in facts.test_files if one.startswith(f"{package.folder}/" if package.folder else "")
        ]
        scripts = [one for one in near if re.search(r"\.[cm]?js$", one)]
        return any(b"node:test" in (facts.read(path) or b"") for path in scripts[:_LOOKED_AT])

    def arguments(
        self, asked: Sequence[str], *, exact: bool, folders: Folders
    ) -> tuple[list[str], list[str]]:
        """See `JavaScript`: Node reads options only before the first file."""
        del exact
        reporter, report = f"{folders.run}/{_REPORTER}", f"{folders.run}/{self.report}"
        return [f"--test-reporter={reporter}", f"--test-reporter-destination={report}"], [*asked]

    def files(self) -> Mapping[str, bytes]:
        """See `JavaScript`."""
        return {_REPORTER: resources(__package__).joinpath(_REPORTER).read_bytes()}

    def canary_source(self, word: str, path: str, facts: Facts) -> str:
        """See `JavaScript`."""
        module = is_module(path, self.folder, facts) or path.endswith("ts")
        imported = 'import test from "node:test";' if module else 'const test = require("node:test");'
        return f'{imported}\n\ntest("{word}", () => {{\n  throw new Error("{word}");\n}});\n'

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        return event_cases(reports, facts, step)


def event_cases(reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
    """Return the cases that the loop's own reporters write, one test a line.

    Raises:
        ReportError: it has another shape.
    """
    events = lines_of(next(iter(reports.values()), b""))
    try:
        relative = inside({str(one["file"]) for one in events}, facts, step)
        return once(_cases(events, relative, FileTitles(facts, step)))
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"the test report has another shape than it should: {error!r}") from None


def _cases(events: Sequence[Json], relative: Callable[[str], str], titles: FileTitles) -> Iterator[Case]:
    for event in events:
        file, names = relative(str(event["file"])), [str(one) for one in event["names"]]
        said = plain(str(event["error"]))
        if _is_file(names, str(event["file"]), file):
            # Node reports a file itself if it failed as a whole or held no test, which shows nothing.
            if not event["passed"]:
                output = plain(str(event["output"]))
                first = _ERROR.search(output)
                yield make_case(file, "", "error", f"{first[0] if first else said}\n{output}")
            continue
        if event["suite"] or (not event["passed"] and event["failure"] == "subtestsFailed"):
            continue  # its tests are reported separately
        outcome: Outcome = "passed" if event["passed"] else "failed"
        if event["excused"]:
            outcome = "skipped"
        yield make_case(file, titles.of(file).id_of(names), outcome, said)


def _is_file(names: Sequence[str], absolute: str, inner: str) -> bool:
    """Return whether an event is about a whole file; Node names it by its path."""
    return len(names) == 1 and posixpath.normpath(names[0]) in {absolute, inner}
