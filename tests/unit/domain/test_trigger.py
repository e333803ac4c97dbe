from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomous_loop.domain.trigger import (
    Words,
    choose_loop,
    issue_of,
    loop_of,
    loop_of_branch,
    parse_command,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/loop stop", Words("stop")),
        ("/loop stop now please", Words("stop")),
        ("/loop  retry   reply \r\nbecause", Words("retry", "reply")),
        ("/loop add An Atom feed", Words("add", "An Atom feed")),
        ("/loop Budget 20", Words("budget", "20")),
        ("/loop", Words("")),
        ("/loop\nstop", Words("")),
        ("/loop dance", Words("")),
        ("/loop retry", Words("")),
        ("/loop retry   ", Words("")),
    ],
)
def test_a_command_is_the_first_word_of_the_first_line(text, words):
    assert parse_command(text) == words


@pytest.mark.parametrize(
    "text", ["", "hello", " /loop stop", "/looped", "x\n/loop stop", "`/loop`", "/Loop stop"]
)
def test_everything_else_is_no_command(text):
    assert parse_command(text) is None


def test_an_argument_is_cut():
    words = parse_command("/loop add " + "x" * 10_000)
    assert words is not None
    assert len(words.argument) == 4_000


@given(st.text())
def test_any_text_can_be_read(text):
    parse_command(text)


@pytest.mark.parametrize(
    ("ended", "loop"),
    [
        ({}, "issue-12"),
        ({"issue-12": False}, "issue-12"),
        ({"issue-12": True}, "issue-12-2"),
        ({"issue-12": True, "issue-12-2": False}, "issue-12-2"),
        ({"issue-12": True, "issue-12-2": True}, "issue-12-3"),
        ({"issue-12": True, "issue-12-10": True, "issue-12-9": True}, "issue-12-11"),
        ({"issue-1": True, "issue-121": True, "issue-1-12": True, "tidy": True}, "issue-12"),
    ],
)
def test_a_label_continues_a_live_loop_and_starts_anew_after_an_ended_one(ended, loop):
    assert choose_loop(12, ended) == loop


def test_a_loops_id_tells_its_issue():
    assert loop_of(12) == "issue-12"
    assert issue_of(loop_of(12, 3)) == 12
    assert issue_of("issue-12") == 12
    assert issue_of("guestbook") is None
    assert issue_of("issue-0") is None


def test_what_is_added_goes_on_to_the_end_of_the_comment():
    assert parse_command("/loop add\nA feed.\n\n- in Atom\n") == Words("add", "A feed.\n\n- in Atom")
    assert parse_command("/loop add A feed\r\nin Atom") == Words("add", "A feed\nin Atom")


@pytest.mark.parametrize(("text", "usd"), [("20", "20"), ("$7.50", "7.50"), ("0.5", "0.5")])
def test_a_budget_is_dollars(text, usd):
    assert parse_command(f"/loop budget {text}") == Words("budget", usd)


@pytest.mark.parametrize(
    "text", ["0", "-3", "lots", "1e9", "nan", "inf", "20 please", "12345678", "$", "0.00"]
)
def test_what_is_no_amount_is_no_budget(text):
    assert parse_command(f"/loop budget {text}") == Words("")


@pytest.mark.parametrize(
    ("ref", "loop"),
    [
        ("refs/heads/autonomous-loop/issue-12/pr", "issue-12"),
        ("autonomous-loop/issue-12-2/pr", "issue-12-2"),
        ("autonomous-loop/issue-12/state", None),
        ("autonomous-loop/issue-12/pr/pr", None),
        ("x/autonomous-loop/issue-12/pr", None),
        ("autonomous-loop/../pr", None),
        ("refs/tags/autonomous-loop/issue-12/pr", None),
        ("autonomous-loop/issue-12/pr\n", None),
    ],
)
def test_a_pull_requests_branch_tells_its_loop(ref, loop):
    assert loop_of_branch(ref, "autonomous-loop") == loop
