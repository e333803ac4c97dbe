"""The runner vitest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from autonomous_loop.verify.project.runner_options import VITEST_VALUES
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.runners.base import Folders, Step
from autonomous_loop.verify.runners.javascript import JavaScript
from autonomous_loop.verify.runners.javascript_reports import document, jest_cases


class Vitest(JavaScript):
    """Implements `Runner`."""

    name: ClassVar[str] = "vitest"
    blinds: ClassVar[str] = "a -t option, --changed, a setup file, a reporter, a plugin, process.exit"
    command: ClassVar[str] = "npx --no-install vitest run"
    dependency: ClassVar[str] = "vitest"
    configuration: ClassVar[re.Pattern[str]] = re.compile(r"vitest\.(?:config|workspace)\.[cm]?[jt]s(?:on)?")

    valued: ClassVar[frozenset[str]] = VITEST_VALUES

    def arguments(
        self, asked: Sequence[str], *, exact: bool, folders: Folders
    ) -> tuple[list[str], list[str]]:
        """See `JavaScript`."""
        del exact
        options = [
            "--run", "--reporter=json", f"--outputFile={folders.run}/{self.report}", "--bail=0", "--retry=0",
            "--allowOnly",
        ]  # fmt: skip
        return [], [*options, *asked]

    def canary_source(self, word: str, path: str, facts: Facts) -> str:
        """See `JavaScript`."""
        del path, facts
        return (
            "// @ts-nocheck\n"
            'import { test } from "vitest";\n\n'
            f'test("{word}", () => {{\n  throw new Error("{word}");\n}});\n'
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        return jest_cases(document(reports), facts, step)
