"""pytest, called by its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from autonomous_loop.verify.canary import Canary, place
from autonomous_loop.verify.report import Case, ReportError, read_report
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.shell_words import split
from autonomous_loop.verify.tree_facts import Facts

COMMAND = "python -m pytest"
_CALLED = re.compile(r"(?:^|[\s/])(?:pytest|py\.test)(?:\s|$)")
_REPORT = "report.xml"


class Pytest:
    """Implements `Runner`."""

    name = "pytest"

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return bool(_CALLED.search(command))

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`."""
        named = any(facts.settings.is_test_file(path) for path in facts.test_files)
        own = facts.settings.configured or named or any(path.endswith("conftest.py") for path in facts.paths)
        return [Step(self, COMMAND)] if own else []

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`."""
        return path.endswith(".py") or facts.settings.is_test_file(path)

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        canary = canary_of(step, files, facts)
        return Invocation(
            command=f'{step.command} "$@"',
            arguments=[*options(folders), f"--rootdir={folders.work}", *told(step, files, facts, canary)],
            environment={"PYTHONDONTWRITEBYTECODE": "1"},
            canaries=[canary],
            reports=[f"{folders.run}/{_REPORT}"],
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        del facts, step
        return junit_cases(reports)

    def died_importing(self, output: str) -> str:
        """See `Runner`."""
        if "while loading conftest" not in output:
            return ""
        lines = output.splitlines()
        return next((line[2:].strip() for line in lines if line.startswith("E ")), "ImportError")


def options(folders: Folders) -> list[str]:
    """What makes pytest report to the loop and to nobody else."""
    return [
        f"--junitxml={folders.run}/{_REPORT}",
        "-o", "junit_family=xunit1",
        "-p", "no:cacheprovider",
        "--continue-on-collection-errors",
        "--maxfail=0",
        "--tb=short",
        "--color=no",
        "--no-header",
    ]  # fmt: skip


def canary_of(step: Step, files: Sequence[str], facts: Facts) -> Canary:
    """A canary among the tests of a run."""
    return place(files, facts.paths, facts.settings, asked(step, facts))


def told(step: Step, files: Sequence[str], facts: Facts, canary: Canary) -> list[str]:
    """The files to append: a command that is told where to look sees the canary only if told of it too."""
    return [*files, canary.path] if files or asked(step, facts) else []


def asked(step: Step, facts: Facts) -> list[str]:
    """Words of the command that are files or folders of the project."""
    paths = frozenset(facts.paths)
    return [word for word in split(step.command) if word.split("::")[0] in paths or _is_folder(word, paths)]


def junit_cases(reports: Mapping[str, bytes]) -> list[Case]:
    """The cases of JUnit files, in the order of their names.

    Raises:
        ReportError: one of them is not JUnit XML, or there is none.
    """
    if not reports:
        raise ReportError("there is no test report")
    return [case for name in sorted(reports) for case in read_report(reports[name])]


def _is_folder(word: str, paths: Collection[str]) -> bool:
    folder = word.strip("/").removeprefix("./")
    return bool(folder) and any(path.startswith(f"{folder}/") for path in paths)
