"""Describes what a test's source says, without running it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

# The limit for nested suites. Honest code has fewer levels; more only make reading slow.
MOST_DEPTH = 30


def refuse_depth(depth: int) -> None:
    """Refuse too many levels, because each one is read once more.

    Raises:
        RecursionError: there are too many levels.
    """
    if depth > MOST_DEPTH:
        raise RecursionError(f"more than {MOST_DEPTH} levels")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One check of a test, and what it is about.

    Attributes:
        strength: see `TestBody.strengths`.
        about: marks of the compared values and expressions; equal ones have equal marks.
    """

    strength: float
    about: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Closely:
    """The checks of a test, including those in helpers of its own file.

    Attributes:
        checks: the checks as written, each once.
        more: the checks that a table or a literal adds, row by row; the first row is the check itself.
        helpers: names of the helpers that were followed.
    """

    checks: tuple[Assertion, ...] = ()
    more: tuple[Assertion, ...] = ()
    helpers: frozenset[str] = frozenset()

    def says_less_than(self, was: Closely) -> bool:
        """Return whether some check of the other version has no counterpart here that says as much."""
        left = sorted(was.checks, key=lambda one: -one.strength)
        places: dict[bytes, list[int]] = {}
        for at, old in enumerate(left):
            for mark in old.about:
                places.setdefault(mark, []).append(at)
        covered = set[int]()
        for one in self.more:
            # Start at the first check that says no more than this one.
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
    """The content of a test function.

    Attributes:
        checks: the number of checks.
        excuses: the number of things that keep the test from counting.
        text: its whole text, if its language provides it.
        strengths: how much each check says, if its language can be read that closely: 4 for equality, less
            for an order, a membership or a mere truth, and less again under a condition.
        rows: the parameter rows, each by its values.
        unsure: whether the source does not show if the test runs at all.
        forgiven: whether its failure counts for nothing, because it is expected to fail but need not.
        closely: a closer look, if there is one.
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
        """Return whether it checks less than another version, or is excused more."""
        if self.excuses > was.excuses or not self.has_rows_of(was):
            return True
        if was.forgiven and not self.forgiven:
            return self.is_empty
        weaker = self.checks < was.checks or say_less(self.strengths, was.strengths)
        if self.closely is None or was.closely is None:
            return weaker
        # If both use the same helpers, which may have changed, both look alike from here.
        same = bool(self.closely.helpers) and self.closely.helpers == was.closely.helpers
        return (weaker or same) and self.closely.says_less_than(was.closely)

    def has_rows_of(self, was: TestBody) -> bool:
        """Return whether each parameter row of the other version still exists."""
        return _holds(self.rows, was.rows)


@dataclass(frozen=True, slots=True)
class Check:
    """One check outside the tests.

    Attributes:
        strength: as in `TestBody`.
        line: its line, from 1.
        text: its line, or a stand-in for it and everything that decides about it.
        used: whether anything names the function that holds it.
    """

    strength: float
    line: int
    text: str
    used: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """The part of a test file outside the tests that can be read one by one: helpers, makers of tests.

    Attributes:
        checks: in file order.
        text: the whole part, without its layout.
    """

    checks: tuple[Check, ...] = ()
    text: str = ""

    @property
    def strengths(self) -> tuple[float, ...]:
        """How much each check says."""
        return tuple(one.strength for one in self.checks)

    def __add__(self, other: Around) -> Around:
        """Combine both."""
        return Around((*self.checks, *other.checks), f"{self.text}\n{other.text}")

    @property
    def used(self) -> tuple[Check, ...]:
        """The checks that something uses."""
        return tuple(one for one in self.checks if one.used)

    @property
    def all_used(self) -> Around:
        """This part with all checks marked as used, for a file that serves other files."""
        return replace(self, checks=tuple(replace(one, used=True) for one in self.checks))

    def altered_since(self, was: Around) -> Check | None:
        """Return the first check of the other version that is no longer there unchanged."""
        left = Counter((one.strength, one.text) for one in self.checks)
        for one in was.used:
            left[one.strength, one.text] -= 1
            if left[one.strength, one.text] < 0:
                return one
        return None

    def lost_since(self, was: Around) -> Check | None:
        """Return this check only if the checks together say less than before."""
        less = say_less(self.strengths, [one.strength for one in was.used])
        return self.altered_since(was) if less else None


def say_less(now: Sequence[float], before: Sequence[float]) -> bool:
    """Return whether these checks are fewer or looser than the others."""
    ours, theirs = sorted(now, reverse=True), sorted(before, reverse=True)
    return len(ours) < len(theirs) or any(one < other for one, other in zip(ours, theirs, strict=False))


def _holds(rows: Sequence[Sequence[str]], old: Sequence[Sequence[str]]) -> bool:
    """Return whether each old row still exists in its own row, perhaps with more values."""
    left = [Counter(row) for row in rows]
    for row in old if rows else ():  # none: the values now come from elsewhere, and the report counts them
        found = next((one for one in left if not Counter(row) - one), None)
        if found is None:
            return False
        left.remove(found)
    return True
