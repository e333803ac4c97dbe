"""Playwright's own runner for Node (`@playwright/test`)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from autonomous_loop.verify.project.runner_options import PLAYWRIGHT_LISTS, PLAYWRIGHT_VALUES
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case, Outcome, ReportError
from autonomous_loop.verify.runners.base import Folders, Step
from autonomous_loop.verify.runners.javascript import PLAYWRIGHT_CONFIG, JavaScript, browser_folder
from autonomous_loop.verify.runners.javascript_reports import Json, document, inside, make_case, once, plain
from autonomous_loop.verify.syntax.javascript import as_name


class Playwright(JavaScript):
    """Implements `Runner`."""

    name: ClassVar[str] = "playwright"
    blinds: ClassVar[str] = (
        "`test.only` or `test.describe.only` in any file, a -g or --project option, globalSetup"
    )
    command: ClassVar[str] = "npx --no-install playwright test"
    dependency: ClassVar[str] = "@playwright/test"
    configuration: ClassVar[re.Pattern[str]] = PLAYWRIGHT_CONFIG
    valued: ClassVar[frozenset[str]] = PLAYWRIGHT_VALUES
    lists: ClassVar[frozenset[str]] = PLAYWRIGHT_LISTS
    # `-x` would end the run at the first failure, which may be the canary's.
    dropped: ClassVar[re.Pattern[str]] = re.compile(r"--(?:ui|ui-host|ui-port|debug|headed)|-x")

    def takes_unknown(self, path: str, facts: Facts) -> bool:
        """See `JavaScript`: the project's own fixtures may import `test` for it."""
        return not super().takes_unknown(path, facts)

    def canary_folder(self, facts: Facts) -> str:
        """See `JavaScript`: the configuration's `testDir`."""
        return browser_folder(self.folder, facts)

    def arguments(
        self, asked: Sequence[str], *, exact: bool, folders: Folders
    ) -> tuple[list[str], list[str]]:
        """See `JavaScript`: Playwright treats files as regular expressions on the end of a full path."""
        del exact, folders
        options = ["--reporter=json", "--retries=0", "--max-failures=0", "--update-snapshots=none"]
        return [], [*options, *(re.sub(r"([^\w/ -])", r"\\\1", f"/{one}") + "$" for one in asked)]

    def environment(self, folders: Folders) -> dict[str, str]:
        """See `JavaScript`. Each run has its own cache of compiled tests."""
        return {
            "PLAYWRIGHT_JSON_OUTPUT_FILE": f"{folders.run}/{self.report}",
            "PLAYWRIGHT_JSON_OUTPUT_NAME": f"{folders.run}/{self.report}",
            "PWTEST_CACHE_DIR": f"{folders.run}/cache",
        }

    def canary_source(self, word: str, path: str, facts: Facts) -> str:
        """See `JavaScript`: Playwright compiles ES modules everywhere."""
        del path, facts
        return (
            "// @ts-nocheck\n"
            'import { test } from "@playwright/test";\n\n'
            f'test("{word}", () => {{\n  throw new Error("{word}");\n}});\n'
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`.

        Raises:
            ReportError: also if a file could not be loaded, because Playwright then runs no test.
        """
        found = document(reports)
        try:
            root = str(found["config"]["rootDir"])
            specs = list(_specs(found["suites"], ()))
            errors = [plain(str(one.get("message") or "")) for one in found.get("errors") or ()]
            if errors and not specs:
                raise ReportError(f"Playwright could not start its tests: {errors[0][:500]}")
            relative = inside({posixpath.join(root, str(spec["file"])) for _, spec in specs}, facts, step)
            cases = [
                _case(relative(posixpath.join(root, str(spec["file"]))), names, test)
                for names, spec in specs
                for test in spec["tests"]
            ]
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ReportError(f"the test report has another shape than Playwright's: {error!r}") from None
        return once(cases)


def _specs(suites: Sequence[Json], names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    for suite in suites:
        # The outermost suite is the file.
        inner = (*names, str(suite["title"])) if suite.get("line") else names
        for spec in suite.get("specs") or ():
            yield (*inner, str(spec["title"])), spec
        yield from _specs(suite.get("suites") or (), inner)


def _case(file: str, names: tuple[str, ...], test: Json) -> Case:
    """Make a case; Playwright's projects (browsers) become parameters: `title[chromium]`."""
    inner = "::".join(map(as_name, names))
    project = as_name(str(test.get("projectName") or ""))
    if project:
        inner += f"[{project}]"
    results = test["results"]
    last: Json = results[-1] if results else {"status": "skipped"}
    outcome: Outcome = "failed"
    if last["status"] == "skipped":
        outcome = "skipped"
    elif test["status"] == "expected":
        # A test that is expected to fail shows nothing.
        outcome = "passed" if test["expectedStatus"] == "passed" else "skipped"
    said = "\n".join(str(one.get("stack") or one.get("message") or "") for one in last.get("errors") or ())
    return make_case(file, inner, outcome, said or str(last["status"]) if outcome == "failed" else "")
