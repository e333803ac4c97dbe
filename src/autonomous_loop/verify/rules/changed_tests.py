"""Judges older tests that a candidate changes: because behaviour changes, or only to get through.

The checkpoint's version of a changed test file runs on the candidate, with the old support files. If it
passes, the new version may not check less. If it fails, behaviour changed, and the new version must show that
by being red again: a passing feature's test on the code before that feature, any other test on the
checkpoint's code. If it fails only because of an import, a name changed but no behaviour. Then it may not
check less either, and a test that nobody touched is left alone. A test that moved to another file is compared
with its old version.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autonomous_loop.domain.proof import Proof, Reason
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.comparison import Failures, Owners, third_party
from autonomous_loop.verify.execution.bench import TestBench, believed
from autonomous_loop.verify.execution.renamed_tests import renamed
from autonomous_loop.verify.project.selection import BESIDE_TESTS, ROOTS, is_support
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed
from autonomous_loop.verify.rules.known_failing import is_untouched
from autonomous_loop.verify.rules.test_surroundings import judge_around


async def judge_changed_tests(
    bench: TestBench,
    work: Candidate,
    passing: Mapping[str, Proof],
    passed_before: Collection[str],
    red: Sequence[Case],
) -> None:
    """Judge the changed tests. Another tree may be in the work tree afterwards.

    Args:
        passed_before: ids that passed at the checkpoint or belong to a passing feature.
        red: results of the candidate's version of the changed files on the checkpoint's code.

    Raises:
        Refused: a test was loosened.
    """
    places = _Places(work, tuple(passed_before))
    support = changed_support(work)
    await work.read_ahead([*work.changed_sources, *places.changed, *places.new, *support])
    inside = [one for one in passed_before if _file(one) in work.changed_sources]
    _refuse_weakened(places, inside)
    files = sorted({*places.changed, *served(work.old_test_files, support)})
    ids = sorted(one for one in passed_before if _file(one) in files)
    if not ids:
        judge_around(work, inside, holds=True)
        return
    await work.read_ahead(files)
    tree = work.trees.overlay(work.after, work.before, [*files, *support])
    await bench.put_up(tree)
    old = believed(await bench.tests(work.before, sorted({_file(one) for one in ids}), tree))
    failures = Failures(old.cases)
    broken = [one for one in ids if one in failures]
    unimported = [one for one in broken if all(case.import_fault for case in failures.of(one))]
    _refuse_weakened(places, sorted({*ids} - {*broken} | {*unimported}))
    judge_around(work, [*inside, *ids], holds=len(broken) == len(unimported))
    theirs: dict[str, tuple[Proof, list[str]]] = {}
    others: list[str] = []
    owners = Owners(passing)
    for test_id in broken:
        found = owners.of(test_id)
        for proof in found:
            theirs.setdefault(proof.feature_id, (proof, []))[1].append(test_id)
        if not found and not (test_id in unimported and _shows_nothing(work, test_id, support)):
            others.append(test_id)
    now = {one: places.now(one) or one for one in broken}
    before = [*red, *await _on_old_code(bench, work, {_file(now[one]) for one in others} - _files(red))]
    failed = Failures(before)
    loosened = [one for one in others if not failed.under_any_parameters(now[one])]
    _refuse_loosened(loosened, "on the code before your work")
    for proof, mine in theirs.values():
        await _red_again(bench, work, proof, [now[one] for one in mine])


def changed_support(work: Candidate) -> list[str]:
    """Return the checkpoint's support files that changed or are gone, and new conftest files."""
    known = {*work.old_test_files, *work.new_test_files}
    return [
        one.path
        for one in work.changes
        if one.path not in known
        and is_support(one.path)
        # A new support file cannot affect an older test, except conftest.py, which pytest loads implicitly.
        and (one.status != "A" or posixpath.basename(one.path) == "conftest.py")
    ]


def served(files: Iterable[str], support: Iterable[str]) -> list[str]:
    """Return test files that may use these support files: they share a test root or conftest folder."""
    roots = {_root(path) for path in support}
    return [path for path in files if not roots.isdisjoint(_folders_above(path))]


def _folders_above(file: str) -> Iterator[str]:
    folders = file.split("/")[:-1]
    return ("".join(f"{one}/" for one in folders[:end]) for end in range(len(folders) + 1))


def _root(path: str) -> str:
    """Return the folder whose tests may use a support file.

    For a conftest this is its own folder, otherwise the outermost folder for tests.
    """
    folders = posixpath.dirname(path).split("/")
    if posixpath.basename(path) != "conftest.py":
        root = next((at for at, name in enumerate(folders) if name in ROOTS), 0)
        # The code under test, or the tests, are beside these folders.
        folders = folders[: root + (folders[root] in ROOTS - BESIDE_TESTS)]
    return "".join(f"{folder}/" for folder in folders if folder)


@dataclass(frozen=True)
class _Places:
    """Where tests are at the checkpoint and on the candidate.

    Attributes:
        work: both trees.
        ids: the tests in question.
    """

    work: Candidate
    ids: tuple[str, ...]

    @cached_property
    def changed(self) -> frozenset[str]:
        """The checkpoint's test files that changed or are gone."""
        old = set(self.work.old_test_files)
        return frozenset(one.path for one in self.work.changes if one.path in old)

    @cached_property
    def new(self) -> tuple[str, ...]:
        """The candidate's test files that are new or changed."""
        there = set(self.work.new_test_files)
        return tuple(one.path for one in self.work.changes if one.path in there)

    @cached_property
    def _moved(self) -> dict[str, str]:
        """The new or changed file that holds each test, by the id's part after the file."""
        work = self.work
        # If several files hold it, the first one counts.
        return {inner: path for path in reversed(self.new) for inner in work.source(work.after, path).bodies}

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        files = self.changed
        return renamed(
            self.work, [one for one in self.ids if _file(one) in files and not self._same_name(one)]
        )

    def now(self, test_id: str) -> str:
        """Find the test on the candidate: in its own file, in a new or changed one, or under a new name."""
        plain = without_parameters(test_id)
        became = self._renamed.get(plain, "")
        return self._same_name(test_id) or (f"{became}{test_id.removeprefix(plain)}" if became else "")

    def _same_name(self, test_id: str) -> str:
        file, _, inner = without_parameters(test_id).partition("::")
        if inner in self.work.source(self.work.after, file).bodies:
            return test_id
        path = self._moved.get(inner)
        return f"{path}::{test_id.partition('::')[2]}" if path else ""

    def is_weaker(self, test_id: str) -> bool:
        """Return whether the candidate's version checks less; a missing test is judged elsewhere."""
        now = self.now(test_id)
        if not now:
            return False
        work = self.work
        was = work.source(work.before, _file(test_id)).bodies
        found = work.source(work.after, _file(now)).bodies
        old, new = (without_parameters(one).partition("::")[2] for one in (test_id, now))
        return old in was and new in found and found[new].is_weaker_than(was[old])


async def _on_old_code(bench: TestBench, work: Candidate, files: Collection[str]) -> Sequence[Case]:
    """Run test files that the red run left out, on the checkpoint's code."""
    there = sorted(set(files).intersection(work.paths))
    if not there:
        return ()
    tree = work.red_tree(work.before, there)
    await bench.put_up(tree)
    return (await bench.on_old_code(work.before, there, tree)).cases


async def _red_again(bench: TestBench, work: Candidate, proof: Proof, ids: Sequence[str]) -> None:
    code = work.trees.tree_of(proof.before)
    known = {*work.old_test_files, *work.new_test_files}
    paths = {*work.paths, *work.trees.paths(code)}
    tests = sorted(path for path in paths if path in known or is_support(path))
    tree = work.trees.overlay(code, work.after, tests)
    await bench.put_up(tree)
    files = sorted(set(map(_file, ids)).intersection(paths))
    again = await bench.on_old_code(work.before, files, tree)
    failed = Failures(again.cases)
    if not any(map(failed.under_any_parameters, ids)):
        _refuse_loosened(ids, f"on the code before the feature {proof.feature_id}")


def _refuse_loosened(ids: Sequence[str], where: str) -> None:
    if ids:
        text = (
            f"These older tests were changed: {listed(ids)}. As they were they fail on your code, and as they"
            f" are now they pass {where} too: they show no new behaviour and were only loosened. Keep the"
            " old behaviour, or let them assert the new one."
        )
        raise Refused(Reason(code="weakened", text=text))


def _refuse_weakened(places: _Places, ids: Sequence[str]) -> None:
    """Refuse tests that pass in both versions but check less, or are excused, in the new one."""
    found = sorted({without_parameters(one) for one in ids if places.is_weaker(one)})
    if found:
        text = (
            f"These older tests check less than they did: {listed(found)}. Their checks are fewer, looser,"
            " excused, or not reached. Put them back as they were; what is new gets tests of its own."
        )
        raise Refused(Reason(code="weakened", text=text))


def _shows_nothing(work: Candidate, test_id: str, support: Collection[str]) -> bool:
    """Return whether a test whose old file cannot be imported is unchanged, with everything it uses there.

    It passes on the candidate as it passed on the checkpoint, so nothing was loosened.
    """
    file = _file(test_id)
    if not file.endswith(".py") or served([file], support) or not is_untouched(work, test_id):
        return False
    was, now = (work.source(tree, file).besides for tree in (work.before, work.after))
    paths = work.every_path

    def is_own(origin: str) -> bool:
        return origin.startswith(".") or not third_party([origin], paths)

    return was is not None and now is not None and now.is_same(was, is_own)


def _file(test_id: str) -> str:
    return test_id.partition("::")[0]


def _files(cases: Sequence[Case]) -> set[str]:
    return {case.file for case in cases}
