"""What the source of a test says, without running it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

# Suites in suites: whoever writes more of them wants their reader to despair.
MOST_DEPTH = 30


def refuse_depth(depth: int) -> None:
    """Each level of nesting is read once more.

    Raises:
        RecursionError: there are too many of them.
    """
    if depth > MOST_DEPTH:
        raise RecursionError(f"more than {MOST_DEPTH} levels")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One check of a test, and what it is about.

    Attributes:
        strength: see `TestBody.strengths`.
        about: marks of the values and expressions it compares; equal ones have equal marks.
    """

    strength: float
    about: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Closely:
    """What a test checks, seen through helpers of its own file.

    Attributes:
        checks: those that are written once.
        more: what a table or a literal adds to them, row by row; the first row is the check itself.
        helpers: names of what was seen through.
    """

    checks: tuple[Assertion, ...] = ()
    more: tuple[Assertion, ...] = ()
    helpers: frozenset[str] = frozenset()

    def says_less_than(self, was: Closely) -> bool:
        """Whether some check of another version has nothing here that says as much."""
        left = sorted(was.checks, key=lambda one: -one.strength)
        places: dict[bytes, list[int]] = {}
        for at, old in enumerate(left):
            for mark in old.about:
                places.setdefault(mark, []).append(at)
        covered = set[int]()
        for one in self.more:
            # The first of those that say no more than this.
            start = bisect_left(left, -one.strength, key=lambda old: -old.strength)
            found = (_first(places.get(mark, ()), start, covered) for mark in one.about)
            covered.add(min((at for at in found if at is not None), default=-1))
        others = [old.strength for at, old in enumerate(left) if at not in covered]
        return say_less([one.strength for one in self.checks], others)


def _first(places: Sequence[int], start: int, taken: Collection[int]) -> int | None:
    left = (places[at] for at in range(bisect_left(places, start), len(places)))
    return next((one for one in left if one not in taken), None)


@dataclass(frozen=True, slots=True)
class TestBody:
    """What a test function holds.

    Attributes:
        checks: how many.
        excuses: what keeps it from counting.
        text: all of it, where its language says.
        strengths: how much each check says, where its language can be read that closely: 4 for equality,
            less for an order, a membership or a mere truth, less again under a condition.
        rows: of parameters, each by its values.
        unsure: by its source nobody can tell whether it runs at all.
        forgiven: whatever it checks, its failure counts for nothing: it is expected to fail, and need not.
        closely: a closer look, where there is one.
    """

    __test__ = False

    checks: int
    excuses: int
    text: str = ""
    strengths: tuple[float, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    unsure: bool = False
    forgiven: bool = False
    closely: Closely | None = field(default=None, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it holds no check at all."""
        return not self.checks and not (self.closely and any(one.strength > 0 for one in self.closely.checks))

    def is_weaker_than(self, was: TestBody) -> bool:
        """Whether it checks less than another version of it, or is excused more."""
        if self.excuses > was.excuses or not self.has_rows_of(was):
            return True
        if was.forgiven and not self.forgiven:
            return self.is_empty
        weaker = self.checks < was.checks or say_less(self.strengths, was.strengths)
        if self.closely is None or was.closely is None:
            return weaker
        # Through the same helpers, which may have changed, both are seen alike.
        same = bool(self.closely.helpers) and self.closely.helpers == was.closely.helpers
        return (weaker or same) and self.closely.says_less_than(was.closely)

    def has_rows_of(self, was: TestBody) -> bool:
        """Whether each of another version's rows of parameters is there still."""
        return _holds(self.rows, was.rows)


@dataclass(frozen=True, slots=True)
class Check:
    """One check that stands in no test.

    Attributes:
        strength: as in `TestBody`.
        line: where it stands, from 1.
        text: of that line, or what stands for it and all that decides about it.
        used: somebody names the function it stands in.
    """

    strength: float
    line: int
    text: str
    used: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """What a test file holds outside of the tests that can be read one by one: helpers, makers of tests.

    Attributes:
        checks: in the order of the file.
        text: all of it, but for how it is laid out.
    """

    checks: tuple[Check, ...] = ()
    text: str = ""

    @property
    def strengths(self) -> tuple[float, ...]:
        """How much each check says."""
        return tuple(one.strength for one in self.checks)

    def __add__(self, other: Around) -> Around:
        """Both together."""
        return Around((*self.checks, *other.checks), f"{self.text}\n{other.text}")

    @property
    def used(self) -> tuple[Check, ...]:
        """The checks that somebody uses."""
        return tuple(one for one in self.checks if one.used)

    @property
    def all_used(self) -> Around:
        """The same of a file that is there for others."""
        return replace(self, checks=tuple(replace(one, used=True) for one in self.checks))

    def altered_since(self, was: Around) -> Check | None:
        """The first check of another version that is not there any more as it was."""
        left = Counter((one.strength, one.text) for one in self.checks)
        for one in was.used:
            left[one.strength, one.text] -= 1
            if left[one.strength, one.text] < 0:
                return one
        return None

    def lost_since(self, was: Around) -> Check | None:
        """The same, where the checks say less together than they did."""
        less = say_less(self.strengths, [one.strength for one in was.used])
        return self.altered_since(was) if less else None


def say_less(now: Sequence[float], before: Sequence[float]) -> bool:
    """Whether these checks are fewer, or looser, than others."""
    ours, theirs = sorted(now, reverse=True), sorted(before, reverse=True)
    return len(ours) < len(theirs) or any(one < other for one, other in zip(ours, theirs, strict=False))


def _holds(rows: Sequence[Sequence[str]], old: Sequence[Sequence[str]]) -> bool:
    """Whether each old row is there still, perhaps with more values, in a row of its own."""
    left = [Counter(row) for row in rows]
    for row in old if rows else ():  # none: they come from elsewhere now, and the report counts them
        found = next((one for one in left if not Counter(row) - one), None)
        if found is None:
            return False
        left.remove(found)
    return True
