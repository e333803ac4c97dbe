"""What a test runner must be able to say; each module beside this one is one runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary
from autonomous_loop.verify.results.report import Case


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a project's tests, and who understands it.

    Attributes:
        command: for a shell; files and options are appended to it.
        folder: where it runs, in the tree; "" is the root. It sees the test files below it.
        guessed: nobody wrote the command: the files merely speak of its runner.
    """

    runner: Runner
    command: str
    folder: str = ""
    guessed: bool = field(default=False, compare=False)

    def inner(self, path: str) -> str:
        """A path of the tree as the command sees it."""
        return path.removeprefix(f"{self.folder}/") if self.folder else path

    def outer(self, path: str) -> str:
        """The reverse."""
        return f"{self.folder}/{path}" if self.folder and path else path


@dataclass(frozen=True, slots=True)
class Folders:
    """Absolute paths of one run.

    Attributes:
        work: where the command runs (the work tree, or a folder of it).
        run: of this run alone; reports go there.
        temporary: the hands' own folder for temporary files.
    """

    work: str
    run: str
    temporary: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a run is started, and where it tells what it saw.

    Attributes:
        command: for a shell; `"$@"` stands where the arguments go.
        arguments: of it.
        environment: added to the hands'.
        canaries: tests that must fail; their paths as the command sees them. Empty: this runner can have
            none, and the proof says so.
        files: laid into the run's own folder first, by name: a reporter, say.
        reports: shell patterns of the reports, absolute or as the command sees them. What matches before
            the run is removed.
    """

    command: str
    arguments: Sequence[str]
    reports: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    canaries: Sequence[Canary] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


class Runner(Protocol):
    """Knows one test runner: which projects use it, how it is called, how its reports read."""

    @property
    def name(self) -> str:
        """As its users call it."""

    @property
    def blinds(self) -> str:
        """What, in its own words, may keep a run from showing a test that fails: for a missing canary."""

    def recognises(self, command: str, facts: Facts) -> bool:
        """Whether a configured command calls this runner (`npm test` does by what package.json says)."""

    def detect(self, facts: Facts) -> Sequence[Step]:
        """The runner's steps in a project whose configuration says nothing; empty where it is not used."""

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """Whether a whole run would collect a file, going by its name and the project's settings."""

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """A run of these test files, or of the whole suite without any.

        Args:
            files: as the command sees them.
            facts: of the tree the run is on.
        """

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """The cases of a run. Files and ids are as the command sees them (`file::name`).

        Args:
            reports: by file name; at least one.

        Raises:
            ReportError: they cannot be understood.
        """

    def died_importing(self, output: str) -> str:
        """The error, where a run ended without a report because shared test code cannot be loaded; or ""."""
