"""Protocols for what the engine needs from outside. The adapter folders implement them."""

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
    """Tells the time, so that tests can control it."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never decrease."""


class Sandbox(Protocol):
    """Runs code as an unprivileged user.

    Paths are relative to the work tree unless absolute. No call follows a link out of the sandbox's own
    folder, and every call has a deadline.
    """

    @property
    def work(self) -> str:
        """Absolute path of the work tree, as seen in the sandbox."""

    @property
    def temporary(self) -> str:
        """Absolute path of the sandbox's own temporary folder, outside the work tree."""

    @property
    def started(self) -> int:
        """Number of processes started so far. If two `end_all` calls leave it equal, none ran in between."""

    def lend(self, data: bytes) -> str:
        """Write a read-only file for the sandbox and return its absolute path; replaces the previous one."""

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

        `env` is added to the allow-listed environment. With `merge_stderr=False`, standard output longer than
        `max_output` raises SandboxCallError instead of being cut, because data must be read whole. `program`
        is the source of a program that belongs to the loop. It runs like `python -I -S`, with `argv` as its
        arguments, but without starting another interpreter.
        """

    async def shell(self, command: str, *, timeout_s: float, max_output: int = 30_000) -> CommandResult:
        """Run `command` in the persistent bash, which keeps cwd and variables. A deadline restarts it."""

    async def restart_shell(self) -> None:
        """End the persistent bash and everything it started; the next `shell` starts a new one."""

    async def read_file(self, path: str, *, max_bytes: int) -> bytes:
        """Return the bytes of a regular file, read by a helper inside the sandbox.

        Raises:
            SandboxCallError: the file is missing, too large, not regular, or reached through a link.
        """

    async def write_file(self, path: str, data: bytes) -> None:
        """Write a regular file below the work tree as the sandbox's user; folders are created."""

    async def find(self, folder: str, *, suffixes: Sequence[str], most: int) -> Sequence[str]:
        """List regular files below `folder` (relative to the work tree), sorted, without following links."""

    async def browse(
        self, action: str, *, url: str = "", selector: str = "", value: str = ""
    ) -> BrowserResult:
        """Perform one action of the `browser` tool: goto, click, fill, press, screenshot or text."""

    async def watch(self, files: Sequence[str], folders: Sequence[str]) -> bool:
        """Let the kernel report who opens or changes these, also by other names and through memory.

        Call it only while no process of the sandbox is alive. It returns False if these, or anything at all,
        cannot be watched here; then nothing is watched any more.

        Args:
            files: files of the work tree, relative to it.
            folders: folders to watch ("" is the work tree itself) for entries that appear, disappear or
                change attributes.
        """

    def touched(self) -> Touched | None:
        """Return what was opened or changed since the last call; None means it may be anything."""

    async def end_all(self) -> None:
        """End every process of the sandbox, even one that moved to another session or group."""

    async def empty(self) -> None:
        """End all processes and delete all the sandbox can write; SandboxCallError if something stays."""

    async def close(self) -> None:
        """End everything and remove the sandbox's folder."""


class Trees(Protocol):
    """Reads and writes objects in the loop's bare repository: no work tree, nothing from the sandbox."""

    def tree_of(self, commit: CommitSha) -> TreeSha:
        """Return the tree of a commit."""

    def changes(self, before: TreeSha, after: TreeSha) -> Sequence[Change]:
        """List paths that differ, sorted; a rename is a D and an A."""

    def paths(self, tree: TreeSha) -> Sequence[str]:
        """List all paths of regular files and links, sorted."""

    def read(self, tree: TreeSha, path: str, *, max_bytes: int = 2_000_000) -> bytes | None:
        """Return a blob's content, None if there is none; SandboxCallError if larger than `max_bytes`."""

    def overlay(self, base: TreeSha, source: TreeSha, paths: Sequence[str]) -> TreeSha:
        """Return `base` with each of `paths` as in `source`, or removed if `source` lacks it."""

    def patch(self, before: TreeSha, after: TreeSha, *, max_file: int | None = None) -> bytes | None:
        """Return the difference as a patch for `apply`; None if a file in it is larger than `max_file`."""

    def apply(self, base: TreeSha, patch: bytes) -> TreeSha | None:
        """Return `base` with the patch applied; None if it no longer fits."""

    def write_blob(self, base: TreeSha, path: str, data: bytes) -> TreeSha:
        """Return `base` with one regular file of that content."""


class Workspace(Protocol):
    """The scratch clone in which the sandbox works."""

    async def open(self, commit: CommitSha) -> None:
        """Create a fresh scratch clone at `commit`, replacing the old one."""

    async def take(self) -> TreeSha:
        """Return the work tree as a tree in the loop's own repository: all files except ignored ones.

        It ends every process of the sandbox first. It trusts nothing in the scratch clone's own `.git`.

        Raises:
            SandboxCallError: a nested repository or gitlink, an object that fails the check, too large.
        """

    async def switch(self, tree: TreeSha) -> None:
        """Make the tracked files equal to `tree`, with fresh times.

        Ignored files stay; other untracked files are removed.
        """


class Gate(Protocol):
    """The checks that must be clean before a proof is tried."""

    async def check(self, before: TreeSha, after: TreeSha) -> GateReport:
        """Check the candidate's tree, which is already in the work tree."""


class Verifier(Protocol):
    """Proves features: red, green, regression, end-to-end."""

    async def how_tests_run(self, commit: CommitSha) -> HowTestsRun:
        """Return the commands that a proof on top of `commit` will use."""

    async def open_afresh(self, commit: CommitSha) -> None:
        """Open the workspace anew, and empty the sandbox's home and temporary folder."""

    async def baseline(self, commit: CommitSha, *, proposed: str = "") -> Baseline:
        """Run the project's own suite twice on the untouched code, which is already in the work tree.

        Args:
            proposed: the model's test command. If the project's files only let the loop guess how its tests
                run, the run decides which of the two is used; the baseline records which.

        Raises:
            ConfigurationError: there is a suite, but it cannot be run, has no tests, or none of them can be
                loaded; the message shows why.
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
        """Return the verdict and its evidence by name, also for a refusal.

        `after` is in the work tree before and after the call.
        """

    async def clean_room(
        self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> Verdict:
        """Prove everything once more in a fresh clone with a fresh setup. The workspace is opened anew."""

    async def suite(self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]) -> Verdict:
        """Run the whole suite in the current work tree; an accepted verdict carries the run."""

    async def culprits(
        self, commits: Sequence[CommitSha], *, lost: Sequence[str], passing: Mapping[str, Proof]
    ) -> Mapping[CommitSha, Sequence[str]]:
        """Find which of `commits` broke which of the `lost` tests; at the last commit all are broken.

        An empty `lost` stands for the suite itself.
        """


class Claimants(Protocol):
    """Tells who holds or held a claim, and whether they may still be at work."""

    def me(self) -> Claimant:
        """Return this process or CI job."""

    def is_alive(self, claimant: Claimant) -> bool:
        """Whether that session may still be writing; True if unknown."""


class Journal(Protocol):
    """The loop's own record. Only the holder of the claim writes it."""

    def read(self) -> LoopRecord | None:
        """Fold all events into the record and check their chain; None if there is no journal.

        Raises:
            JournalError: a chain that fails to verify, or a newer schema.
        """

    def tip(self) -> CommitSha | None:
        """Return the state branch's commit as last read or written."""

    def append(
        self,
        events: Sequence[Event],
        *,
        files: Mapping[str, bytes] | None = None,
        checkpoint: CommitSha | None = None,
        push: bool = True,
    ) -> CommitSha:
        """Push one commit without force; with `checkpoint`, that branch moves in the same atomic push.

        With `push=False` the commit waits for `flush` and keeps its position among the events.

        Raises:
            Superseded: the state branch moved, so another session holds the claim.
            TransientError, RepositoryError: the events may have been written all the same; see `settle`.
        """

    def settle(self) -> None:
        """Write the events of an uncertain `append` if they are missing; every other call does this first.

        Raises:
            as `append`.
        """

    def record(self) -> LoopRecord:
        """Return the record as last read or written."""

    def flush(self) -> None:
        """Push commits that were held back."""

    def begin(self, facts: LoopFacts) -> None:
        """Prepare a journal that does not exist yet; the first `append` writes it."""

    def set_features(self, features: FeatureList) -> None:
        """Set the feature list for the next `append` to write."""

    def holds(self) -> bool:
        """Whether the remote still is where this session left it."""

    def read_file(self, path: str) -> bytes | None:
        """Return a file of the state branch as last read."""


class Checkpoints(Protocol):
    """Proved commits, kept as branches."""

    def create(self, parent: CommitSha, tree: TreeSha, *, message: str) -> CommitSha:
        """Create a commit in the loop's own repository; the journal's push makes it a branch."""

    def merge(self, ours: CommitSha, theirs: CommitSha, *, message: str) -> CommitSha | None:
        """Return a merge commit, `theirs` if it contains `ours`, or None on a conflict."""

    def half_merge(self, ours: CommitSha, theirs: CommitSha, *, message: str) -> HalfMerge | None:
        """Return an unfinished merge for someone to complete; None if the two share no history."""

    def publish(self, commit: CommitSha, *, expected: CommitSha | None) -> CommitSha:
        """Move the `pr` branch.

        Raises:
            RepositoryError: the push is refused until a person fixes the cause.
            LoopError: someone else pushed to it meanwhile.
        """

    def head(self, branch: str) -> CommitSha | None:
        """Fetch one of the loop's own branches and return its commit."""

    def base_head(self, branch: str) -> CommitSha | None:
        """Fetch a branch outside the loop's own and return its commit."""

    def is_ancestor(self, older: CommitSha, newer: CommitSha) -> bool:
        """Whether `newer` contains `older`."""

    def fetch_all(self) -> None:
        """Fetch every branch of the loop."""

    def prune(self, *, keep: int) -> None:
        """Delete all but the newest `keep` checkpoint branches."""


class Watch(Protocol):
    """The session's limits, as seen by the work on a feature."""

    def spend(self, spending: Spending, *, answered: bool) -> None:
        """Count the cost of a model answer, or of one that broke off (not `answered`)."""

    def over(self) -> HandoffReason | None:
        """Return why the session must end now; None if it may go on."""

    def seconds_left(self) -> float:
        """Return the seconds until the session's own deadline."""


class Progress(Protocol):
    """Receives progress and passes it to every surface that shows it."""

    def step(self, text: str) -> None:
        """Show the current step in one short line."""

    def update(self, record: LoopRecord, running: Spending) -> None:
        """Update the counts from the record, plus what the running attempt has spent."""
