"""Times, counts and colours."""

from datetime import UTC, datetime

import pytest

from embedded_github.pages import words

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("2026-03-04T12:00:10Z", "just now"),
        ("2026-03-04T11:59:01Z", "just now"),
        ("2026-03-04T11:58:59Z", "1 minute ago"),
        ("2026-03-04T14:30:00+05:00", "2 hours ago"),
        ("2026-03-01T12:00:00Z", "3 days ago"),
        ("2024-03-01T12:00:00Z", "2 years ago"),
    ],
)
def test_times_are_said_from_now(then, said):
    assert words.ago(then, NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(-3, "0s"), (4.4, "4s"), (72, "1m 12s"), (7380, "2h 3m"), (59.7, "1m 0s")]
)
def test_durations_are_short(seconds, said):
    assert words.duration(seconds) == said


def test_counts_have_their_plural():
    assert [words.plural(count, "branch", "branches") for count in (0, 1, 1200)] == [
        "0 branches", "1 branch", "1,200 branches",
    ]  # fmt: skip


@pytest.mark.parametrize("colour", ["fff;background:url(//evil.example)", "red", "", '"><script>', "12345g"])
def test_a_label_takes_no_colour_that_is_none(colour):
    assert words.label_style(colour) == words.label_style("888888")


def test_text_on_a_label_can_be_read():
    assert words.label_style("fbca04").endswith("#1f2328")
    assert words.label_style("0e2a46").endswith("#fff")


def test_paths_are_quoted_but_their_slashes():
    assert words.path_url('a b/<c>?#%"') == "a%20b/%3Cc%3E%3F%23%25%22"
