"""Ignores submitted tests that failed before the change and that nobody touched.

If a changed file or a folder is submitted, all its tests are submitted. Those that failed in the baseline (or
did both) say nothing about the candidate, as in the whole suite. This must open no way to submit a failing
test. So a test is judged like any other if it is new or changed, was named by its id, passes on the
checkpoint's code, or belongs to a passing feature.
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
    """A run without the tests that decide nothing, and the names of these tests.

    Attributes:
        result: the run without them.
        failing: failed as they did in the baseline.
        flaky: failed, and both passed and failed in the baseline.
    """

    result: RunResult
    failing: frozenset[str] = frozenset()
    flaky: frozenset[str] = frozenset()

    @property
    def told(self) -> tuple[str, ...]:
        """Notices for the reviewer."""
        if not self.failing:
            return ()
        names = listed(sorted(self.failing))
        return (f"older tests that fail on the code before, too, decide nothing: {names}",)


@dataclass(frozen=True)
class KnownFailing:
    """The tests of a submission that failed before.

    Attributes:
        work: the candidate and its checkpoint.
        passing: the proofs of the features that pass.
    """

    work: Candidate
    selection: Selection
    baseline: Baseline
    passing: Mapping[str, Proof]

    def kept(self, result: RunResult, before: RunResult | None = None) -> Kept:
        """Return a run without the tests that decide nothing.

        Args:
            before: the candidate's tests on the checkpoint's code, if they ran; a failing test must also fail
                there.
        """
        there = _Before(before.cases if before else ())
        failing = frozenset(one.id for one in result.cases if one.failing and self._failed(one, there))
        flaky = self._flaky_in(result)
        failed = frozenset(one.id for one in result.cases if one.failing and one.id in flaky)
        return Kept(left_out(result, failing, flaky), failing, failed)

    def steady(self, result: RunResult) -> RunResult:
        """Return a run without tests that did both in the baseline: their outcome says nothing."""
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
    """The files that ran on the checkpoint's code, and their failures."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.files = frozenset(one.file for one in cases)
        self.failures = Failures(cases)


def is_untouched(work: Candidate, test_id: str) -> bool:
    """Whether a test is unchanged since the checkpoint; for an unloadable file, each of its tests."""
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
    """Return a run without these cases; it names those that are flaky."""
    ids = failing | flaky
    kept = tuple(case for case in result.cases if case.id not in ids)
    if len(kept) == len(result.cases):
        return result
    run = narrowed(result.run, kept).model_copy(update={"flaky": tuple(sorted({*result.run.flaky, *flaky}))})
    return replace(result, run=run, cases=kept)
