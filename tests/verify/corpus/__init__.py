"""The corpus: honest work that must be accepted, and dishonest work that must be refused, by theme."""

from verify.corpus import (
    around_tests,
    beside_the_code,
    blamed,
    empty_runs,
    fooled_runner,
    honest,
    honest_older,
    kept_between_runs,
    never_runs,
    older_tests,
    runner_keys,
    seems_the_same,
    shows_nothing,
    unreadable,
)

TRICKS = [
    *shows_nothing.TRICKS,
    *fooled_runner.TRICKS,
    *older_tests.TRICKS,
    *blamed.TRICKS,
    *seems_the_same.TRICKS,
    *never_runs.TRICKS,
    *around_tests.TRICKS,
    *runner_keys.TRICKS,
    *beside_the_code.TRICKS,
    *empty_runs.TRICKS,
    *kept_between_runs.TRICKS,
    *unreadable.TRICKS,
]
HONEST = [*honest.HONEST, *honest_older.HONEST]
