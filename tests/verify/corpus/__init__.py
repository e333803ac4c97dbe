"""The corpus: honest work that must be accepted, and dishonest work that must be refused, by theme."""

from verify.corpus import (
    beside_the_code,
    fooled_runner,
    honest,
    older_tests,
    runner_keys,
    shows_nothing,
    unreadable,
)

TRICKS = [
    *shows_nothing.TRICKS,
    *fooled_runner.TRICKS,
    *older_tests.TRICKS,
    *runner_keys.TRICKS,
    *beside_the_code.TRICKS,
    *unreadable.TRICKS,
]
HONEST = honest.HONEST
