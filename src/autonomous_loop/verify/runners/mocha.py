"""The runner mocha."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files as resources
from typing import ClassVar

from autonomous_loop.verify.project.package_json import Package
from autonomous_loop.verify.project.runner_options import MOCHA_VALUES
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case, ReportError
from autonomous_loop.verify.runners.base import Folders, Step
from autonomous_loop.verify.runners.javascript import JavaScript
from autonomous_loop.verify.runners.node_test import event_cases

_REPORTER = "mocha_reporter.cjs"
_END = b'{"end":true}\n'


class Mocha(JavaScript):
    """Implements `Runner`."""

    name: ClassVar[str] = "mocha"
    blinds: ClassVar[str] = (
        "`it.only` or `describe.only` in any file, a -g or -f option, a root hook, process.exit"
    )
    command: ClassVar[str] = "npx --no-install mocha"
    dependency: ClassVar[str] = "mocha"
    report: ClassVar[str] = "report.jsonl"
    configuration: ClassVar[re.Pattern[str]] = re.compile(r"\.mocharc\.(?:[cm]?js|jsonc?|ya?ml)")
    named: ClassVar[re.Pattern[str]] = re.compile(r".*\.[cm]?[jt]sx?")
    valued: ClassVar[frozenset[str]] = MOCHA_VALUES
    # The loop sets the reporter.
    dropped: ClassVar[re.Pattern[str]] = re.compile(r"--(?:watch|reporter-options?|inspect(?:-brk)?)|-[wbRO]")

    def is_used(self, package: Package, facts: Facts) -> bool:
        """See `JavaScript`: its configuration may be in package.json."""
        return "mocha" in package.keys or super().is_used(package, facts)

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`: it has no naming rule; its command and configuration name the files."""
        return f"{self.folder}/{path}".removeprefix("/") in facts.test_files and super().is_test_file(
            path, facts
        )

    def arguments(
        self, asked: Sequence[str], *, exact: bool, folders: Folders
    ) -> tuple[list[str], list[str]]:
        """See `JavaScript`."""
        del exact
        # The reporter writes its report beside itself.
        options = [f"--reporter={folders.run}/{_REPORTER}", "--no-bail", "--retries=0", "--no-dry-run"]
        return [], [*options, *asked]

    def files(self) -> Mapping[str, bytes]:
        """See `JavaScript`."""
        return {_REPORTER: resources(__package__).joinpath(_REPORTER).read_bytes()}

    def canary_source(self, word: str, path: str, facts: Facts) -> str:
        """See `JavaScript`: uses the globals of any mocha interface."""
        del path, facts
        return (
            "// @ts-nocheck\n"
            f'(globalThis.it || globalThis.test)("{word}", () => {{\n  throw new Error("{word}");\n}});\n'
        )

    def canary_folder(self, facts: Facts) -> str:
        """See `JavaScript`."""
        del facts
        return "test"

    def died_importing(self, output: str) -> str:
        """See `Runner`: mocha loads all files before it runs a test."""
        return super().died_importing(output).removeprefix("Exception during run: ")

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`.

        Raises:
            ReportError: also if the run ended before all tests did, since they share one process.
        """
        ended = {name: data.removesuffix(_END) for name, data in reports.items() if data.endswith(_END)}
        if not ended:
            raise ReportError("mocha ended before its tests did")
        return event_cases(ended, facts, step)
