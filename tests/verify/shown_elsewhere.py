"""Checks that tests outside of the corpus show: other languages, kinds of work, more than one feature."""

_RUST = "tests/verify/test_rust.py::test_{}"
ELSEWHERE: dict[str, list[str]] = {
    "inline_tests.judge_without_red:no-red": [
        _RUST.format("a_test_inside_the_source_that_was_there_before_shows_nothing_new")
    ],
    "inline_tests.judge_without_red:asserts-nothing": [
        _RUST.format("a_test_inside_the_source_that_asserts_nothing_is_refused")
    ],
    "proving.run>judge_without_red": [
        _RUST.format("a_test_inside_the_source_that_asserts_nothing_is_refused")
    ],
    "changed_tests.judge_changed_tests>_refuse_weakened": [
        _RUST.format("an_older_test_inside_the_source_that_checks_less_is_refused")
    ],
    "changed_tests.judge_changed_tests>judge_around": [
        _RUST.format("what_older_tests_inside_the_source_share_may_not_check_less")
    ],
}
