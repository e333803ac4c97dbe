"""What the source of a test says, without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    """

    __test__ = False

    checks: int
    excuses: int
    text: str = ""
    strengths: tuple[float, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    unsure: bool = False

    def is_weaker_than(self, was: TestBody) -> bool:
        """Whether it checks less than another version of it, or is excused more."""
        if self.checks < was.checks or self.excuses > was.excuses:
            return True
        return say_less(self.strengths, was.strengths) or not _holds(self.rows, was.rows)


@dataclass(frozen=True, slots=True)
class Check:
    """One check that stands in no test.

    Attributes:
        strength: as in `TestBody`.
        line: where it stands, from 1.
        text: of that line, or of the function it stands in.
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
