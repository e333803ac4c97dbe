"""What the source of a test says, without running it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestBody:
    """What a test function holds: how many checks, and what excuses it from counting."""

    __test__ = False

    checks: int
    excuses: int
