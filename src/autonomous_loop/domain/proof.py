"""What the loop itself saw: runs, verdicts, proofs."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from autonomous_loop.domain.feature import FeatureKind
from autonomous_loop.domain.model import CommitSha, FeatureId, Model, TreeSha

PROOF_SCHEMA: Literal[1] = 1

Mark = Literal[
    "weak red",  # red only because something the candidate adds could not be imported or compiled
    "no red",  # a refactor, a chore, or tests that cannot be swapped
    "by exit code",  # the runner shows no counts and the configuration allows that
    "model's command",  # the test command is the model's, not the project's
    "flaky",  # a known flaky test was left out of the judgement
    "for a person",  # a chore: only gates were run
]


class Reason(Model):
    """Why something was refused: `code` for programs, `text` for the model and for people."""

    code: str
    text: str


class TestCounts(Model):
    """Counts from a report, never from an exit code."""

    __test__ = False  # not a test class, whatever its name says

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    @property
    def executed(self) -> int:
        """How many ran to an end: skipped ones did not."""
        return self.passed + self.failed + self.errors


class TestRun(Model):
    """One run of a test command, as the loop saw it.

    Attributes:
        tree: the tracked files it ran on.
        exit_code: None when the deadline ended it.
        counts: None when no report could be read.
        passed: ids of the tests that passed (regression compares them).
        failing: ids of the tests that failed or errored.
        import_only: every failure is one of import or compilation.
        duration_s: wall seconds.
        excerpt: the end of its output, redacted, at most 4,000 characters.
    """

    __test__ = False

    command: str
    tree: TreeSha
    exit_code: int | None
    counts: TestCounts | None = None
    passed: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    import_only: bool = False
    duration_s: float = 0.0
    excerpt: str = Field(default="", max_length=4_000)


class Evidence(Model):
    """A picture or trace kept with a proof; `name` is its file name below `evidence/<feature>/`."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    sha256: str
    size: int


class Baseline(Model):
    """The project's own suite before anything was changed.

    Attributes:
        command: the suite's command; empty where the project has no suite.
        failing: known-failing tests: they refuse nothing.
        flaky: tests whose two outcomes differed.
        passed: how many passed in both runs.
    """

    command: str = ""
    failing: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    passed: int = 0


class Submission(Model):
    """What `submit_feature` brings: `tests` are files or test ids in the tree."""

    feature_id: FeatureId
    tests: tuple[str, ...] = Field(default=(), max_length=50)
    summary: str = Field(default="", max_length=10_000)


class Proof(Model):
    """Everything a person needs to replay the verdict.

    Attributes:
        before: the checkpoint it was proved against.
        after: the commit that was kept; None until it is.
        after_tree: the tree that was proved, and no other.
        notices: what a reviewer should look at: symlinks, executables, binaries, install scripts.
    """

    schema_version: Literal[1] = PROOF_SCHEMA
    feature_id: FeatureId
    kind: FeatureKind
    tests: tuple[str, ...]
    test_files: tuple[str, ...] = ()
    before: CommitSha
    after: CommitSha | None = None
    after_tree: TreeSha
    red: TestRun | None = None
    green: TestRun | None = None
    regression: TestRun | None = None
    end_to_end: bool = False
    gates: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    notices: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    summary: str = ""


class Verdict(Model):
    """The answer to a submission: a proof, or reasons."""

    accepted: bool
    reasons: tuple[Reason, ...] = ()
    proof: Proof | None = None

    @property
    def signature(self) -> str:
        """What failed, reduced to what identifies it: the same twice means the same mistake."""
        text = "\n".join(sorted(f"{reason.code} {reason.text}" for reason in self.reasons))
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self.reasons else ""


class GateReport(Model):
    """What the gate saw in a candidate.

    Attributes:
        refusals: empty when clean.
        notices: allowed, but pointed out to the reviewer.
        held_back: protected paths the candidate changes.
        gates: the project's own commands that were run and passed.
    """

    refusals: tuple[Reason, ...] = ()
    notices: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
