"""Compares what older tests rest on outside their own bodies: helpers, fixtures, macros, loops.

`changed_tests` compares tests one by one where they can be read. This module compares the rest of their
files, and their support files, as a whole: the checks may not become fewer or looser while the old ones still
hold. If nobody can tell, the proof says "not read" to ask a person to look.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.execution.renamed_tests import renamed
from autonomous_loop.verify.project.selection import is_support
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.wording import listed
from autonomous_loop.verify.syntax import SourceFile, is_readable
from autonomous_loop.verify.syntax.base import Around, Check, TestBody, say_less


@dataclass(frozen=True)
class _File:
    """A file as it was and as it is.

    Attributes:
        names: of tests in it that must still pass, as its `bodies` call them.
        elsewhere: tests of it that stand in another file now, or have another name, by the one they had.
        shared: it is there for tests in other files.
    """

    path: str
    old: SourceFile
    new: SourceFile
    names: Collection[str]
    elsewhere: Mapping[str, TestBody]
    shared: bool

    @cached_property
    def was(self) -> Around | None:
        """The old code outside its tests; None: it cannot be read."""
        found = self.old.around
        return found.all_used if found and self.shared else found

    @property
    def now(self) -> Around | None:
        """The new code outside its tests; None: it cannot be read."""
        return self.new.around

    @property
    def tests_were(self) -> Mapping[str, TestBody]:
        """Its tests as they were."""
        return self.old.bodies

    @property
    def tests_are(self) -> Mapping[str, TestBody]:
        """Its tests as they are."""
        return self.new.bodies

    @cached_property
    def lost(self) -> Check | None:
        """The first check outside the tests that is gone or looser."""
        return self.now.lost_since(self.was) if self.was is not None and self.now is not None else None

    @cached_property
    def hidden(self) -> bool:
        """Whether some of its tests cannot be compared one by one."""
        examples_stay = not set(self.old.examples) - set(self.new.examples)
        names = [one for one in self.names if not (one.endswith(EXAMPLE) and examples_stay)]
        there = self.tests_are.keys() | self.elsewhere.keys()
        return any(one not in self.tests_were or one not in there for one in names)

    @property
    def gone(self) -> bool:
        """Whether a test of it is nowhere any more."""
        return bool(self.tests_were.keys() - self.tests_are.keys() - self.elsewhere.keys())

    @property
    def unread(self) -> bool:
        """Whether a check beside the tests, or code that creates tests, changed or cannot be read."""
        if self.was is None or self.now is None:
            # Data has no checks. An unreadable source may have lost some.
            return self.hidden or is_readable(self.path)
        altered = self.now.altered_since(self.was) is not None
        return altered or (self.hidden and self.was.text != self.now.text)

    @property
    def unsure(self) -> bool:
        """Whether a test may not run any more."""
        both = set(self.names) & self.tests_were.keys() & self.tests_are.keys()
        return any(self.tests_are[one].unsure and not self.tests_were[one].unsure for one in both)

    @property
    def weaker(self) -> Iterator[str]:
        """Tests that no id names (they are turned into others) and that check less."""
        for name in self.tests_were.keys() & self.tests_are.keys() - set(self.names):
            if self.tests_are[name].is_weaker_than(self.tests_were[name]):
                yield f"{self.path}::{name}"

    @property
    def grown(self) -> float:
        """How much more the tests say that are in both versions."""
        now = {**self.elsewhere, **self.tests_are}
        both = self.tests_were.keys() & now.keys()
        return sum(sum(now[one].strengths) - sum(self.tests_were[one].strengths) for one in both)


# The suffix in the id of a test in the documentation.
EXAMPLE = " (example)"
# Data that tests read is not part of the tests.
_DATA = re.compile(
    r"(?:.*/)?(?:testdata|_*fixtures_*|data|resources|samples|examples|cases|.*snapshots_*)/.*"
)


def judge_around(work: Candidate, ids: Collection[str], *, holds: bool) -> None:
    """Refuse a candidate that loosens what older tests rest on.

    Args:
        ids: the tests that must still pass.
        holds: whether the old tests, with their old support files, still pass, so their behaviour did not
            change.

    Raises:
        Refused: what tests rest on was loosened.
    """
    if not holds:
        return
    files = _files(work, ids)
    # What went from a helper into its tests, or to another file, or was of tests that are gone, is no loss.
    gone = any(one.gone for one in files)
    before = [check.strength for one in files if one.was for check in one.was.used]
    now = [strength for one in files if one.now for strength in one.now.strengths]
    if not gone and say_less(now, before) and sum(one.grown for one in files) <= 0:
        _refuse(f"{one.path}:{one.lost.line}" for one in files if one.lost)
    _refuse(name for one in files if one.hidden for name in one.weaker)


def not_read(work: Candidate, ids: Collection[str]) -> tuple[str, ...]:
    """Return files for which nobody can tell whether their older tests still check what they did.

    Args:
        ids: the tests that must still pass.
    """
    return tuple(one.path for one in _files(work, ids) if one.unread or one.unsure)


def _files(work: Candidate, ids: Collection[str]) -> list[_File]:
    """Return changed files with older tests, and changed support files if there are such tests."""
    changed = {one.path for one in work.changes}
    tests = {*work.old_test_files, *work.new_test_files}
    names: dict[str, set[str]] = {}
    for test_id in ids:
        path, _, inner = without_parameters(test_id).partition("::")
        names.setdefault(path, set()).add(inner)
    support = [path for path in changed - tests if is_support(path) and not _DATA.fullmatch(path)]
    own = changed & names.keys() & {*tests, *work.changed_sources}
    elsewhere = _elsewhere(work, sorted(own), sorted(changed & {*work.new_test_files}))
    targets = {path for each in elsewhere.values() for path, _ in each.values()}
    there = sorted(own | targets | ({*support} if names else set()))
    return [
        _File(
            path,
            _source(work, work.before, path),
            _source(work, work.after, path),
            frozenset(names.get(path, ())),
            {inner: body for inner, (_, body) in elsewhere.get(path, {}).items()},
            shared=path in support,
        )
        for path in there
    ]


def _elsewhere(
    work: Candidate, files: Sequence[str], targets: Sequence[str]
) -> Mapping[str, Mapping[str, tuple[str, TestBody]]]:
    """By file, its tests that another file holds now, or that have another name: where, and as what.

    Args:
        targets: files of the candidate where they may be.
    """
    there = {
        inner: (path, body)
        for path in reversed(targets)
        for inner, body in work.source(work.after, path).bodies.items()
    }
    found: dict[str, dict[str, tuple[str, TestBody]]] = {path: {} for path in files}
    lost: list[str] = []
    for path in files:
        for inner in (
            work.source(work.before, path).bodies.keys() - work.source(work.after, path).bodies.keys()
        ):
            if inner in there:
                found[path][inner] = there[inner]
            else:
                lost.append(f"{path}::{inner}")
    for was, now in renamed(work, lost).items():
        (path, _, inner), (target, _, name) = was.partition("::"), now.partition("::")
        found[path][inner] = target, work.source(work.after, target).bodies[name]
    return found


def _source(work: Candidate, tree: TreeSha, path: str) -> SourceFile:
    there = path in work.facts.of(tree).every_path
    return work.source(tree, path) if there else SourceFile(around=Around())


def _refuse(found: Iterable[str]) -> None:
    if loosened := sorted(found):
        text = (
            f"What older tests rest on checks less than it did: {listed(loosened)}. As it was, it still holds"
            " on your code. Put its checks back as they were; what is new gets tests of its own."
        )
        raise Refused(Reason(code="weakened", text=text))
