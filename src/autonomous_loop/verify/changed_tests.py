"""Older tests that a candidate changes: rightly, because the behaviour changes, or only to get through.

The checkpoint's version of a changed test file runs on the candidate. Where it passes, the new version may
not check less. Where it fails, behaviour changed, and the new version must show that: for the test of a
passing feature it must be red again on the code before that feature; for any other, on the checkpoint's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from autonomous_loop.domain.proof import Proof, Reason
from autonomous_loop.verify.bench import TestBench, believed
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.judgement import fails_in, owners
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.report import Case
from autonomous_loop.verify.sources import weakened
from autonomous_loop.verify.tests_of import is_support
from autonomous_loop.verify.wording import listed


async def judge_changed_tests(
    bench: TestBench,
    work: Candidate,
    passing: Mapping[str, Proof],
    passed_before: Collection[str],
    red: Sequence[Case],
) -> None:
    """See above. Leaves another tree up than it found.

    Args:
        passed_before: ids that passed at the checkpoint or belong to a passing feature.
        red: the candidate's version of the changed files on the checkpoint's code.

    Raises:
        Refused: a test was loosened.
    """
    files = work.changed_test_files
    ids = sorted(one for one in passed_before if one.partition("::")[0] in files)
    if not ids:
        return
    tree = work.trees.overlay(work.after, work.before, files)
    await bench.put_up(tree)
    old = believed(await bench.tests(work.before, files, tree))
    broken = [one for one in ids if fails_in(one, old.cases)]
    _refuse_weakened(work, [one for one in ids if one not in broken])
    theirs: dict[str, tuple[Proof, list[str]]] = {}
    loosened: list[str] = []
    for test_id in broken:
        found = owners(test_id, passing)
        for proof in found:
            theirs.setdefault(proof.feature_id, (proof, []))[1].append(test_id)
        if not found and not _fails(test_id, red):
            loosened.append(test_id)
    _refuse_loosened(loosened, "on the code before your work")
    for proof, mine in theirs.values():
        await _red_again(bench, work, proof, mine)


async def _red_again(bench: TestBench, work: Candidate, proof: Proof, ids: Sequence[str]) -> None:
    code = work.trees.tree_of(proof.before)
    known = {*work.old_test_files, *work.new_test_files}
    paths = {*work.paths, *work.trees.paths(code)}
    tests = sorted(path for path in paths if path in known or is_support(path))
    tree = work.trees.overlay(code, work.after, tests)
    await bench.put_up(tree)
    files = sorted({one.partition("::")[0] for one in ids})
    again = await bench.on_old_code(work.before, files, tree)
    if not any(_fails(one, again.cases) for one in ids):
        _refuse_loosened(ids, f"on the code before the feature {proof.feature_id}")


def _fails(test_id: str, cases: Sequence[Case]) -> bool:
    """Whether it fails there, under these parameters or others."""
    plain = test_id.partition("[")[0]
    return fails_in(test_id, cases) or any(
        case.failing and case.id.partition("[")[0] == plain for case in cases
    )


def _refuse_loosened(ids: Sequence[str], where: str) -> None:
    if ids:
        text = (
            f"These older tests were changed: {listed(ids)}. As they were they fail on your code, and as they"
            f" are now they pass {where} too: they show no new behaviour and were only loosened. Keep the"
            " old behaviour, or let them assert the new one."
        )
        raise Refused(Reason(code="weakened", text=text))


def _refuse_weakened(work: Candidate, ids: Sequence[str]) -> None:
    """Tests that hold in both versions, but check less, or are excused, in the new one."""
    found = []
    for file in sorted({one.partition("::")[0] for one in ids}):
        less = weakened(file, work.trees.read(work.before, file), work.trees.read(work.after, file))
        found += [f"{file}::{name}" for name in less if any(_is(one, f"{file}::{name}") for one in ids)]
    if found:
        text = f"These older tests check less than they did: {listed(found)}. Put their checks back."
        raise Refused(Reason(code="weakened", text=text))


def _is(test_id: str, plain: str) -> bool:
    return test_id.partition("[")[0] == plain
