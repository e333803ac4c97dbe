from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autonomous_loop.github.sanitize import clean, one_line, visible

COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["table"])


@pytest.mark.parametrize(
    "hidden",
    [
        "a <!-- HIDDEN --> b",
        "a <!-- HIDDEN",
        "<!--\n```\nHIDDEN\n```\n-->\nb",
        "<!--\n\nHIDDEN\n\n-->\nb",
        "text <!-- HID\n<b>HIDDEN\n-->\nb",
        "<div>\n```\n<!-- HIDDEN -->\n```\n</div>",
        "<div>\n`<!-- HIDDEN -->`\n</div>",
        "- x\n  ```\nnot indented <!-- HIDDEN -->\n  ```",
        "- a `\n- <!-- HIDDEN --> `",
        "| a ` | <!-- HIDDEN --> ` |\n|---|---|",
        "\\` <!-- HIDDEN --> `",
        '<a title="x`"> <!-- HIDDEN --> `',
        "<http://x`y> <!-- HIDDEN --> `",
        '<img alt="HIDDEN" src="x">',
        '<p title="HIDDEN">b</p>',
        "<p title='HIDDEN' >b</p>",
        '<div data-x="HIDDEN\n\nHIDDEN">b</div>',
        '<div title="HIDDEN to the end',
        "![HIDDEN](x.png)",
        "![HIDDEN `code` HIDDEN](x.png)",
        "![a [HIDDEN] b](x.png)",
        "![HIDDEN][ref]",
        '![](x.png "HIDDEN")',
        '[b](https://example.com "HIDDEN")',
        "[b](<https://example.com> 'HIDDEN')",
        "[//]: # (HIDDEN)",
        '[x]: https://example.com "HIDDEN"',
        '> [x]: https://example.com\n> b\n\n[y]: z\n"HIDDEN"',
        "[^1]: HIDDEN\n    HIDDEN",
        "```python HIDDEN\ncode\n```",
        "~~~`HIDDEN`\ncode\n~~~",
        "- <div>`<!--`HIDDEN",
        "<!----><!--x\nHIDDEN\n\n```\nHIDDEN\n```",
        "<div>\n<!-- x\n\n--> HIDDEN",
        "![a\n<b>HIDDEN</b>](x)",
        "- ```python HIDDEN\n  x\n  ```",
        "- <!--\n-->HIDDEN",
        "<a title='HIDDEN\n<a title='> ",
        "<?HIDDEN ?>",
        "<!DOCTYPE HIDDEN>",
        "<![CDATA[ HIDDEN ]]>",
    ],
)
def test_what_a_reader_does_not_see_is_removed(hidden):
    assert "HIDDEN" not in clean(f"before\n\n{hidden}")


@pytest.mark.parametrize(
    "shown",
    [
        "Add a feed.\n\n- one\n- two\n\n1. x < y and a > b",
        '```html\n<button class="primary" title="go"><!-- icon --></button>\n```',
        "~~~\n![alt](x)\n[a]: b\n~~~",
        'Use `<button class="x">` and `<!-- x -->` in text.',
        "A [link](https://example.com/a_(b)) and <https://example.com>.",
        "A note[^1].\n\n[^1]: shown, since it is referred to",
        "if a <b and it's fine",
        "a table\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "caf\u00e9 na\u00efve \u65e5\u672c\u8a9e \U0001f600",
        "<https://example.com/a?b=c>\nand on",
        "escaped \\<b class='x'> stays",
        "[note]: this is no definition but text",
        "```\nunclosed fence <!-- x -->",
    ],
)
def test_what_a_reader_sees_stays_as_it_is(shown):
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('<a href="x">b</a>', "<a>b</a>"),
        ("x<br/>y", "x<br>y"),
        ("a\u200bb\u202ec\u2066d\u00ade\ufefff", "abcdef"),
        ("a&#8203;b&#x202E;c&zwj;d&lrm;e", "abcde"),
        ("a\U000e0041\U000e0042b\ufe0f\u3164", "ab"),
        ("&lt;b&gt; &amp; &#60;", "&lt;b&gt; &amp; &#60;"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("<\u200b!-- x -->y", "y"),
        ("a\n\n\n\n\nb", "a\n\nb"),
    ],
)
def test_what_is_left(written, read):
    assert clean(written) == read


def test_a_title_is_one_visible_line():
    assert one_line("  Add\u200b a\n feed <b> \u202e") == "Add a feed <b>"


LONG = "HIDDEN%"  # no language of a code block, and no mark of Markdown
PIECES = st.sampled_from(
    ["<!--", "-->", "`", "``", "```\n", "~~~\n", "\n", "\n\n", "<div>", "</div>", "<a title='", "'>", '"',
     "- ", "> ", "| ", "x", " ", "\\", "![", "](u", ")", LONG, "<pre>", "</pre>", "[a]: b ", "    ",
     "1. "]
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=14))
def test_no_comment_that_commonmark_hides_comes_through(pieces):
    text = "".join(pieces)
    page = COMMONMARK.render(text)
    # What a browser shows: comments and tags are gone, code is shown.
    hidden = r"<!--(?:-?>|.*?(?:--!?>|\Z))|<[A-Za-z/](?:[^>\"']|\"[^\"]*\"|'[^']*')*>"
    seen = re.sub(hidden, "", page, flags=re.DOTALL)
    seen += "".join(re.findall(r'(?:src|href)="([^"]*)"', page))  # addresses stay
    assert clean(text).count(LONG) <= seen.count(LONG)


@given(st.text(max_size=200))
def test_nothing_invisible_is_left_whatever_the_text(text):
    assert visible(visible(text)) == visible(text)
    assert "\u200b" not in clean(text)


@pytest.mark.parametrize(
    "hostile",
    [
        "<a ",
        "![",
        "`",
        "``` \n",
        "<!--",
        "[a]: b\n",
        "](a ",
        "<div>\n\nx\n",
        '<a "',
        "[^1]:\n",
        "\\",
        "&#",
        "<?",
    ],
)
def test_a_hostile_issue_is_read_in_reasonable_time(hostile):
    text = hostile * (65_000 // len(hostile))
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("begin", ["[x]:", "[x]:\n", "[x]: a", "[x]: a\n", "[^x]:", "](a", "![", "<a", "- "])
@pytest.mark.parametrize("many", ["\t", " ", "\n", "\t\n"])
def test_a_hostile_end_of_a_line_is_read_in_reasonable_time(begin, many):
    text = begin + many * (65_000 // len(many))
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 2.0
