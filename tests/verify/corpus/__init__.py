"""The corpus: honest work that must be accepted, and dishonest work that must be refused, by theme."""

from verify.corpus import (
    beside_the_code,
    blamed,
    fooled_runner,
    honest,
    honest_older,
    older_tests,
    runner_keys,
    seems_the_same,
    shows_nothing,
)

TRICKS = [
    *shows_nothing.TRICKS,
    *fooled_runner.TRICKS,
    *older_tests.TRICKS,
    *blamed.TRICKS,
    *seems_the_same.TRICKS,
    *runner_keys.TRICKS,
    *beside_the_code.TRICKS,
]
HONEST = [*honest.HONEST, *honest_older.HONEST]
