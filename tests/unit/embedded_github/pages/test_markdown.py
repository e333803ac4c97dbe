"""Markdown on the pages: looks as GitHub's, and nothing in it does anything."""

import re

import pytest

from embedded_github.pages.markdown import EMOJI, Links, render, tasks

LINKS = Links("octo/guestbook", known=lambda number: number in (1, 12), base="")

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<img src="/a.png" onerror=alert(1)>',
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href=" java\nscript:alert(1)">x</a>',
    '<p style="position:fixed;inset:0" onclick="alert(1)">x</p>',
    "<style>body{display:none}</style>",
    '<link rel=stylesheet href="//evil.example/x.css">',
    '<iframe src="//evil.example"></iframe>',
    '<form action="//evil.example"><input name=a><button>go</button></form>',
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    '<details open ontoggle=alert(1)><summary onclick="alert(1)">x</summary></details>',
    "<base href=//evil.example>",
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
    "</div></article></main><script>alert(1)</script>",
    '```html"><script>alert(1)</script>\n<script>alert(1)</script>\n```',
    "`<script>alert(1)</script>`",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "- [x] <script>alert(1)</script>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
    'http://x.example/"onmouseover="alert(1)',
    '![x](/a.png"onerror=alert(1))',
]  # fmt: skip


def shown(text, links=LINKS, **more):
    return str(render(text, links, **more))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_to_nothing(text):
    html = shown(text)
    tags = re.findall(r"<[^>]*>", html)
    assert not [
        tag for tag in tags if re.match(r"</?(script|style|iframe|svg|math|form|button|link|base|meta)", tag)
    ]
    attributes = [name.lower() for tag in tags for name in re.findall(r"\s([\w-]+)=\"", tag)]
    assert not [
        name for name in attributes if name.startswith("on") or name in ("style", "id", "name", "action")
    ]
    assert not re.search(r"(?:href|src)=\"\s*(?:javascript|data|vbscript):", html, re.IGNORECASE)


def test_task_items_become_boxes_that_cannot_be_clicked():
    html = shown("- [x] **one** done\n- [ ] two\n- three [x]")
    assert html.count('type="checkbox"') == 2
    assert html.count('disabled=""') == 2
    assert html.count("checked") == 1
    assert 'class="tasks"' in html
    assert "three [x]" in html


def test_a_text_box_of_raw_html_is_a_box_that_cannot_be_clicked():
    html = shown("<input type=text value=password onfocus=alert(1)>")
    assert 'type="checkbox"' in html
    assert 'disabled=""' in html
    assert "password" not in html


def test_ticked_tasks_are_counted():
    assert tasks("- [x] a\n* [X] b\n1. [ ] c\n- d [x]\ntext") == (2, 3)
    assert tasks(None) == (0, 0)


def test_comments_are_dropped_even_when_they_never_end():
    assert "secret" not in shown("a\n\n<!-- secret -->\n\nb")
    assert "secret" not in shown("a\n\n<!-- secret\n\n**b**")
    assert "secret" not in shown("a <!-- secret --> b")


def test_tables_keep_their_alignment_without_styles():
    html = shown("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert '<td align="center">1</td>' in html
    assert '<td align="right">2</td>' in html
    assert "style" not in html


def test_numbers_that_exist_become_links_but_not_in_code_or_links():
    assert '<a href="/octo/guestbook/issues/12"' in shown("Closes #12.")
    for text in ("see #13", "`#12`", "a#12", "octo/other#12", "#0"):
        assert "<a " not in shown(text), text
    assert shown("[#12](https://x.example/)").count("<a ") == 1


def test_plain_addresses_become_links_without_the_full_stop():
    assert '<a href="https://x.example/a?b=1"' in shown("See https://x.example/a?b=1.")
    assert "<a " not in shown("`https://x.example/`")


def test_own_addresses_lose_their_host_so_that_they_hold_on_any_port():
    html = shown("![s](http://127.0.0.1:4711/octo/guestbook/blob/abc/evidence/s.png?raw=true)")
    assert 'src="/octo/guestbook/blob/abc/evidence/s.png?raw=true"' in html
    assert 'href="/Octo/Guestbook/pull/2"' in shown("[x](http://localhost:1/Octo/Guestbook/pull/2)")
    assert 'href="http://127.0.0.1:4711/other/repo"' in shown("[x](http://127.0.0.1:4711/other/repo)")


@pytest.mark.parametrize(
    "url", ["https://evil.example/x.png", "//evil.example/x.png", "/\\evil.example/x.png", "x.png"]
)
def test_pictures_from_elsewhere_are_not_loaded(url):
    html = shown(f'<img src="{url}" alt="a cat">')
    assert "src=" not in html
    assert 'alt="a cat"' in html


def test_relative_links_of_a_file_start_from_its_place():
    links = Links("octo/guestbook", known=lambda _: False, base="/octo/guestbook/blob/main/docs/README.md")
    assert 'href="/octo/guestbook/blob/main/docs/x.md"' in shown("[x](x.md)", links)
    assert 'href="/octo/guestbook/blob/main/a.md"' in shown("[x](../a.md)", links)
    assert 'href="#part"' in shown("[x](#part)", links)


def test_emoji_are_drawn_by_the_style_sheet():
    for emoji, name in EMOJI.items():
        assert f'<span class="emoji emoji-{name}">{emoji}</span>' in shown(f"{emoji}\ufe0f x")


def test_line_feeds_break_lines_in_comments_but_not_in_files():
    assert "<br" in shown("a\nb")
    assert "<br" not in shown("a\nb", breaks=False)


def test_folded_parts_pictures_and_code_survive():
    html = shown(
        '<details>\n<summary>More</summary>\n\n**x**\n\n```python\ndef a(): "<b>"\n```\n\n</details>'
    )
    assert "<details>" in html
    assert "<summary>More</summary>" in html
    assert "<strong>x</strong>" in html
    assert '<span class="hl-k">def</span>' in html
    assert "&lt;b&gt;" in html


def test_no_class_of_ours_can_be_borrowed():
    html = shown('<div class="merge-icon green">x</div><span class="badge badge-merged">Merged</span>')
    assert "badge" not in html
    assert "merge-icon" not in html


def test_an_address_that_cannot_be_parsed_is_dropped_alone():
    html = shown("[x](http://[::1) and **more**\n\n<a href='http://[::1'>y</a> <img src='http://[::1'>")
    assert "<strong>more</strong>" in html
    assert 'href="http://[' not in html
