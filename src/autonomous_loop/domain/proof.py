"""What the loop itself saw: runs, verdicts, proofs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from autonomous_loop.domain.feature import FeatureKind
from autonomous_loop.domain.model import CommitSha, FeatureId, Model, TreeSha
from autonomous_loop.domain.text import utf8

PROOF_SCHEMA: Literal[1] = 1
MOST_OWN = 2_000_000
"""Maximum bytes of a brief proof; a session's journal holds one for each feature."""
MOST_SUITE = 30_000_000
"""Maximum bytes with the ids of the whole suite; 200,000 tests with ids of 80 characters take 18 million."""

Mark = Literal[
    "weak red",  # red only because something the candidate adds could not be imported or compiled
    "no red",  # a refactor, a chore, something that holds already, or tests that cannot be swapped
    "already satisfied",  # the tests pass on the code before; no code was changed
    "no canary",  # the loop could plant no test of its own, so it trusts this runner's report
    "by exit code",  # the runner shows no counts, and the configuration allows that
    "model's command",  # the test command is the model's, not the project's
    "tests removed",  # older tests are gone, as a person allowed; the notices name them
    "flaky",  # a known flaky test did not count
    "not read",  # older tests changed, and nobody can tell whether they check as much as before
    "for a person",  # a chore; only gates were run
]


class Reason(Model):
    """The reason for a refusal: `code` for programs, `text` for the model and for people.

    The text may contain file names as they are.
    """

    code: str
    text: Annotated[str, AfterValidator(utf8)]


class TestCounts(Model):
    """Counts from a report, never from an exit code.

    Attributes:
        flaky: ran, but decide nothing; counted neither as passed nor as failed.
    """

    __test__ = False  # not a test class, whatever its name says

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    flaky: int = 0

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
        flaky: ids of tests that both passed and failed on the same code; they are in no other list.
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
    flaky: tuple[str, ...] = ()
    import_only: bool = False
    duration_s: float = 0.0
    excerpt: str = Field(default="", max_length=4_000)


class GateRun(Model):
    """One run of a command of the project's own that must be clean: format, lint, types, build.

    Attributes:
        tree: the tracked files it ran on.
        exit_code: None when the deadline ended it.
        changed: files of the project it changed, at most 20: a gate looks, it does not mend.
        duration_s: wall seconds.
        excerpt: the end of its output, redacted, at most 2,500 characters.
    """

    command: str
    tree: TreeSha
    exit_code: int | None
    changed: tuple[str, ...] = ()
    duration_s: float = 0.0
    excerpt: str = Field(default="", max_length=2_500)

    @property
    def clean(self) -> bool:
        """It ended well and left the project's files alone."""
        return self.exit_code == 0 and not self.changed

    @property
    def why_not(self) -> str:
        """Why it is not asked for, of a gate on the untouched code; empty where it is."""
        if self.changed:
            return f"{self.command} is no gate here: it changes {', '.join(self.changed[:3])}"
        how = f"exit code {self.exit_code}" if self.exit_code is not None else "no end in time"
        return "" if self.clean else f"{self.command} is no gate here: it fails on the untouched code ({how})"


class Evidence(Model):
    """A picture or trace kept with a proof; `name` is its file name below `evidence/<feature>/`."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelCommand:
    """The test command that the model proposed.

    Attributes:
        text: empty: none.
        tried: the baseline tried it, and used it instead of what the project's files only suggest.
    """

    text: str = ""
    tried: bool = False


class Baseline(Model):
    """The project's own suite and gates before any change.

    Attributes:
        command: the suite's command; empty if the project has no suite.
        model_command: the model's test command if tests run by it; empty if they do not; None in a record of
            an older version, which did not store it.
        failing: known-failing tests; they cause no refusal.
        flaky: tests whose two outcomes differed.
        passed: number of tests that passed in both runs.
        runs: the two runs; the first holds the ids of tests that passed in both.
        gates: each gate on the untouched code; a gate that is not clean there is not required later.
        last: the whole suite on the newest commit it held on, if it does not run for each feature.
    """

    command: str = ""
    model_command: str | None = None
    failing: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    passed: int = 0
    runs: tuple[TestRun, ...] = ()
    gates: tuple[GateRun, ...] = ()
    last: TestRun | None = None


class Submission(Model):
    """The input of `submit_feature`; `tests` are files or test ids in the tree."""

    feature_id: FeatureId
    tests: tuple[str, ...] = Field(default=(), max_length=50)
    summary: str = Field(default="", max_length=10_000)


class Proof(Model):
    """Everything a person needs to replay the verdict.

    Attributes:
        before: the checkpoint it was proved against.
        after: the commit that was kept; None until it is.
        after_tree: the tree that was proved, and no other.
        red: the submitted tests on the code before: at least one fails there. None where nothing can.
        was_green: instead of red, where the same tests must pass on the code before, too: a refactor, or a
            feature that is already satisfied.
        green: the submitted tests on the candidate.
        regression: the whole suite on the candidate; None: there is none, or it runs later
            (`regression: session | end`).
        end_to_end: those of the submitted tests that drive a browser, within green.
        baseline: the suite on the code the loop started from, without the ids of what passed there.
        gates: the project's own format, lint, type and build commands, on the candidate.
        flaky: tests that failed, but are known to pass and fail on the same code: nothing rests on them.
        notices: what a reviewer should look at: symlinks, executables, binaries, install scripts, files whose
            older tests could not be compared.
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
    was_green: TestRun | None = None
    green: TestRun | None = None
    regression: TestRun | None = None
    end_to_end: TestRun | None = None
    baseline: TestRun | None = None
    gates: tuple[GateRun, ...] = ()
    flaky: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    notices: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    summary: str = ""

    @property
    def brief(self) -> Proof:
        """The proof for the journal's events: without output, and without data that grows with the suite."""
        runs = ("red", "was_green", "green", "regression", "end_to_end")
        short: dict[str, object] = {
            name: run.model_copy(update={"excerpt": ""} | ({"passed": ()} if name == "regression" else {}))
            for name in runs
            if (run := getattr(self, name)) is not None
        }
        gates = tuple(gate.model_copy(update={"excerpt": ""}) for gate in self.gates)
        return self.model_copy(update={**short, "gates": gates, "baseline": None})


def oversized(made: Proof | Baseline) -> str:
    """Return why the journal cannot store it, and what to do; empty if it can."""
    own = len(made.brief.model_dump_json().encode()) if isinstance(made, Proof) else 0
    if own > MOST_OWN:
        return _too_long("the feature's own tests", own, MOST_OWN)
    size = len(made.model_dump_json(indent=1).encode())
    return _too_long("the whole suite's tests", size, MOST_SUITE) if size > MOST_SUITE else ""


def _too_long(whose: str, size: int, most: int) -> str:
    return (
        f"the ids of {whose} are too many or too long: what is kept of them takes {size:,} bytes, and"
        f" {most:,} is the most; give parametrized tests short ids, or run fewer of them"
    )


class Verdict(Model):
    """The answer to a submission: a proof, or reasons.

    Attributes:
        lost: ids of tests that passed before but do not now, if that is the reason.
        suite: the run, if the whole suite was asked for.
    """

    accepted: bool
    reasons: tuple[Reason, ...] = ()
    proof: Proof | None = None
    lost: tuple[str, ...] = ()
    suite: TestRun | None = None

    @property
    def signature(self) -> str:
        """Identifies the failure, so that an equal signature means the same mistake again."""
        text = "\n".join(sorted(f"{reason.code} {reason.text}" for reason in self.reasons))
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self.reasons else ""


class GateReport(Model):
    """What the gate found in a candidate.

    Attributes:
        refusals: empty if clean.
        notices: allowed, but shown to the reviewer.
        held_back: protected paths that the candidate changes.
    """

    refusals: tuple[Reason, ...] = ()
    notices: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
