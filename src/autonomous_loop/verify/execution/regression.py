"""Regression: a test that passed at the checkpoint now fails, is skipped, or is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Baseline, Proof, TestRun
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.comparison import Losses, judge_losses, known, losses, must_still_pass, set_aside
from autonomous_loop.verify.execution.bench import TestBench, believed
from autonomous_loop.verify.execution.flaky import flaky_reason
from autonomous_loop.verify.execution.renamed_tests import read_ahead, renamed
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.syntax import holds_tests


@dataclass(frozen=True, slots=True)
class Regression:
    """The whole suite on a candidate.

    Attributes:
        run: the suite's run; flaky tests count neither as passed nor as failed.
        flaky: tests that failed in it but decide nothing, because they passed a moment later on the same tree
            or did both in the baseline.
        removed: removed tests that a person allowed.
    """

    run: TestRun
    flaky: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class RegressionCheck:
    """Compares the suite on a candidate with what passed before it.

    Args:
        bench: runs the suite.
        removed_tests: whether older tests may be removed; None: never, and nobody can allow it.
    """

    def __init__(self, bench: TestBench, *, removed_tests: bool | None = None) -> None:
        self._bench = bench
        self._removed_tests = removed_tests
        # Tests that passed in the suite, by tree: a feature's candidate is the next feature's checkpoint.
        self._passed: dict[TreeSha, tuple[str, ...]] = {}

    def remember(self, tree: TreeSha, passed: Sequence[str]) -> None:
        """Record which tests passed when the suite ran on `tree`."""
        self._passed[tree] = tuple(passed)

    def recorded(
        self, tree: TreeSha, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> tuple[str, ...] | None:
        """Return tests that passed in the suite on `tree`, in this session or the record; None: unknown."""
        if tree not in self._passed:
            runs = [baseline.last, *baseline.runs[:1], *(one.regression for one in passing.values())]
            # A proof in brief has only the number of passed tests, no ids.
            if found := next((run for run in runs if run and run.passed and run.tree == tree), None):
                self._passed[tree] = found.passed
        return self._passed.get(tree)

    def known_to_pass(self, baseline: Baseline) -> tuple[str, ...]:
        """Return the tests that passed when the whole suite last held."""
        run = baseline.last or next(iter(baseline.runs), None)
        return run.passed if run else ()

    async def passed_before(
        self, work: Candidate, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> tuple[str, ...]:
        """Return tests that passed in the suite at the checkpoint; run it there only if that is unknown.

        Raises:
            Refused: the run shows nothing.
        """
        found = self.recorded(work.before, baseline, passing)
        if found is None and work.had_suite:
            await self._bench.put_up(work.before)
            result = await self._bench.suite(work.before, work.before)
            await self._bench.put_up(work.after)
            found = result.run.passed
            if result.faults:
                # The run shows nothing. So the tests that passed when the suite last held must pass, if their
                # files exist.
                there = frozenset(self._bench.facts.of(work.before).paths)
                known_once = self.known_to_pass(baseline)
                found = tuple(one for one in known_once if one.partition("::")[0] in there)
            self.remember(work.before, found)
        return found or ()

    async def check(
        self,
        work: Candidate,
        baseline: Baseline,
        passing: Mapping[str, Proof],
        before: Collection[str],
        *,
        new: Collection[str] = (),
        by_people: bool = False,
        afresh: Callable[[], Awaitable[None]] | None = None,
    ) -> Regression:
        """Run the suite on the candidate, which is in the work tree.

        Args:
            before: tests that passed in the suite at the checkpoint.
            new: the submitted tests, which passed a moment ago.
            afresh: empties the sandbox before failed tests run again, so that a test that passes only because
                of leftovers of the first run does not count as flaky.
            by_people: people may have removed their own tests: of `before`, only failing tests are lost.

        Raises:
            Refused: a test that passed is lost, or the run shows nothing.
        """
        result = believed(await self._bench.suite(work.before, work.after))
        if by_people:
            failing = {case.id for case in result.cases if case.failing}
            # If a file still holds tests but none of them ran, nobody removed them.
            absent = {one.partition("::")[0] for one in before} - {case.file for case in result.cases}
            read = self._bench.facts.of(work.after).read_if_there
            unrun = {file for file in absent if (source := read(file)) and holds_tests(file, source)}
            before = [one for one in before if {one, one.partition("::")[0]} & (failing | unrun)]
        older = must_still_pass(before, passing, baseline)
        fresh = frozenset(new) - known(baseline) - older
        must = older | fresh
        cases = list(result.cases)
        # If the suite never collected a proved test (such as a browser test), run it by its file.
        collected = {case.file for case in cases}
        there = set(work.paths)
        alone = {one.partition("::")[0] for one in must - frozenset(before)} - collected
        if files := sorted(alone & there):
            cases += believed(await self._bench.tests(work.before, files, work.after)).cases
        lost = losses(must, cases, fresh)
        if lost.removed:
            became = await self._renamed(lost.removed, work, baseline, passing)
            lost = losses([became.get(one, one) for one in must], cases, fresh)
        removed = lost.removed if self._removed_tests else ()
        lost = replace(lost, removed=() if removed else lost.removed)
        flaky: tuple[str, ...] = ()
        if lost.failing:
            self._bench.refuse_third_party(_of(lost.failing, cases), work)
            lost, flaky = await self._once_more(lost, work, new, afresh)
        if reasons := judge_losses(
            lost, cases, passing, self._bench.wording, may_let=self._removed_tests is not None
        ):
            raise Refused(*reasons, lost=lost.all)
        run = set_aside(result.run, result.cases, {*flaky, *baseline.flaky})
        self.remember(work.after, run.passed)
        both = {*flaky, *(set(baseline.flaky) & set(result.run.failing))}
        return Regression(run, tuple(sorted(both)), removed)

    async def _renamed(
        self, gone: Collection[str], work: Candidate, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> Mapping[str, str]:
        """Map removed tests to their new names, starting at the newest tree that has the old ones."""
        runs = [baseline.last, *baseline.runs[:1]]
        proved = [proof.after_tree for proof in reversed(list(passing.values()))]
        found: dict[str, str] = {}
        for tree in dict.fromkeys([work.before, *proved, *(run.tree for run in runs if run)]):
            left = [one for one in gone if one not in found]
            if not left:
                break
            since = Candidate(work.facts, tree, work.after)
            await read_ahead(since, left)
            names = renamed(since, left)
            taken = {without_parameters(one) for one in found.values()}
            for one in left:
                plain = without_parameters(one)
                if plain in names and names[plain] not in taken:
                    found[one] = f"{names[plain]}{one.removeprefix(plain)}"
        return found

    async def _once_more(
        self,
        lost: Losses,
        work: Candidate,
        new: Collection[str],
        afresh: Callable[[], Awaitable[None]] | None,
    ) -> tuple[Losses, tuple[str, ...]]:
        """Run the failing files again; a test that passes now is flaky, and a submitted test must not be."""
        # It passed alone a moment ago on the same code, so it is flaky whatever a third run shows.
        if mine := [test_id for test_id in lost.failing if test_id in new]:
            raise Refused(flaky_reason(mine))
        files = sorted({test_id.partition("::")[0] for test_id in lost.failing})
        if afresh is not None:
            await afresh()
        again = believed(await self._bench.tests(work.before, files, work.after))
        passed = set(again.run.passed)
        flaky = tuple(test_id for test_id in lost.failing if test_id in passed)
        failing = tuple(test_id for test_id in lost.failing if test_id not in passed)
        return Losses(failing, lost.skipped, lost.removed), flaky


def _of(ids: Collection[str], cases: Sequence[Case]) -> list[Case]:
    files = {test_id.partition("::")[0] for test_id in ids}
    return [case for case in cases if case.failing and (case.id in ids or case.id in files)]
