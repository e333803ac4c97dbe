"""Compares runs with pure functions, so that each rule of docs/proof.md can be read by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.proof import Baseline, Proof, Reason, TestRun
from autonomous_loop.verify.project.selection import Selection
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.results.report import Case, count
from autonomous_loop.verify.results.wording import Wording, listed


@dataclass(frozen=True, slots=True)
class Losses:
    """The tests that passed before and do not pass now.

    Attributes:
        failing: ran and failed, or their file cannot be collected.
        skipped: no longer run to the end.
        removed: are missing from the report.
    """

    failing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.failing, *self.skipped, *self.removed)


def losses(must_pass: Collection[str], cases: Sequence[Case], fresh: Collection[str] = ()) -> Losses:
    """Return the tests that must pass but do not.

    A test is not lost if it moved to another file under the same name, if it has parameters now, or if its
    parameters were renamed without becoming fewer.

    Args:
        fresh: those tests that did not exist before; an older test may have become one of them.
    """
    now = {case.id: case for case in cases}
    passing = [case.id for case in cases if case.outcome == "passed"]
    older = set(must_pass) - set(fresh)
    moved = {test_id.partition("::")[2] for test_id in passing if test_id not in older}
    before_each, now_each = Counter(map(_plain, older)), Counter(map(_plain, passing))
    failing, skipped, removed = [], [], []
    for test_id in sorted(must_pass):
        case = now.get(test_id)
        broken_file = now.get(test_id.partition("::")[0])
        if case is not None and case.outcome == "passed":
            continue
        if (case is not None and case.failing) or (broken_file is not None and broken_file.failing):
            failing.append(test_id)
        elif case is not None:
            skipped.append(test_id)
        elif now_each[_plain(test_id)] >= max(1, before_each[_plain(test_id)]):
            continue
        elif test_id.partition("::")[2] not in moved:
            removed.append(test_id)
    return Losses(tuple(failing), tuple(skipped), tuple(removed))


_plain = without_parameters


def known(baseline: Baseline) -> frozenset[str]:
    """Return tests that decide nothing, because they failed or were flaky before any change."""
    return frozenset({*baseline.failing, *baseline.flaky})


def must_still_pass(
    checkpoint: Iterable[str], passing: Mapping[str, Proof], baseline: Baseline
) -> frozenset[str]:
    """Return the ids that passed at the checkpoint and those in the proofs of passing features."""
    proved = {test_id for proof in passing.values() if proof.green for test_id in proof.green.passed}
    return frozenset({*checkpoint, *proved}) - known(baseline)


class Owners:
    """Maps tests to the proofs that they belong to.

    Args:
        passing: the proofs by feature.
    """

    def __init__(self, passing: Mapping[str, Proof]) -> None:
        self._of: dict[str, list[Proof]] = {}
        for proof in passing.values():
            for test_id in dict.fromkeys(proof.green.passed) if proof.green else ():
                self._of.setdefault(test_id, []).append(proof)

    def of(self, test_id: str) -> Sequence[Proof]:
        """Return the proofs that a test belongs to."""
        return self._of.get(test_id, ())


class Failures:
    """The failures in a report.

    Args:
        cases: all cases of the report.
    """

    def __init__(self, cases: Iterable[Case]) -> None:
        self._cases: dict[str, list[Case]] = {}
        for case in cases:
            if case.failing:
                self._cases.setdefault(case.id, []).append(case)
        self._plain = set(map(_plain, self._cases))

    def __contains__(self, test_id: object) -> bool:
        """Return whether a test fails, by itself or because its file cannot be collected."""
        return isinstance(test_id, str) and bool(self.of(test_id))

    def of(self, test_id: str) -> list[Case]:
        """Return the failing cases of a test: its own and its file's."""
        ids = dict.fromkeys((test_id, test_id.partition("::")[0]))
        return [case for one in ids for case in self._cases.get(one, ())]

    def under_any_parameters(self, test_id: str) -> bool:
        """Return whether a test fails with its parameters or with others."""
        return test_id in self or _plain(test_id) in self._plain


def narrowed(run: TestRun, cases: Sequence[Case]) -> TestRun:
    """Return the run with only these cases."""
    failing = [case for case in cases if case.failing]
    return run.model_copy(
        update={
            "counts": count(cases) if run.counts else None,
            "passed": tuple(case.id for case in cases if case.outcome == "passed"),
            "failing": tuple(case.id for case in failing),
            "skipped": tuple(case.id for case in cases if case.outcome == "skipped"),
            "flaky": (),
            "import_only": bool(failing) and all(case.import_fault for case in failing),
        }
    )


def set_aside(run: TestRun, cases: Sequence[Case], flaky: Collection[str]) -> TestRun:
    """Return the run with flaky tests counted neither as passed nor as failed.

    Args:
        cases: all cases of the run.
        flaky: tests that both passed and failed on the same code, or that failed in only one of the
            baseline's two runs; the run need not contain all of them.
    """
    ran = {case.id for case in cases if case.id in flaky and case.outcome != "skipped"}
    if not ran:
        return run
    made = narrowed(run, [case for case in cases if case.id not in ran])
    counts = made.counts.model_copy(update={"flaky": len(ran)}) if made.counts else None
    return made.model_copy(update={"flaky": tuple(sorted(ran)), "counts": counts})


def submitted(selection: Selection, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return the submitted cases, and submitted files that could not be collected."""
    return tuple(
        case for case in cases if selection.covers(case.id) or (case.failing and case.id in selection.files)
    )


def judge_green(
    selection: Selection, cases: Sequence[Case], command: str, wording: Wording, known: Collection[str] = ()
) -> list[Reason]:
    """Return reasons why the submitted tests are not green.

    Args:
        known: submitted tests that decide nothing and are not among the cases. A file that holds only such
            tests may be missing from the run.
    """
    mine = submitted(selection, cases)
    failing = [case for case in mine if case.failing]
    if failing:
        text = f"These submitted tests fail on your code ({command}):\n{wording.failures(failing)}"
        return [Reason(code="not-green", text=text)]
    ran = {case.id.partition("::")[0] for case in mine}
    nothing_else = [test_id for test_id in known if test_id.partition("::")[0] not in ran]
    passed = [case.id for case in mine if case.outcome == "passed"]
    idle = selection.untouched([*passed, *nothing_else])
    if idle:
        skipped = [case.id for case in mine if case.outcome == "skipped"]
        why = f" Skipped: {listed(skipped)}." if skipped else ""
        text = f"No test was run to its end for: {listed(idle)}.{why} A submitted test must run and pass."
        return [Reason(code="not-run", text=text)]
    return []


def judge_losses(
    lost: Losses,
    cases: Sequence[Case],
    passing: Mapping[str, Proof],
    wording: Wording,
    *,
    may_let: bool = False,
) -> list[Reason]:
    """Return reasons for tests that passed before and do not now.

    Args:
        may_let: whether the reader may allow removed tests.
    """
    found: list[Reason] = []
    owners = Owners(passing)
    if lost.failing:
        wanted = {*lost.failing, *(test_id.partition("::")[0] for test_id in lost.failing)}
        shown = wording.failures(case for case in cases if case.id in wanted)
        names = listed([proof.feature_id for one in lost.failing for proof in owners.of(one)][:5])
        whose = f" (of the features {names})" if names else ""
        text = f"These tests passed before and fail on your code{whose}:\n{shown}"
        found.append(Reason(code="regression", text=text))
    if lost.skipped:
        text = f"These tests passed before and are not run any more: {listed(lost.skipped)}. Run them again."
        found.append(Reason(code="test-skipped", text=text))
    if lost.removed:
        text = (
            f"These tests passed before and are gone, or not collected any more: {listed(lost.removed)}."
            " Put them back; where the behaviour is meant to change, change what they assert."
        )
        if may_let:
            text += (
                " Where they rightly went with the code they tested, say so with --set removed-tests=true:"
                " the proof then names them for the reviewer."
            )
        found.append(Reason(code="test-removed", text=text))
    return found


def third_party(missing: Iterable[str], paths: Iterable[str]) -> list[str]:
    """Return missing modules that no file of the project could provide: an environment fault."""
    folders = {name: _folder_of(name) for name in missing}
    if not folders:
        return []
    # Search all paths at once, because there may be very many.
    named = "|".join(map(re.escape, set(folders.values())))
    part = re.compile(rf"(?:^|/)({named})(?:\.rs)?(?:\.py)?(?=/|$)", re.MULTILINE)
    provided = set(part.findall("\n".join(paths)))
    return sorted(name for name, folder in folders.items() if folder not in provided)


def _folder_of(module: str) -> str:
    """Return the folder name that a project would give to a module, without a scope (`@project/core`)."""
    return module.rpartition("/")[2] if module.startswith("@") else module.partition(".")[0]
