"""The proof's verdict on any two commits of any repository: no forge, no key, no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autonomous_loop.compose import configuration
from autonomous_loop.domain.feature import Feature, FeatureKind, slug
from autonomous_loop.domain.model import CommitSha, scrubbed
from autonomous_loop.domain.proof import Reason, Submission, Verdict
from autonomous_loop.errors import RepositoryError, UsageError
from autonomous_loop.git.project import Project
from autonomous_loop.proving_ground import ProvingGround, Taken, proving_ground, taken_from
from autonomous_loop.report.receipt import Receipt
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.surroundings import Surroundings
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.tree_facts import TreeFacts

MOST_TESTS = 50
WHOLE_HISTORY = (
    "fetch the whole history: in CI, `fetch-depth: 0` of actions/checkout; elsewhere `git fetch --unshallow`."
)


class NoTests(UsageError):  # noqa: N818 - what was found, not a fault of ours
    """No tests were named, and no test file differs."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be proved.

    Attributes:
        folder: a git directory; its checkout is not touched.
        base: a revision; the code before is where head left it.
        head: a revision; empty: HEAD.
        tests: files, folders or test ids in head; empty: the test files that differ.
        overrides: configuration keys over the project's own.
    """

    folder: Path
    base: str
    head: str = ""
    tests: tuple[str, ...] = ()
    kind: FeatureKind = FeatureKind.BEHAVIOUR
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        """What else was asked, as it is written on the command line."""
        kind = () if self.kind is FeatureKind.BEHAVIOUR else ("--kind", str(self.kind))
        settings = (word for key, value in self.overrides.items() for word in ("--set", f"{key}={value}"))
        return (*kind, *settings)


async def prove(question: Question, around: Surroundings, *, say: Callable[[str], object]) -> Receipt:
    """The verdict, by the loop's own verifier and hands.

    Args:
        say: told of each step and of what a person should know of the question.

    Raises:
        RepositoryError: no git repository, an unknown revision, no common past.
        NoTests: nothing was named, and nothing differs that is a test.
        UsageError: base and head do not differ, or a test that is none.
        ConfigurationError: the suite cannot be run on the code before.
        SandboxError: the hands cannot be kept apart here.
    """
    with taken_from(question.folder, around) as taken:
        named = taken.source.commit(question.base)
        head = taken.source.commit(question.head or "HEAD")
        if not question.head and (left_out := Project.open(question.folder).left_out):
            say(f"uncommitted work is left out: {', '.join(left_out[:5])}")
        base = _before(taken, named, head)
        if base != named:
            say(f"base is {base[:12]}, where head left {question.base}")
        work = _difference(taken, base, head)
        config = configuration(taken.repository, base, overrides=question.overrides)
        # When a loop runs the whole suite says nothing of a verdict by itself, which has no later.
        config = config.model_copy(update={"regression": "feature"})
        tests = question.tests or _tests_of(work, question.kind)
        subject = taken.repository.git.text("log", "-1", "--format=%s", head)
        async with proving_ground(taken, config, around, removed_tests=config.removed_tests) as ground:
            verdict, protected = await _judge(ground, question.kind, base, head, tests, subject, say)
        if question.tests and [reason.code for reason in verdict.reasons] == ["bad-test"]:
            raise UsageError(verdict.reasons[0].text, hint="name files, folders or test ids that head has.")
        return Receipt(
            verdict=scrubbed(verdict, Redactor(around.secrets).text),
            base=base,
            base_named=named,
            head=head,
            subject=subject,
            tests=tests,
            found=not question.tests,
            options=question.options,
            protected=protected,
        )


def _before(taken: Taken, named: CommitSha, head: CommitSha) -> CommitSha:
    """Where head left base: a base branch may have moved on since."""
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


def _tests_of(work: Candidate, kind: FeatureKind) -> tuple[str, ...]:
    """The test files that differ; of a refactor, where none may, all of them by their topmost folders."""
    there = frozenset(work.new_test_files)
    if kind is FeatureKind.REFACTOR:
        found = sorted({path.split("/")[0] for path in there})
    else:
        found = [one.path for one in work.changes if one.path in there and one.status != "D"]
    if not found:
        raise NoTests(
            "no test file differs between base and head: there is nothing that could turn from red to green",
            hint="name the tests that show the change with --test; or say --kind refactor where behaviour"
            " is meant to stay as it is.",
        )
    if len(found) > MOST_TESTS:
        raise UsageError(
            f"{len(found)} test files differ; {MOST_TESTS} is the most that can be proved at once",
            hint="name those that show the change with --test (a folder stands for what is below it).",
        )
    return tuple(found)


async def _judge(
    ground: ProvingGround,
    kind: FeatureKind,
    base: CommitSha,
    head: CommitSha,
    tests: tuple[str, ...],
    subject: str,
    say: Callable[[str], object],
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and the protected paths that differ: those are a person's to change."""
    trees = ground.repository
    before, after = trees.tree_of(base), trees.tree_of(head)
    await ground.workspace.open(head)
    if ground.setup:
        say("setup, in head's files")
        done = await ground.prepare()
        if done is not None and done.exit_code != 0:
            text = f"The setup fails ({ground.setup}):\n{done.text.strip()[-2_000:]}"
            return Verdict(accepted=False, reasons=(Reason(code="setup", text=text),)), ()
        await ground.workspace.switch(after)
    report = await ground.gate.check(before, after)
    if report.refusals:
        return Verdict(accepted=False, reasons=report.refusals), report.held_back
    say("baseline: the suite of base, twice")
    baseline = await ground.verifier.baseline(base)
    if baseline.failing and not baseline.passed:
        say("no test passes on base: --setup and --test-command say how they are run, if that is the reason")
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
    if verdict.proof:
        proof = verdict.proof.model_copy(update={"after": head})
        verdict = verdict.model_copy(update={"proof": proof})
    return verdict, report.held_back
