"""Proves one submission step by step: gates, red, green, end-to-end, regression, changed tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.feature import Feature, FeatureKind
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.proof import (
    Baseline,
    GateReport,
    Mark,
    Proof,
    Reason,
    Submission,
    TestRun,
    Verdict,
)
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.comparison import (
    Failures,
    judge_green,
    must_still_pass,
    narrowed,
    submitted,
)
from autonomous_loop.verify.e2e import BrowserE2ETester
from autonomous_loop.verify.execution.bench import TestBench, believed
from autonomous_loop.verify.execution.flaky import refuse_flaky_green, steady_red
from autonomous_loop.verify.execution.regression import Regression, RegressionCheck
from autonomous_loop.verify.execution.running import RunResult
from autonomous_loop.verify.gates import ProjectGates
from autonomous_loop.verify.project.selection import Selection
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed
from autonomous_loop.verify.rules.already_satisfied import AlreadySatisfied
from autonomous_loop.verify.rules.changed_tests import judge_changed_tests
from autonomous_loop.verify.rules.inline_tests import judge_without_red, swappable
from autonomous_loop.verify.rules.known_failing import Kept, KnownFailing, left_out
from autonomous_loop.verify.rules.test_surroundings import not_read
from autonomous_loop.verify.rules.vacuous_tests import refuse_idle


@dataclass(frozen=True, slots=True)
class Proving:
    """A submission on its way to a verdict.

    Attributes:
        satisfied: decides which features may be accepted without a code change.
        work: the candidate and its checkpoint.
        before: the checkpoint.
        passing: the proofs of the features that pass.
        gate: the gate's report.
        afresh: empties the sandbox and puts up the candidate, before the red run and before the green run;
            None: neither run needs it.
        suite_now: whether the whole suite runs for this feature; otherwise it runs at the end of the session
            or loop.
    """

    bench: TestBench
    gates: ProjectGates
    regression: RegressionCheck
    browser: BrowserE2ETester
    satisfied: AlreadySatisfied
    feature: Feature
    submission: Submission
    before: CommitSha
    work: Candidate
    baseline: Baseline
    passing: Mapping[str, Proof]
    gate: GateReport
    afresh: Callable[[], Awaitable[None]] | None
    suite_now: bool

    async def run(self) -> tuple[Verdict, Mapping[str, bytes]]:
        """Run all steps; return the verdict with the proof, and the pictures by name.

        Raises:
            Refused: the proof fails; holds the reasons.
        """
        if self.gate.refusals:
            raise Refused(*self.gate.refusals)
        selection = self._selection()
        await self._read(selection)
        gates = await self.gates.check(self.work.after, self.baseline)
        known = KnownFailing(self.work, selection, self.baseline, self.passing)
        old = await self._on_old_code(selection, known)
        await self._empty()
        await self.bench.put_up(self.work.after)
        kept = await self._green(selection, known, old)
        green = kept.result if kept else None
        if old and kept and kept.failing:
            old = left_out(old, kept.failing)
            if self.feature.kind is FeatureKind.BEHAVIOUR and not _failing(selection, old):
                self.satisfied.refuse_unless_confirmed(self.feature.id, selection, self.work)
        red, was_green = (old, None) if old and _failing(selection, old) else (None, old)
        mine = submitted(selection, green.cases) if green else ()
        if red:
            self._judge_red(selection, red, mine)
        elif was_green and self.feature.kind is FeatureKind.BEHAVIOUR:
            self.satisfied.refuse_empty(self.work, mine)
        elif self.feature.kind is FeatureKind.BEHAVIOUR:
            judge_without_red(self.work, mine)
        browser_tests = frozenset(self.browser.browser_tests(self.work.after, mine))
        missing = self.browser.judge(self.feature, sorted(browser_tests))
        if missing and self.feature.kind is FeatureKind.BEHAVIOUR:
            raise Refused(missing)
        evidence, pictures = await self.browser.collect() if browser_tests else ((), {})
        regression, unread = await self._regress(mine, red)
        kept_red = _submitted_run(selection, red)
        flaky = {*(regression.flaky if regression else ()), *(kept.flaky if kept else ())}
        proof = Proof(
            feature_id=self.feature.id,
            kind=self.feature.kind,
            tests=selection.tests,
            test_files=selection.files,
            before=self.before,
            after_tree=self.work.after,
            red=kept_red,
            was_green=_submitted_run(selection, was_green),
            green=_submitted_run(selection, green),
            regression=regression.run if regression else None,
            end_to_end=_browser_run(green, browser_tests) if green and browser_tests else None,
            baseline=next((run.model_copy(update={"passed": ()}) for run in self.baseline.runs), None),
            gates=gates,
            flaky=tuple(sorted(flaky)),
            marks=(
                *self._marks(
                    kept_red,
                    was_green,
                    [one for one in (old, green) if one],
                    regression,
                    flaky=bool(flaky),
                ),
                *(("not read",) if unread else ()),
            ),
            notices=(
                *self.gate.notices,
                *(kept.told if kept else ()),
                *_gone(regression),
                *(f"not read: {path}" for path in unread),
            ),
            evidence=evidence,
            summary=self.submission.summary,
        )
        return Verdict(accepted=True, proof=proof), pictures

    def _selection(self) -> Selection:
        selection = self.work.select(self.submission.tests)
        if not selection.tests and self.feature.kind is not FeatureKind.CHORE:
            text = "No tests were submitted. Name the test files, or test ids, that show this feature."
            raise Refused(Reason(code="no-tests", text=text))
        if self.feature.kind is FeatureKind.REFACTOR and self.work.test_paths:
            text = f"A refactor leaves the tests as they are; these differ: {listed(self.work.test_paths)}."
            raise Refused(Reason(code="tests-touched", text=text))
        return selection

    async def _read(self, selection: Selection) -> None:
        """Read the sources with tests in a separate process."""
        await self.work.read_ahead([*selection.files, *self.work.test_paths])
        unread = {file: self.work.source(self.work.after, file).unread for file in selection.files}
        if any(unread.values()):
            told = listed([f"{file} ({why})" for file, why in unread.items() if why])
            text = f"These test files could not be read, so nobody can tell what they check: {told}."
            raise Refused(Reason(code="unreadable", text=text))

    async def _on_old_code(self, selection: Selection, known: KnownFailing) -> RunResult | None:
        """Run the candidate's tests on the checkpoint's code.

        Not all of them may pass there. For a refactor they must all pass, and for a feature that is already
        satisfied they may.
        """
        if self.feature.kind is FeatureKind.CHORE:
            return None
        files = swappable(selection.files)
        tree = self.work.red_tree(self.work.before, files)
        if self.feature.kind is FeatureKind.REFACTOR:
            files = [*selection.files]
        elif not files:
            return None
        await self._empty()
        await self.bench.put_up(tree)
        # Run changed older tests too: a loosened one would also pass here.
        files = sorted({*files, *self.work.changed_test_files})
        old = await self.bench.on_old_code(self.work.before, files, tree)
        old = known.steady(old)
        if self.feature.kind is FeatureKind.REFACTOR:
            failing = _failing(selection, known.kept(old).result)
            if failing:
                text = (
                    "A refactor keeps what holds already, and these tests fail on the code as it was before"
                    f" your work: {listed([case.id for case in failing])}. Submit tests that pass there."
                )
                raise Refused(Reason(code="not-green-before", text=text))
            passed = (case.id for case in old.cases if case.outcome == "passed")
            if idle := selection.untouched(passed):
                text = (
                    "A refactor keeps what holds already, and on the code as it was before your work no test"
                    f" was run to its end for: {listed(idle)}. Submit tests that run and pass there."
                )
                raise Refused(Reason(code="not-green-before", text=text))
            return old
        if _failing(selection, old):
            return await steady_red(self.bench, self.work, selection, old, tree)
        self.satisfied.refuse_unless_confirmed(self.feature.id, selection, self.work)
        return old

    async def _empty(self) -> None:
        """Remove everything that an earlier run left, so that only the code makes the difference."""
        if self.afresh is not None:
            await self.afresh()

    async def _green(
        self, selection: Selection, known: KnownFailing, before: RunResult | None
    ) -> Kept | None:
        """Run the submitted tests on the candidate; ignore those that failed before just as they do now."""
        if not selection.tests:
            return None
        await self.browser.clear()
        ran = believed(await self.bench.tests(self.work.before, selection.files, self.work.after))
        kept = known.kept(ran, before)
        green = kept.result
        self.bench.refuse_third_party(_failing(selection, green), self.work)
        aside = {case.id for case in ran.cases} - {case.id for case in green.cases}
        reasons = judge_green(selection, green.cases, green.run.command, self.bench.wording, known=aside)
        if reasons:
            _, pictures = await self.browser.collect()
            await refuse_flaky_green(self.bench, self.work, selection, green)
            raise Refused(*reasons, evidence=pictures)
        return kept

    def _judge_red(self, selection: Selection, red: RunResult, green: Sequence[Case]) -> None:
        """Require a test that was red before, is green after, and checks something."""
        failed = Failures(red.cases)
        turned = [case for case in green if case.outcome == "passed" and case.id in failed]
        if not turned:
            text = "No submitted test both fails on the code before and passes on yours. Assert what is new."
            raise Refused(Reason(code="no-red", text=text))
        before = _failing(selection, red)
        if not self.work.adds_dependencies:
            self.bench.refuse_third_party(before, self.work)
        refuse_idle(self.work, before, turned)

    async def _regress(
        self, green: Sequence[Case], red: RunResult | None
    ) -> tuple[Regression | None, Sequence[str]]:
        """Check the suite, the tree after it, and the older tests; return test files nobody can compare."""
        work = self.work
        if not (work.had_suite or work.has_suite or self.baseline.command):
            await self.bench.refuse_other_tree(work.after)
            return None, ()
        regression: Regression | None = None
        if self.suite_now:
            passed = await self.regression.passed_before(work, self.baseline, self.passing)
            new = [case.id for case in green if case.outcome == "passed"]
            regression = await self.regression.check(
                work, self.baseline, self.passing, passed, new=new, afresh=self.afresh
            )
        else:
            passed = self.regression.known_to_pass(self.baseline)
        await self.bench.refuse_other_tree(work.after)
        must = must_still_pass(passed, self.passing, self.baseline)
        must -= frozenset(regression.removed if regression else ())
        await judge_changed_tests(self.bench, work, self.passing, must, red.cases if red else ())
        return regression, not_read(work, must)

    def _marks(
        self,
        red: TestRun | None,
        was_green: RunResult | None,
        runs: Sequence[RunResult],
        regression: Regression | None,
        *,
        flaky: bool,
    ) -> Iterator[Mark]:
        if red is None:
            yield "no red"
        elif red.import_only:
            yield "weak red"
        if was_green and self.feature.kind is FeatureKind.BEHAVIOUR:
            yield "already satisfied"
        if self.feature.kind is FeatureKind.CHORE:
            yield "for a person"
        if self.bench.commands(self.work.before).from_model:
            yield "model's command"
        if any(run.by_exit_code for run in runs):
            yield "by exit code"
        if any(run.no_canary for run in runs):
            yield "no canary"
        if regression and regression.removed:
            yield "tests removed"
        if flaky:
            yield "flaky"


def _failing(selection: Selection, result: RunResult) -> list[Case]:
    return [case for case in submitted(selection, result.cases) if case.failing]


def _gone(regression: Regression | None) -> Iterator[str]:
    if regression and regression.removed:
        yield f"older tests are gone: {listed(regression.removed)}"


def _submitted_run(selection: Selection, result: RunResult | None) -> TestRun | None:
    """Return the run with only the submitted tests, and name those that proved flaky."""
    if result is None:
        return None
    run = narrowed(result.run, submitted(selection, result.cases))
    flaky = tuple(one for one in result.run.flaky if selection.covers(one))
    counts = run.counts.model_copy(update={"flaky": len(flaky)}) if run.counts else None
    return run.model_copy(update={"flaky": flaky, "counts": counts})


def _browser_run(green: RunResult, browser_tests: frozenset[str]) -> TestRun:
    return narrowed(green.run, [case for case in green.cases if case.id in browser_tests])
