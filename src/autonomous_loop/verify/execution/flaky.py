"""Handles tests whose outcome changes while the code does not.

A failure that decides a verdict is run again, because a failure by chance would mislead: a red that is none,
a green refused for the wrong reason, or a regression that nobody caused. Verification must not cost more than
the tests do. So a red or green run that took longer than `REPEAT_S` seconds is trusted at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.comparison import set_aside, submitted
from autonomous_loop.verify.execution.bench import TestBench
from autonomous_loop.verify.execution.running import RunResult
from autonomous_loop.verify.project.selection import Selection
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed

REPEAT_S = 5.0


async def steady_red(
    bench: TestBench, work: Candidate, selection: Selection, red: RunResult, tree: TreeSha
) -> RunResult:
    """Return a red run without submitted tests that fail on the old code only sometimes.

    It also exposes tests that leave something behind. A test that fails in its first run ever and passes from
    then on would be red before and green after, whatever the code does.

    Args:
        red: has failing submitted tests.
        tree: the tree it ran on, already in the work tree.

    Raises:
        Refused: no test fails twice.
    """
    failing = [case for case in submitted(selection, red.cases) if case.failing]
    if red.run.duration_s > REPEAT_S or all(case.import_fault for case in failing):
        return red  # a failing import fails again
    again = await bench.on_old_code(work.before, _files(failing), tree)
    changed = _passing(failing, again)
    if not changed:
        return red
    if len(changed) == len(failing):
        text = (
            "These tests failed once and passed once on the code as it was before your work:"
            f" {listed(changed)}. They do not show the feature. Let them depend on nothing but the code: no"
            " order, clock, chance, nor what an earlier run left behind."
        )
        raise Refused(Reason(code="flaky", text=text))
    kept = tuple(case for case in red.cases if case.id not in changed)
    return replace(red, run=set_aside(red.run, red.cases, changed), cases=kept)


async def refuse_flaky_green(
    bench: TestBench, work: Candidate, selection: Selection, green: RunResult
) -> None:
    """Run failed submitted tests again on the candidate, and refuse them as flaky if they pass now.

    Raises:
        Refused: every test that failed passes now.
    """
    failing = [case for case in submitted(selection, green.cases) if case.failing]
    if not failing or green.run.duration_s > REPEAT_S or all(case.import_fault for case in failing):
        return
    again = await bench.tests(work.before, _files(failing), work.after)
    changed = _passing(failing, again)
    if len(changed) == len(failing):
        raise Refused(flaky_reason(changed))


def flaky_reason(ids: Sequence[str]) -> Reason:
    """Return the reason for submitted tests with two outcomes."""
    text = (
        f"These submitted tests passed once and failed once on the same code: {listed(ids)}. Let"
        " them depend on nothing but the code: no order, clock, chance or leftover of other tests."
    )
    return Reason(code="flaky", text=text)


def _files(cases: Sequence[Case]) -> list[str]:
    return sorted({case.id.partition("::")[0] for case in cases})


def _passing(failing: Collection[Case], again: RunResult) -> list[str]:
    passed = {case.id for case in again.cases if case.outcome == "passed"}
    return [case.id for case in failing if case.id in passed]
