"""What the source of a test says, without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


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
    """

    __test__ = False

    checks: int
    excuses: int
    text: str = ""
    strengths: tuple[float, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def is_weaker_than(self, was: TestBody) -> bool:
        """Whether it checks less than another version of it, or is excused more."""
        if self.checks < was.checks or self.excuses > was.excuses:
            return True
        before, now = sorted(was.strengths, reverse=True), sorted(self.strengths, reverse=True)
        if len(now) < len(before) or any(one < other for one, other in zip(now, before, strict=False)):
            return True
        return not self.has_rows_of(was)

    def has_rows_of(self, was: TestBody) -> bool:
        """Whether each of another version's rows of parameters is there still."""
        return _holds(self.rows, was.rows)


def _holds(rows: Sequence[Sequence[str]], old: Sequence[Sequence[str]]) -> bool:
    """Whether each old row is there still, perhaps with more values, in a row of its own."""
    left = [Counter(row) for row in rows]
    for row in old if rows else ():  # none: they come from elsewhere now, and the report counts them
        found = next((one for one in left if not Counter(row) - one), None)
        if found is None:
            return False
        left.remove(found)
    return True
