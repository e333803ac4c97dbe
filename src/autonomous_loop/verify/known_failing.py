"""Submitted tests that are not to be blamed on the candidate: they failed before, and nobody touched them.

A file that differs, or a folder, is submitted with all that is in it. Whatever of it failed in the baseline
(or did both) says nothing of the candidate, as in the whole suite. That must open no way to hand in a failing
test: one that is new, that was changed, that was named by its id, that passes on the checkpoint's code, or
that belongs to a passing feature is judged as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autonomous_loop.domain.proof import Baseline, Proof
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.judgement import fails_in, narrowed, owners, submitted
from autonomous_loop.verify.report import Case
from autonomous_loop.verify.running import RunResult
from autonomous_loop.verify.sources import bodies
from autonomous_loop.verify.sources.texts import texts
from autonomous_loop.verify.tests_of import Selection, without_parameters
from autonomous_loop.verify.wording import listed


@dataclass(frozen=True, slots=True)
class Kept:
    """A run, and what of it decides nothing.

    Attributes:
        result: the run without that.
        failing: failed as they did in the baseline.
        flaky: failed, and did both in the baseline.
    """

    result: RunResult
    failing: frozenset[str] = frozenset()
    flaky: frozenset[str] = frozenset()

    @property
    def told(self) -> tuple[str, ...]:
        """What the reviewer is told of it."""
        if not self.failing:
            return ()
        names = listed(sorted(self.failing))
        return (f"older tests that fail on the code before, too, decide nothing: {names}",)


@dataclass(frozen=True)
class KnownFailing:
    """What failed before, of a submission.

    Attributes:
        work: the candidate beside its checkpoint.
        passing: proofs of the features that pass.
    """

    work: Candidate
    selection: Selection
    baseline: Baseline
    passing: Mapping[str, Proof]

    def kept(self, result: RunResult, before: RunResult | None = None) -> Kept:
        """A run without what decides nothing.

        Args:
            before: the candidate's tests on the checkpoint's code, where they ran: what fails must fail there
                too.
        """
        failing = frozenset(one.id for one in result.cases if one.failing and self._failed(one, before))
        flaky = self._flaky_in(result)
        failed = frozenset(one.id for one in result.cases if one.failing and one.id in flaky)
        return Kept(left_out(result, failing, flaky), failing, failed)

    def steady(self, result: RunResult) -> RunResult:
        """A run without tests that did both in the baseline: whatever they do now says nothing."""
        return left_out(result, frozenset(), self._flaky_in(result))

    def _flaky_in(self, result: RunResult) -> frozenset[str]:
        flaky = set(self.baseline.flaky)
        return frozenset(one.id for one in result.cases if one.id in flaky and self._is_blameless(one))

    def _failed(self, case: Case, before: RunResult | None) -> bool:
        if case.id not in self.baseline.failing or not self._is_blameless(case):
            return False
        there = [one for one in before.cases if one.file == case.file] if before else []
        return not there or fails_in(case.id, there)

    def _is_blameless(self, case: Case) -> bool:
        by_id = tuple(one for one in self.selection.tests if "::" in one)
        named = Selection(by_id, tuple(one.partition("::")[0] for one in by_id))
        return (
            bool(submitted(self.selection, [case]))
            and not submitted(named, [case])
            and not owners(case.id, self.passing)
            and is_untouched(self.work, case.id)
        )


def is_untouched(work: Candidate, test_id: str) -> bool:
    """Whether a test, or each test of a file that cannot be collected, is what it was at the checkpoint."""
    file, _, inner = without_parameters(test_id).partition("::")
    old = work.facts.of(work.before).read_if_there(file)
    new = work.facts.of(work.after).read_if_there(file)
    if old is None or new is None or old == new:
        return old is not None and old == new
    was, now = texts(file, old), texts(file, new)
    rows, more = bodies(file, old), bodies(file, new)
    names = [inner] if inner else list(now)
    return bool(names) and all(
        one in was and was[one] == now.get(one) and more[one].has_rows_of(rows[one]) for one in names
    )


def left_out(result: RunResult, failing: frozenset[str], flaky: frozenset[str] = frozenset()) -> RunResult:
    """A run without these of its cases; those that are flaky are named in it."""
    ids = failing | flaky
    kept = tuple(case for case in result.cases if case.id not in ids)
    if len(kept) == len(result.cases):
        return result
    run = narrowed(result.run, kept).model_copy(update={"flaky": tuple(sorted({*result.run.flaky, *flaky}))})
    return replace(result, run=run, cases=kept)
