"""The runner pytest, called by its name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence

from autonomous_loop.verify.project.places import unseen
from autonomous_loop.verify.project.pytest_settings import (
    CONFIG_NAMES,
    PytestSettings,
    read_settings,
    section,
)
from autonomous_loop.verify.project.selection import ROOTS
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary, place, place_beside
from autonomous_loop.verify.results.report import Case, ReportError, read_report
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.pytest_places import places

COMMAND = "python -m pytest"
_CALLED = re.compile(r"(?:^|[\s/])(?:pytest|py\.test)(?:\s|$)")
_REPORT = "report.xml"
# A project below one of these folders belongs to a test or an example, not to the project.
_NEVER = frozenset({*ROOTS, "node_modules", "vendor", "third_party", "fixtures", "examples"})


class Pytest:
    """Implements `Runner`."""

    name = "pytest"
    blinds = "a conftest hook, a plugin, an exit call, a -k or -m option"

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return bool(_CALLED.search(command))

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`: one step; in a monorepo, one for each package with its own settings."""
        files = [path for path in facts.test_files if facts.settings.is_test_file(path)]
        if facts.settings.configured or "conftest.py" in facts.every_path:
            return [Step(self, COMMAND, guessed=True)]
        folders = [one for one in _packages(facts) if any(path.startswith(f"{one}/") for path in files)]
        left = [path for path in files if not path.startswith(tuple(f"{one}/" for one in folders))]
        own = bool(left) or (not folders and "conftest.py" in facts.by_name)
        root = [Step(self, COMMAND, guessed=True)] if own else []
        return [*root, *(Step(self, COMMAND, folder, guessed=True) for folder in folders)]

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`."""
        return path.endswith(".py") or facts.settings.is_test_file(path)

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        looked = places(step, facts)
        canaries = place_beside(files, *_inside(step, facts), looked)
        planted = [one.path for one in canaries]
        told = [*files, *planted] if files else unseen(planted, looked)
        return Invocation(
            command=f'{step.command} "$@"',
            arguments=[*options(folders), f"--rootdir={folders.work}", *told],
            environment={"PYTHONDONTWRITEBYTECODE": "1"},
            canaries=canaries,
            reports=[f"{folders.run}/{_REPORT}"],
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        return junit_cases(reports, frozenset(_inside(step, facts)[0]))

    def died_importing(self, output: str) -> str:
        """See `Runner`."""
        if "while loading conftest" not in output:
            return ""
        lines = output.splitlines()
        return next((line[2:].strip() for line in lines if line.startswith("E ")), "ImportError")


def options(folders: Folders) -> list[str]:
    """Return options that make pytest report to the loop and nowhere else."""
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
    """Place a canary among the tests of a run."""
    return place(files, *_inside(step, facts), places(step, facts))


def _packages(facts: Facts) -> list[str]:
    """Return the folders below the root that have pytest settings."""
    found = {
        posixpath.dirname(path)
        for name in CONFIG_NAMES
        for path in facts.by_name.get(name, ())
        if not _NEVER.intersection(path.split("/")) and section(name, facts.read(path) or b"") is not None
    }
    return sorted(found - {""})


def _inside(step: Step, facts: Facts) -> tuple[Sequence[str], PytestSettings]:
    """Return test files and settings as the command sees them."""
    if not step.folder:
        return facts.test_files, facts.settings
    paths = [step.inner(path) for path in facts.test_files if path.startswith(f"{step.folder}/")]
    return paths, read_settings(lambda name: facts.read_if_there(step.outer(name)))


def junit_cases(reports: Mapping[str, bytes], paths: Collection[str]) -> list[Case]:
    """Return the cases of JUnit files in the order of their names.

    Args:
        paths: test files as the reports name them.

    Raises:
        ReportError: a file is not JUnit XML, or there is no file.
    """
    if not reports:
        raise ReportError("there is no test report")
    return [case for name in sorted(reports) for case in read_report(reports[name], paths)]
