"""Proves any two commits of any repository, without a forge, a key or a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autonomous_loop.domain.feature import Feature, FeatureKind, slug
from autonomous_loop.domain.model import CommitSha, scrubbed
from autonomous_loop.domain.proof import Baseline, Submission, Verdict
from autonomous_loop.errors import RepositoryError, SandboxCallError, UsageError
from autonomous_loop.git.project import Project
from autonomous_loop.report.receipt import Receipt
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.differing_tests import Differing, differing, named_by
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.verify.results.wording import listed
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import configuration
from autonomous_loop.wiring.verification import (
    Taken,
    VerificationEnvironment,
    taken_from,
    verification_environment,
)

MOST_TESTS = 50
# Refusal reasons that concern the environment, not the change.
ENVIRONMENT = frozenset({"setup", "environment"})
PREPARE = (
    "let the setup install what the tests need (--setup; in CI the input setup), or say how they run"
    " (--test-command); then ask again."
)
WHOLE_HISTORY = (
    "fetch the whole history: in CI, `fetch-depth: 0` of actions/checkout; elsewhere `git fetch --unshallow`."
)


class NoTests(UsageError):  # noqa: N818 - what was found, not a fault of ours
    """No tests were named, and nothing below a test root differs."""


class NoVerdict(UsageError):  # noqa: N818 - nothing is said of the change
    """The tests could not be run here, so there is no verdict on the change."""


@dataclass(frozen=True, slots=True)
class Question:
    """The change to prove.

    Attributes:
        folder: a git directory; its checkout is not touched.
        base: a revision; `head` is compared with their merge base.
        head: a revision; empty: HEAD.
        tests: files, folders or test ids in head; empty: the test files that differ, or else those that read
            what differs below a test root.
        overrides: configuration keys that take precedence over the project's own.
    """

    folder: Path
    base: str
    head: str = ""
    tests: tuple[str, ...] = ()
    kind: FeatureKind = FeatureKind.BEHAVIOUR
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        """Return the other options as they are written on the command line."""
        kind = () if self.kind is FeatureKind.BEHAVIOUR else ("--kind", str(self.kind))
        settings = (word for key, value in self.overrides.items() for word in ("--set", f"{key}={value}"))
        return (*kind, *settings)


async def prove(question: Question, runtime: RuntimeEnvironment, *, say: Callable[[str], object]) -> Receipt:
    """Return the verdict of the loop's own verifier, run in the sandbox.

    Args:
        say: called at each step, and with notes about the change.

    Raises:
        RepositoryError: no git repository, an unknown revision, or no common history.
        NoTests: no tests were named, and no test or test support file differs.
        UsageError: base and head do not differ, or a named test is no test.
        ConfigurationError: the suite cannot be run on the code before.
        NoVerdict: the setup fails, or the tests do not run here.
        SandboxError: the sandbox cannot be isolated here.
    """
    with taken_from(question.folder, runtime) as taken:
        named = taken.source.commit(question.base)
        head = taken.source.commit(question.head or "HEAD")
        if not question.head and (left_out := Project.open(question.folder).left_out):
            say(f"uncommitted work is left out: {', '.join(left_out[:5])}")
        base = _before(taken, named, head)
        if base != named:
            say(f"base is {base[:12]}, where head left {question.base}")
        work = _difference(taken, base, head)
        config = configuration(taken.repository, base, overrides=question.overrides)
        # `regression` delays the suite for a loop. A single verdict has no later point, so run the suite now.
        config = config.model_copy(update={"regression": "feature"})
        asked = Differing(question.tests) if question.tests else _tests_of(work, question.kind)
        if asked.data:
            say(f"no test file differs, but this does: {listed(asked.data)}; the tests by it are run")
        subject = taken.repository.git.text("log", "-1", "--format=%s", head)
        async with verification_environment(
            taken, config, runtime, removed_tests=config.removed_tests
        ) as ground:
            try:
                verdict, protected, tests = await _judge(
                    ground, question.kind, base, head, asked, subject, say
                )
            except SandboxCallError as error:
                raise NoVerdict(error.message, hint=error.hint or PREPARE) from None
        if question.tests and [reason.code for reason in verdict.reasons] == ["bad-test"]:
            raise UsageError(verdict.reasons[0].text, hint="name files, folders or test ids that head has.")
        return Receipt(
            verdict=scrubbed(verdict, Redactor(runtime.secrets).text),
            base=base,
            base_named=named,
            head=head,
            subject=subject,
            tests=tests,
            found=not question.tests,
            data=asked.data,
            options=question.options,
            protected=protected,
        )


def _before(taken: Taken, named: CommitSha, head: CommitSha) -> CommitSha:
    """Return the merge base of head and base, because a base branch may have moved on."""
    taken.source.bring(taken.repository, [f"{named}:refs/prove/base", f"{head}:refs/prove/head"])
    done = taken.repository.git.run("merge-base", named, head)
    found = done.stdout.decode().strip()
    if not found:
        shallow = taken.source.shallow
        why = "this clone is shallow" if shallow else "their histories have nothing in common"
        raise RepositoryError(
            f"{named[:12]} and {head[:12]} have no common commit here: {why}",
            hint=WHOLE_HISTORY if shallow else "name a base that head was made from.",
        )
    return CommitSha(found)


def _difference(taken: Taken, base: CommitSha, head: CommitSha) -> Candidate:
    before, after = taken.repository.tree_of(base), taken.repository.tree_of(head)
    if base == head or before == after:
        what = "base contains head already" if base == head else "base and head hold the same files"
        raise UsageError(
            f"there is nothing to prove: {what}", hint="name the commit before the change with --base."
        )
    return Candidate(TreeFacts(taken.repository), before, after)


def _tests_of(work: Candidate, kind: FeatureKind) -> Differing:
    """Return the tests for a change; for a refactor, which may change none, all tests by folders."""
    found = differing(work)
    if kind is FeatureKind.REFACTOR and work.new_test_files:
        found = Differing(tuple(sorted({path.split("/")[0] for path in work.new_test_files})))
    hint = (
        "name the tests that show the change with --test; or say --kind refactor where behaviour is meant to"
        " stay as it is."
    )
    if found.data and not found.tests:
        raise UsageError(
            f"this differs and is there for tests, but no test file is known here: {listed(found.data)}",
            hint=hint,
        )
    if not found.tests:
        raise NoTests(
            "no test file differs between base and head: there is nothing that could turn from red to green",
            hint=hint,
        )
    if not found.data:
        _refuse_too_many(found.tests)
    return found


def _refuse_too_many(tests: Collection[str], what: str = "test files differ") -> None:
    if len(tests) > MOST_TESTS:
        raise UsageError(
            f"{len(tests)} {what}; {MOST_TESTS} is the most that can be proved at once",
            hint="name those that show the change with --test (a folder stands for what is below it).",
        )


async def _judge(
    ground: VerificationEnvironment,
    kind: FeatureKind,
    base: CommitSha,
    head: CommitSha,
    asked: Differing,
    subject: str,
    say: Callable[[str], object],
) -> tuple[Verdict, tuple[str, ...], tuple[str, ...]]:
    """Return the verdict, the protected paths that differ (a person must change those), and the tests."""
    tests = asked.tests
    trees = ground.repository
    before, after = trees.tree_of(base), trees.tree_of(head)
    await ground.workspace.open(head)
    if ground.setup:
        say("setup, in head's files")
        done = await ground.prepare()
        if done is not None and done.exit_code != 0:
            raise NoVerdict(f"the setup fails ({ground.setup}):\n{done.text.strip()[-2_000:]}", hint=PREPARE)
        await ground.workspace.switch(after)
    report = await ground.gate.check(before, after)
    if report.refusals:
        return Verdict(accepted=False, reasons=report.refusals), report.held_back, tests
    say("baseline: the suite of base, twice")
    baseline = await ground.verifier.baseline(base)
    if baseline.failing and not baseline.passed:
        say("no test passes on base: --setup and --test-command say how they are run, if that is the reason")
    if asked.data:
        tests = _few(asked, baseline, Candidate(TreeFacts(trees), before, after))
    say("proving: red, green, regression")
    await ground.workspace.switch(after)
    feature_id = slug(subject, fallback="change")
    verdict, _ = await ground.verifier.prove(
        Feature(id=feature_id, kind=kind, description=subject[:4_000] or feature_id),
        Submission(feature_id=feature_id, tests=tests),
        before=base,
        after=after,
        baseline=baseline,
        passing={},
        gate=report,
    )
    # A runner that never ran here is missing; a runner that ran before was broken by the change.
    of_the_place = ENVIRONMENT if baseline.passed else ENVIRONMENT | {"no-report"}
    if verdict.reasons and all(reason.code in of_the_place for reason in verdict.reasons):
        raise NoVerdict("\n".join(reason.text for reason in verdict.reasons), hint=PREPARE)
    if verdict.proof:
        proof = verdict.proof.model_copy(update={"after": head})
        verdict = verdict.model_copy(update={"proof": proof})
    return verdict, report.held_back, tests


def _few(asked: Differing, baseline: Baseline, work: Candidate) -> tuple[str, ...]:
    """Limit the tests that may read what differs to as many as can be proved at once."""
    tests = asked.that_ran(baseline)
    if len(tests) > MOST_TESTS:
        tests = named_by(tests, asked.data, work) or tests
    _refuse_too_many(tests, "test files may read what differs")
    return tests
