"""The interface of a test runner; each module beside this one is one runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary
from autonomous_loop.verify.results.report import Case


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a project's tests, and the runner that understands it.

    Attributes:
        command: for a shell; files and options are appended to it.
        folder: the folder it runs in; "" is the root. It sees the test files below it.
        guessed: nobody wrote the command; the project's files only suggest its runner.
    """

    runner: Runner
    command: str
    folder: str = ""
    guessed: bool = field(default=False, compare=False)

    def inner(self, path: str) -> str:
        """Turn a path of the tree into a path as the command sees it."""
        return path.removeprefix(f"{self.folder}/") if self.folder else path

    def outer(self, path: str) -> str:
        """Turn a path as the command sees it into a path of the tree."""
        return f"{self.folder}/{path}" if self.folder and path else path


@dataclass(frozen=True, slots=True)
class Folders:
    """The absolute paths of one run.

    Attributes:
        work: where the command runs (the work tree, or a folder in it).
        run: for this run alone; reports go there.
        temporary: the sandbox's folder for temporary files.
    """

    work: str
    run: str
    temporary: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """How to start a run, and where it reports.

    Attributes:
        command: for a shell; `"$@"` marks the place of the arguments.
        arguments: the command's arguments.
        environment: added to the sandbox's environment.
        canaries: tests that must fail, with paths as the command sees them. Empty: this runner cannot have
            any, and the proof says so.
        files: written into the run's own folder first, by name, such as a reporter.
        reports: shell patterns of the reports, absolute or as the command sees them. Matching files are
            removed before the run.
    """

    command: str
    arguments: Sequence[str]
    reports: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    canaries: Sequence[Canary] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


class Runner(Protocol):
    """Knows one test runner: which projects use it, how to call it, how to read its reports."""

    @property
    def name(self) -> str:
        """The runner's name, as its users say it."""

    @property
    def blinds(self) -> str:
        """Things that may hide a failing test, in the runner's own terms; used if the canary is missing."""

    def recognises(self, command: str, facts: Facts) -> bool:
        """Return whether a configured command calls this runner (`npm test` may, through package.json)."""

    def detect(self, facts: Facts) -> Sequence[Step]:
        """Return the runner's steps in a project without configuration; empty if the runner is not used."""

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """Return whether a whole run would collect a file, judging by its name and the project's settings."""

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """Describe a run of these test files, or of the whole suite if there are none.

        Args:
            files: as the command sees them.
            facts: facts about the tree that the run is on.
        """

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """Return the cases of a run, with files and ids as the command sees them (`file::name`).

        Args:
            reports: by file name; at least one.

        Raises:
            ReportError: the reports cannot be understood.
        """

    def died_importing(self, output: str) -> str:
        """The error if a run ended without a report because shared test code cannot be loaded; or ""."""
