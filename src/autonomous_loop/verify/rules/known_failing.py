"""Submitted tests that are not to be blamed on the candidate: they failed before, and nobody touched them.

A file that differs, or a folder, is submitted with all that is in it. Whatever of it failed in the baseline
(or did both) says nothing of the candidate, as in the whole suite. That must open no way to hand in a failing
test: one that is new, that was changed, that was named by its id, that passes on the checkpoint's code, or
that belongs to a passing feature is judged as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from autonomous_loop.domain.proof import Baseline, Proof
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.comparison import Failures, Owners, narrowed, submitted
from autonomous_loop.verify.execution.running import RunResult
from autonomous_loop.verify.project.selection import Selection
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed


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
        there = _Before(before.cases if before else ())
        failing = frozenset(one.id for one in result.cases if one.failing and self._failed(one, there))
        flaky = self._flaky_in(result)
        failed = frozenset(one.id for one in result.cases if one.failing and one.id in flaky)
        return Kept(left_out(result, failing, flaky), failing, failed)

    def steady(self, result: RunResult) -> RunResult:
        """A run without tests that did both in the baseline: whatever they do now says nothing."""
        return left_out(result, frozenset(), self._flaky_in(result))

    def _flaky_in(self, result: RunResult) -> frozenset[str]:
        flaky = set(self.baseline.flaky)
        return frozenset(one.id for one in result.cases if one.id in flaky and self._is_blameless(one))

    def _failed(self, case: Case, before: _Before) -> bool:
        if case.id not in self._failed_before or not self._is_blameless(case):
            return False
        return case.file not in before.files or case.id in before.failures

    @cached_property
    def _failed_before(self) -> frozenset[str]:
        return frozenset(self.baseline.failing)

    @cached_property
    def _owners(self) -> Owners:
        return Owners(self.passing)

    @cached_property
    def _named(self) -> Selection:
        by_id = tuple(one for one in self.selection.tests if "::" in one)
        return Selection(by_id, tuple(one.partition("::")[0] for one in by_id))

    def _is_blameless(self, case: Case) -> bool:
        return (
            bool(submitted(self.selection, [case]))
            and not submitted(self._named, [case])
            and not self._owners.of(case.id)
            and is_untouched(self.work, case.id)
        )


class _Before:
    """What ran on the checkpoint's code, and what of it failed."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.files = frozenset(one.file for one in cases)
        self.failures = Failures(cases)


def is_untouched(work: Candidate, test_id: str) -> bool:
    """Whether a test, or each test of a file that cannot be collected, is what it was at the checkpoint."""
    file, _, inner = without_parameters(test_id).partition("::")
    old = work.facts.of(work.before).read_if_there(file)
    new = work.facts.of(work.after).read_if_there(file)
    if old is None or new is None or old == new:
        return old is not None and old == new
    was, now = work.source(work.before, file), work.source(work.after, file)
    names = [inner] if inner else list(now.texts)
    return bool(names) and all(
        one in was.texts
        and was.texts[one] == now.texts.get(one)
        and now.bodies[one].has_rows_of(was.bodies[one])
        for one in names
    )


def left_out(result: RunResult, failing: frozenset[str], flaky: frozenset[str] = frozenset()) -> RunResult:
    """A run without these of its cases; those that are flaky are named in it."""
    ids = failing | flaky
    kept = tuple(case for case in result.cases if case.id not in ids)
    if len(kept) == len(result.cases):
        return result
    run = narrowed(result.run, kept).model_copy(update={"flaky": tuple(sorted({*result.run.flaky, *flaky}))})
    return replace(result, run=run, cases=kept)
