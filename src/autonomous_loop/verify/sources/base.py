"""What the source of a test says, without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        strength: see `TestBody.strengths`.
        about: the values and expressions it compares.
        names: that stand in it.
    """

    strength: float
    about: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Closely:
    """What a test checks, seen through helpers of its own file.

    Attributes:
        checks: those that are written once.
        more: what a table or a literal adds to them, row by row; the first row is the check itself.
        helpers: names of what was seen through.
    """

    checks: tuple[Check, ...] = ()
    more: tuple[Check, ...] = ()
    helpers: frozenset[str] = frozenset()

    def says_less_than(self, was: Closely) -> bool:
        """Whether some check of another version has nothing here that says as much."""
        left = sorted(was.checks, key=lambda one: one.strength, reverse=True)
        for one in self.more:
            covered = next(
                (old for old in left if old.about & one.about and old.strength <= one.strength), None
            )
            if covered is not None:
                left.remove(covered)
        return _less([one.strength for one in self.checks], [one.strength for one in left])


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
        forgiven: whatever it checks, its failure counts for nothing: it is expected to fail, and need not.
        helped: functions of its own file may check for it.
        closely: a closer look, where there is one.
    """

    __test__ = False

    checks: int
    excuses: int
    text: str = ""
    strengths: tuple[float, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    forgiven: bool = False
    helped: bool = False
    closely: Callable[[], Closely] | None = field(default=None, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it holds no check at all."""
        return not self.checks and not (
            self.closely and any(one.strength > 0 for one in self.closely().checks)
        )

    def is_weaker_than(self, was: TestBody) -> bool:
        """Whether it checks less than another version of it, or is excused more."""
        if self.excuses > was.excuses or not self.has_rows_of(was):
            return True
        if was.forgiven and not self.forgiven:
            return self.is_empty
        weaker = self.checks < was.checks or _less(self.strengths, was.strengths)
        if self.closely is None or was.closely is None or not (weaker or (self.helped and was.helped)):
            return weaker
        now, before = self.closely(), was.closely()
        # Through the same helpers, which may have changed, both are seen alike.
        same = bool(now.helpers) and now.helpers == before.helpers
        return (weaker or same) and now.says_less_than(before)

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


def _less(strengths: Sequence[float], old: Sequence[float]) -> bool:
    before, now = sorted(old, reverse=True), sorted(strengths, reverse=True)
    return len(now) < len(before) or any(one < other for one, other in zip(now, before, strict=False))
