"""What the parts need from the outside, as Protocols; the folders hold the adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Claimant, Event, LoopFacts
from autonomous_loop.domain.feature import Feature, FeatureList
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Baseline, GateReport, Proof, Submission, Verdict
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.work import (
    BrowserResult,
    Change,
    CommandResult,
    HalfMerge,
    HowTestsRun,
    Touched,
)
from autonomous_loop.engine.agent_ports import Coder, Control, PlanControl, Planner
from autonomous_loop.engine.people_ports import Forge, HandoffStore, Inbox, Reporter

__all__ = [
    "Checkpoints",
    "Claimants",
    "Clock",
    "Coder",
    "Control",
    "Forge",
    "Gate",
    "HandoffStore",
    "Inbox",
    "Journal",
    "PlanControl",
    "Planner",
    "Progress",
    "Reporter",
    "Sandbox",
    "Trees",
    "Verifier",
    "Watch",
    "Workspace",
]


class Clock(Protocol):
    """The time, so that tests can say what it is."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


class Sandbox(Protocol):
    """The unprivileged side.

    Paths are relative to the work tree unless absolute; nothing here follows a link out of the hands' own
    folder, and every call has a deadline.
    """

    @property
    def work(self) -> str:
        """Absolute path of the work tree, as the hands see it."""

    @property
    def temporary(self) -> str:
        """Absolute path of the hands' own folder for temporary files (outside the work tree)."""

    @property
    def started(self) -> int:
        """How many processes were started so far; the same after two calls of `end_all`: none in between."""

    def lend(self, data: bytes) -> str:
        """A file that the hands may read and not change: its absolute path. The one lent before is gone."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        max_output: int = 1_000_000,
        merge_stderr: bool = True,
        program: str = "",
    ) -> CommandResult:
        """Run one command in a process group of its own; the deadline kills the whole group.

        `env` is added to the allow-listed environment. With `merge_stderr=False` a standard output longer
        than `max_output` raises SandboxCallError instead of being cut: what is read as data must be whole.
        `program` is the source of a program of the loop's own, run as `python -I -S` runs one, with `argv`
        as its arguments and without the start of an interpreter.
        """

    async def shell(self, command: str, *, timeout_s: float, max_output: int = 30_000) -> CommandResult:
        """Run `command` in the persistent bash; state (cwd, variables) stays. A deadline restarts it."""

    async def restart_shell(self) -> None:
        """End the persistent bash and what it started; the next `shell` starts afresh."""

    async def read_file(self, path: str, *, max_bytes: int) -> bytes:
        """Bytes of a regular file, read by a helper that runs as hands.

        Raises:
            SandboxCallError: not a regular file, a link on the way, too large, missing.
        """

    async def write_file(self, path: str, data: bytes) -> None:
        """Write a regular file below the work tree (folders are made), as hands."""

    async def find(self, folder: str, *, suffixes: Sequence[str], most: int) -> Sequence[str]:
        """Regular files below `folder` (relative to the work tree), sorted; links are not followed."""

    async def browse(
        self, action: str, *, url: str = "", selector: str = "", value: str = ""
    ) -> BrowserResult:
        """One action of the `browser` tool: goto, click, fill, press, screenshot, text."""

    async def watch(self, files: Sequence[str], folders: Sequence[str]) -> bool:
        """Let the kernel tell who opens or changes these, also by other names and through memory.

        Only while no process of the hands is alive. False: it cannot be
        told here, of these or at all, and nothing is watched any more.

        Args:
            files: of the work tree, relative to it.
            folders: too ("": the work tree itself); of one, what appears, goes or changes attributes in it.
        """

    def touched(self) -> Touched | None:
        """What was opened or changed of it since this was last asked; None: that may be anything."""

    async def end_all(self) -> None:
        """End every process of the hands, whatever session or group it moved itself to."""

    async def empty(self) -> None:
        """End all processes, then empty all that the sandbox can write; SandboxCallError: some stays."""

    async def close(self) -> None:
        """End everything and remove the hands' folder."""


class Trees(Protocol):
    """Objects in the loop's own bare repository: no work tree, nothing of the hands'."""

    def tree_of(self, commit: CommitSha) -> TreeSha:
        """The tree of a commit."""

    def changes(self, before: TreeSha, after: TreeSha) -> Sequence[Change]:
        """Paths that differ, sorted; renames are shown as D and A."""

    def paths(self, tree: TreeSha) -> Sequence[str]:
        """All paths of regular files and links, sorted."""

    def read(self, tree: TreeSha, path: str, *, max_bytes: int = 2_000_000) -> bytes | None:
        """Content of a blob, None where there is none; SandboxCallError: larger than `max_bytes`."""

    def overlay(self, base: TreeSha, source: TreeSha, paths: Sequence[str]) -> TreeSha:
        """`base` with each of `paths` as it is in `source` (removed where `source` has none)."""

    def patch(self, before: TreeSha, after: TreeSha, *, max_file: int | None = None) -> bytes | None:
        """The difference as a patch that `apply` takes; None when a file of it is larger than `max_file`."""

    def apply(self, base: TreeSha, patch: bytes) -> TreeSha | None:
        """`base` with the patch; None when it does not fit any more."""

    def write_blob(self, base: TreeSha, path: str, data: bytes) -> TreeSha:
        """`base` with one regular file of that content."""


class Workspace(Protocol):
    """The scratch clone the hands work in."""

    async def open(self, commit: CommitSha) -> None:
        """A fresh scratch clone at `commit`; what was there before is gone."""

    async def take(self) -> TreeSha:
        """The work tree as a tree in the loop's own repository: all files but ignored ones.

        Every process of the hands is ended first. Nothing in the scratch clone's own `.git` is trusted.

        Raises:
            SandboxCallError: a nested repository or gitlink, an object that fails the check, too large.
        """

    async def switch(self, tree: TreeSha) -> None:
        """Make the tracked files equal to `tree`, with fresh times.

        Ignored files stay, other untracked ones go.
        """


class Gate(Protocol):
    """What must be clean before a proof is tried."""

    async def check(self, before: TreeSha, after: TreeSha) -> GateReport:
        """Look at the candidate's tree (already in the work tree)."""


class Verifier(Protocol):
    """Red, green, regression, end-to-end."""

    async def how_tests_run(self, commit: CommitSha) -> HowTestsRun:
        """The commands that a proof on top of `commit` will use."""

    async def open_afresh(self, commit: CommitSha) -> None:
        """The workspace opened anew, and nothing left in the hands' home and temporary folder."""

    async def baseline(self, commit: CommitSha, *, proposed: str = "") -> Baseline:
        """The project's own suite, twice, on the untouched code (already in the work tree).

        Args:
            proposed: the model's test command. Where the project's files only let guess how its tests run,
                the run decides which of the two is taken; the baseline says which.

        Raises:
            ConfigurationError: there is a suite, but it cannot be run, holds no test, or nothing in it can
                be loaded; the message shows why.
        """

    async def prove(
        self,
        feature: Feature,
        submission: Submission,
        *,
        before: CommitSha,
        after: TreeSha,
        baseline: Baseline,
        passing: Mapping[str, Proof],
        gate: GateReport,
    ) -> tuple[Verdict, Mapping[str, bytes]]:
        """The verdict, and its evidence by name, of a refusal too. `after` is up before and afterwards."""

    async def clean_room(
        self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> Verdict:
        """Everything once more in a fresh clone with a fresh setup (the workspace is opened anew)."""

    async def suite(self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]) -> Verdict:
        """The whole suite in the work tree at hand; on acceptance the verdict carries its run."""

    async def culprits(
        self, commits: Sequence[CommitSha], *, lost: Sequence[str], passing: Mapping[str, Proof]
    ) -> Mapping[CommitSha, Sequence[str]]:
        """Which of `commits` broke which of the `lost` tests (none given: the suite itself); the last has."""


class Claimants(Protocol):
    """Who holds or held a claim, and whether they can still be at work."""

    def me(self) -> Claimant:
        """This process or CI job."""

    def is_alive(self, claimant: Claimant) -> bool:
        """Whether that session may still be writing; when it cannot be told, True."""


class Journal(Protocol):
    """The loop's own record; only the holder of the claim writes it."""

    def read(self) -> LoopRecord | None:
        """Everything folded, its chain checked; None when there is no journal.

        Raises:
            JournalError: a chain that fails, a newer schema.
        """

    def tip(self) -> CommitSha | None:
        """The state branch as last read or written."""

    def append(
        self,
        events: Sequence[Event],
        *,
        files: Mapping[str, bytes] | None = None,
        checkpoint: CommitSha | None = None,
        push: bool = True,
    ) -> CommitSha:
        """One commit, pushed without force; with `checkpoint`, that branch moves in the same atomic push.

        With `push=False` it is held back until `flush`, and so is its place among the events.

        Raises:
            Superseded: the state branch moved: another session holds the claim.
            TransientError, RepositoryError: it may have been written all the same; see `settle`.
        """

    def settle(self) -> None:
        """Write what an `append` left unsure, if it is not written; every other call does it first.

        Raises:
            as `append`.
        """

    def record(self) -> LoopRecord:
        """The record as last read or written."""

    def flush(self) -> None:
        """Push what was held back."""

    def begin(self, facts: LoopFacts) -> None:
        """Set up a journal that does not exist yet; the first `append` writes it."""

    def set_features(self, features: FeatureList) -> None:
        """The list as it is written with the next `append`."""

    def holds(self) -> bool:
        """Whether the remote still stands where this session left it."""

    def read_file(self, path: str) -> bytes | None:
        """A file of the state branch as last read."""


class Checkpoints(Protocol):
    """Proved commits, kept as branches."""

    def create(self, parent: CommitSha, tree: TreeSha, *, message: str) -> CommitSha:
        """A commit in the loop's own repository; it becomes a branch with the journal's push."""

    def merge(self, ours: CommitSha, theirs: CommitSha, *, message: str) -> CommitSha | None:
        """A merge commit; `theirs` when it contains `ours`; None on a conflict."""

    def half_merge(self, ours: CommitSha, theirs: CommitSha, *, message: str) -> HalfMerge | None:
        """A merge for somebody to end; None where the two have no common past."""

    def publish(self, commit: CommitSha, *, expected: CommitSha | None) -> CommitSha:
        """Move the `pr` branch.

        Raises:
            RepositoryError: it is refused until a person mends the cause.
            LoopError: somebody pushed to it meanwhile.
        """

    def head(self, branch: str) -> CommitSha | None:
        """A branch of the loop's own on the remote, fetched."""

    def base_head(self, branch: str) -> CommitSha | None:
        """A branch outside the loop's own, fetched."""

    def is_ancestor(self, older: CommitSha, newer: CommitSha) -> bool:
        """Whether `newer` contains `older`."""

    def fetch_all(self) -> None:
        """Bring every branch of the loop."""

    def prune(self, *, keep: int) -> None:
        """Delete all but the newest few checkpoint branches."""


class Watch(Protocol):
    """The session's limits, as a feature's work sees them."""

    def spend(self, spending: Spending, *, answered: bool) -> None:
        """Count what an answer of the model cost, or one that broke off (not `answered`)."""

    def over(self) -> HandoffReason | None:
        """Why the session must end now; None while it may go on."""

    def seconds_left(self) -> float:
        """Until the session's own deadline."""


class Progress(Protocol):
    """Where every surface that shows progress is told of it."""

    def step(self, text: str) -> None:
        """What is being done: one short line."""

    def update(self, record: LoopRecord, running: Spending) -> None:
        """Counts anew: the record, and what the running attempt has spent on top."""
