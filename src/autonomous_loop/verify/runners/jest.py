"""The runner jest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from autonomous_loop.verify.project.package_json import Package
from autonomous_loop.verify.project.runner_options import JEST_LISTS, JEST_VALUES
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.runners.base import Folders, Step
from autonomous_loop.verify.runners.javascript import JavaScript
from autonomous_loop.verify.runners.javascript_reports import document, jest_cases


class Jest(JavaScript):
    """Implements `Runner`."""

    name: ClassVar[str] = "jest"
    blinds: ClassVar[str] = "a -t option, a setup file, a reporter, a mocked runner, process.exit"
    command: ClassVar[str] = "npx --no-install jest"
    dependency: ClassVar[str] = "jest"
    configuration: ClassVar[re.Pattern[str]] = re.compile(r"jest\.config\.[cm]?[jt]s(?:on)?")
    named: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:.*/)?(?:[^/]*\.(?:test|spec)\.[cm]?[jt]sx?|__tests__/(?:.*/)?[^/]+\.[cm]?[jt]sx?)"
    )

    valued: ClassVar[frozenset[str]] = JEST_VALUES
    lists: ClassVar[frozenset[str]] = JEST_LISTS
    dropped: ClassVar[re.Pattern[str]] = re.compile(
        r"--(?:watch(?:All)?|coverage|collectCoverage|debug|notify)|-b"  # `-w` is its number of workers
    )

    def is_used(self, package: Package, facts: Facts) -> bool:
        """See `JavaScript`: its configuration may be in package.json."""
        return "jest" in package.keys or super().is_used(package, facts)

    def arguments(
        self, asked: Sequence[str], *, exact: bool, folders: Folders
    ) -> tuple[list[str], list[str]]:
        """See `JavaScript`.

        Each run has its own transform cache, because a cache that earlier runs could write decides what code
        runs.
        """
        options = [
            "--ci", "--json", f"--outputFile={folders.run}/{self.report}",
            f"--cacheDirectory={folders.run}/cache", "--bail=0", "--watchman=false",
        ]  # fmt: skip
        return [], [*options, *(["--runTestsByPath"] if exact else []), *asked]

    def canary_source(self, word: str, path: str, facts: Facts) -> str:
        """See `JavaScript`: uses the globals, which work in both CommonJS and ES modules."""
        del path, facts
        return f'// @ts-nocheck\ntest("{word}", () => {{\n  throw new Error("{word}");\n}});\n'

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        return jest_cases(document(reports), facts, step)
