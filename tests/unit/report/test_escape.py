from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autonomous_loop.report.escape import cell, code, cut, fence, md, plain, title

GITHUB_LIKE = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
HOSTILE = st.text(st.sampled_from("ab1 `*_[]()<>!|~$&#@:/\\\n\t-.\u202e\u200b\U000e0041"), max_size=60)


def tags(text: str) -> set[str]:
    return set(re.findall(r"<(\w+)", GITHUB_LIKE.render(text)))


@given(HOSTILE)
def test_foreign_text_makes_no_markup_but_code_spans(text):
    assert tags(f"- ours {md(text)}") <= {"ul", "li", "code"}


@given(HOSTILE)
def test_foreign_text_stays_in_its_cell(text):
    shown = GITHUB_LIKE.render(f"|a|b|\n|---|---|\n| {cell(text)} | ours |\n")
    assert len(re.findall(r"<td>", shown)) == 2
    assert "<td>ours</td>" in shown


@given(HOSTILE)
def test_foreign_lines_cannot_end_their_block(text):
    shown = GITHUB_LIKE.render(f"{fence(text)}\n\nafter")
    assert shown.count("<pre>") == 1
    assert shown.endswith("<p>after</p>\n")


@given(HOSTILE)
def test_a_code_span_holds_whatever_it_is_given(text):
    assert tags(f"x {code(text)} y") == {"p", "code"}


@pytest.mark.parametrize(
    ("foreign", "reaches"),
    [
        ("ping @octocat now", r"@octocat"),
        ("mail root@example.com", r"@example"),
        ("fixes #3", r"#3"),
        ("Closes octo/other#7", r"#7"),
        ("resolves GH-9", r"GH-9"),
        ("see https://evil.example/x", r"://"),
        ("see www.evil.example", r"www\."),
        ("in code `@octocat fixes #3`", r"@octocat|#3"),
    ],
)
def test_foreign_text_mentions_closes_and_links_nothing(foreign, reaches):
    assert re.search(reaches, foreign)
    for made in (md(foreign), cell(foreign), code(foreign)):
        assert not re.search(reaches, made)
    assert re.sub(r"[\u200b\\]", "", md(foreign)) == foreign


@pytest.mark.parametrize(
    ("foreign", "made"),
    [
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("![a](b)", r"!\[a\](b)"),
        ("a `b|c` d", "a `b|c` d"),
        ("snake_case and __init__", r"snake_case and \_\_init\_\_"),
        ("one\n\ntwo\u202e\u200bthree", "one twothree"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
    ],
)
def test_foreign_text_looks_as_it_reads(foreign, made):
    assert md(foreign) == made


def test_a_pipe_in_code_is_escaped_only_in_a_table():
    assert cell("`a|b`") == r"`a\|b`"
    assert md("`a|b`") == "`a|b`"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("Fixes #3 for good", "Fixes no. 3 for good"),
        ("closes: octo/x#12", "closes: octo/xno. 12"),
        ("resolve GH-4", "resolve no. 4"),
        ("fixes https://github.com/o/r/issues/3", "fixes github.com/o/r/issues/3"),
        ("thanks @mona", "thanks `@mona`"),
        ("use `@cache` for @mona", "use `cache` for mona"),
        ("Add a feed\n\nCloses #3", "Add a feed Closes no. 3"),
    ],
)
def test_a_title_closes_and_mentions_nothing_when_squashed(asked, shown):
    assert title(asked) == shown


def test_a_title_is_cut_at_a_word():
    made = title("word " * 40)
    assert len(made) <= 72
    assert made.endswith("word\u2026")


@given(st.text(max_size=50), st.integers(2, 60))
def test_a_cut_is_never_longer_than_asked_and_leaves_short_text_alone(text, most):
    assert len(cut(text, most)) <= most
    assert len(text) > most or cut(text, most) == text


def test_a_hidden_character_is_not_shown():
    assert plain("a\u200bb\u202ec\U000e0041d\x07e\u2028f") == "abcde f"
