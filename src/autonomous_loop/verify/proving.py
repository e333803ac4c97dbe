"""One proof, step by step: red, green, end-to-end, regression, changed tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from autonomous_loop.verify.bench import TestBench, believed
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.changed_tests import judge_changed_tests
from autonomous_loop.verify.e2e import BrowserE2ETester
from autonomous_loop.verify.judgement import fails_in, judge_green, must_still_pass, submitted
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.regression import Regression, RegressionCheck
from autonomous_loop.verify.report import Case, count
from autonomous_loop.verify.running import RunResult
from autonomous_loop.verify.sources import asserts_nothing
from autonomous_loop.verify.tests_of import Selection
from autonomous_loop.verify.wording import listed


@dataclass(frozen=True, slots=True)
class Proving:
    """A submission on its way to a verdict.

    Attributes:
        work: the candidate beside its checkpoint.
        before: the checkpoint.
        passing: proofs of the features that pass.
        gate: what the gate saw.
    """

    bench: TestBench
    regression: RegressionCheck
    browser: BrowserE2ETester
    feature: Feature
    submission: Submission
    before: CommitSha
    work: Candidate
    baseline: Baseline
    passing: Mapping[str, Proof]
    gate: GateReport

    async def run(self) -> tuple[Verdict, Mapping[str, bytes]]:
        """The proof, and its pictures by name.

        Raises:
            Refused: with the reasons.
        """
        if self.gate.refusals:
            raise Refused(*self.gate.refusals)
        selection = self._selection()
        red = await self._red(selection)
        await self.bench.put_up(self.work.after)
        green = await self._green(selection)
        mine = submitted(selection, green.cases) if green else ()
        if red and green:
            self._judge_red(selection, red, mine)
        browser_tests = self.browser.browser_tests(self.work.after, mine)
        missing = self.browser.judge(self.feature, browser_tests)
        if missing and self.feature.kind is FeatureKind.BEHAVIOUR:
            raise Refused(missing)
        evidence, pictures = await self.browser.collect() if browser_tests else ((), {})
        regression = await self._regress(mine, red)
        kept_red = _narrowed(red, submitted(selection, red.cases)) if red else None
        flaky = regression.flaky if regression else ()
        by_exit_code = any(one.by_exit_code for one in (red, green) if one)
        proof = Proof(
            feature_id=self.feature.id,
            kind=self.feature.kind,
            tests=selection.tests,
            test_files=selection.files,
            before=self.before,
            after_tree=self.work.after,
            red=kept_red,
            green=_narrowed(green, mine) if green else None,
            regression=regression.result.run if regression else None,
            end_to_end=bool(browser_tests),
            gates=self.gate.gates,
            marks=tuple(self._marks(kept_red, flaky=bool(flaky), by_exit_code=by_exit_code)),
            notices=(*self.gate.notices, *(f"flaky: {one}" for one in flaky)),
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

    async def _red(self, selection: Selection) -> RunResult | None:
        """The candidate's tests on the checkpoint's code: they must not all pass there."""
        if self.feature.kind is not FeatureKind.BEHAVIOUR:
            return None
        tree = self.work.red_tree(self.work.before, selection.files)
        await self.bench.put_up(tree)
        # Changed older tests run along: a loosened one would pass here too.
        files = sorted({*selection.files, *self.work.changed_test_files})
        red = await self.bench.on_old_code(self.work.before, files, tree)
        failing = [case for case in submitted(selection, red.cases) if case.failing]
        if not failing:
            text = (
                "None of the submitted tests fails on the code as it was before your work, so they do not"
                f" show the feature: {listed(selection.tests)}. Assert what is new."
            )
            raise Refused(Reason(code="no-red", text=text))
        return red

    async def _green(self, selection: Selection) -> RunResult | None:
        if not selection.tests:
            return None
        await self.browser.clear()
        green = believed(await self.bench.tests(self.work.before, selection.files, self.work.after))
        failing = [case for case in submitted(selection, green.cases) if case.failing]
        self.bench.refuse_third_party(failing, self.work)
        if reasons := judge_green(selection, green.cases, green.run.command, self.bench.wording):
            raise Refused(*reasons)
        return green

    def _judge_red(self, selection: Selection, red: RunResult, green: Sequence[Case]) -> None:
        """A test is red before and green after; where imports alone made it red, it checks something."""
        turned = [case for case in green if case.outcome == "passed" and fails_in(case.id, red.cases)]
        if not turned:
            text = "No submitted test both fails on the code before and passes on yours. Assert what is new."
            raise Refused(Reason(code="no-red", text=text))
        before = [case for case in submitted(selection, red.cases) if case.failing]
        self.bench.refuse_third_party(before, self.work)
        if not all(case.import_fault for case in before):
            return
        trees, after = self.work.trees, self.work.after
        empty = [
            case.id for case in turned if asserts_nothing(case.file, trees.read(after, case.file), case.id)
        ]
        if len(empty) == len(turned):
            text = f"Before, these tests fail only for an import, and they assert nothing: {listed(empty)}."
            raise Refused(Reason(code="asserts-nothing", text=text))

    async def _regress(self, green: Sequence[Case], red: RunResult | None) -> Regression | None:
        """The suite, the tree after it, and what became of older tests."""
        work = self.work
        if not (work.old_test_files or work.new_test_files or self.baseline.command):
            await self.bench.refuse_other_tree(work.after)
            return None
        passed = await self.regression.passed_before(work, self.baseline, self.passing)
        new = [case.id for case in green if case.outcome == "passed"]
        regression = await self.regression.check(work, self.baseline, self.passing, passed, new=new)
        await self.bench.refuse_other_tree(work.after)
        must = must_still_pass(passed, self.passing, self.baseline)
        await judge_changed_tests(self.bench, work, self.passing, must, red.cases if red else ())
        return regression

    def _marks(self, red: TestRun | None, *, flaky: bool, by_exit_code: bool) -> Iterator[Mark]:
        if red is None:
            yield "no red"
        elif red.import_only:
            yield "weak red"
        if self.feature.kind is FeatureKind.CHORE:
            yield "for a person"
        if self.bench.commands(self.work.before).from_model:
            yield "model's command"
        if by_exit_code:
            yield "by exit code"
        if flaky:
            yield "flaky"


def _narrowed(result: RunResult, cases: Sequence[Case]) -> TestRun:
    """The run with the submitted tests alone."""
    failing = [case for case in cases if case.failing]
    return result.run.model_copy(
        update={
            "counts": count(cases),
            "passed": tuple(case.id for case in cases if case.outcome == "passed"),
            "failing": tuple(case.id for case in failing),
            "skipped": tuple(case.id for case in cases if case.outcome == "skipped"),
            "import_only": bool(failing) and all(case.import_fault for case in failing),
        }
    )
