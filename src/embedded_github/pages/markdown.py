"""Markdown as GitHub shows it, then sanitized: the text is always somebody else's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

from embedded_github.pages.highlight import CLASSES, block

EMOJI: Final = {
    "\u2705": "done",
    "\u270b": "hand",
    "\U0001f6e0": "tools",
    "\u23ed": "skip",
    "\u2b1c": "empty",
    "\u23f9": "stop",
    "\u23f8": "pause",
    "\u23f3": "wait",
    "\u26a0": "warning",
    "\u274c": "cross",
}
"""Drawn by the style sheet, since many machines (and a bare Chromium) have no font for them."""

_EMOJI: Final = rf"(?P<emoji>[{''.join(EMOJI)}])\ufe0f?"
_REFERENCE: Final = r"(?<![\w&/#])#(?P<number>[1-9]\d{0,8})\b"
_ADDRESS: Final = r"\b(?P<url>https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]*_~])"
_WORDS: Final = re.compile(f"{_EMOJI}|{_REFERENCE}|{_ADDRESS}")
_TASK: Final = re.compile(r"\[([ xX])\]\s+")
_ALIGNED: Final = re.compile(r"text-align:(left|right|center)")
_LOOPBACK: Final = ("127.0.0.1", "localhost")

_TAGS: Final = set(
    "a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i"  # noqa: SIM905 - read as prose
    " img input ins kbd li ol p pre q s samp small span strike strong sub summary sup table tbody td tfoot th"
    " thead tr tt ul var".split()
)
_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "input": {"checked"},
    "details": {"open"},
    "ol": {"start"},
    "th": {"align", "colspan", "rowspan"},
    "td": {"align", "colspan", "rowspan"},
    "p": {"align"},
    "div": {"align"},
}
_CLASSES: Final = {
    "span": {"emoji", *(f"emoji-{name}" for name in EMOJI.values()), *CLASSES},
    "pre": {"code"},
    "li": {"task"},
    "ul": {"tasks"},
}


@dataclass(frozen=True)
class Links:
    """What words of the text may point at.

    Attributes:
        repo: `owner/name`: loopback addresses of it lose their host, so that they hold on any port.
        known: whether the repository has an issue or a pull request of this number.
        base: what relative links start from, such as `/owner/name/blob/main/`; empty: they stay as they are.
    """

    repo: str
    known: Callable[[int], bool]
    base: str = ""

    def address(self, url: str) -> str:
        """A link's target as this server's pages have it."""
        try:
            parts = urlsplit(url)
        except ValueError:  # such as http://[
            return "#"
        ours = f"/{self.repo}".lower()
        if parts.hostname in _LOOPBACK and f"{parts.path}/".lower().startswith(f"{ours}/"):
            return parts._replace(scheme="", netloc="").geturl()
        if self.base and not parts.scheme and not parts.netloc and parts.path:
            return urljoin(self.base, url)
        return url


def render(text: str | None, links: Links, *, breaks: bool = True) -> Markup:
    """HTML that cannot break out of its place: allow-listed tags, no scripts, styles, ids, foreign images.

    Args:
        text: Markdown, hostile.
        links: see `Links`.
        breaks: whether a line feed inside a paragraph is shown, as in GitHub's comments (but not its files).
    """
    raw = _parser(links, breaks=breaks).render(text or "")
    return Markup(_clean(raw, links))  # noqa: S704 - cleaned by nh3


def tasks(text: str | None) -> tuple[int, int]:
    """How many of a text's task list items are ticked, and how many there are."""
    marks = re.findall(r"^\s*(?:[-*+]|\d+[.)])\s+\[([ xX])\]\s", text or "", re.MULTILINE)
    return sum(mark != " " for mark in marks), len(marks)


def _clean(raw: str, links: Links) -> str:
    def attribute(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("a", "href"):
            return links.address(value)
        if (tag, name) == ("img", "src"):
            # Only this server's own pictures: a foreign one would tell its host who reads this.
            address = links.address(value)
            return address if re.match(r"/[^/\\]", address) else None
        return value

    return nh3.clean(
        raw,
        tags=_TAGS,
        clean_content_tags={
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "template",
            "math",
            "svg",
            "title",
        },
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        attribute_filter=attribute,
        set_tag_attribute_values={"input": {"type": "checkbox", "disabled": ""}, "img": {"loading": "lazy"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
        strip_comments=True,
    )


def _parser(links: Links, *, breaks: bool) -> MarkdownIt:
    options = {"html": True, "breaks": breaks, "highlight": block}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.core.ruler.push("tasks", _task_lists)
    parser.core.ruler.push("words", lambda state: _word_links(state, links))
    parser.core.ruler.push("alignment", _alignment)
    return parser


def _task_lists(state: StateCore) -> None:
    """`[x]` at the beginning of a list item becomes a ticked box."""
    lists: list[Token] = []
    for at, token in enumerate(state.tokens):
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            lists.append(token)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists.pop()
        elif token.type == "inline" and token.children and at >= 2:
            item, first = state.tokens[at - 2], token.children[0]
            found = _TASK.match(first.content) if first.type == "text" else None
            if item.type == "list_item_open" and found:
                first.content = first.content[found.end() :]
                ticked = " checked" if found[1] != " " else ""
                token.children.insert(0, _html(f'<input type="checkbox" disabled{ticked}> '))
                item.attrSet("class", "task")
                lists[-1].attrSet("class", "tasks")


def _word_links(state: StateCore, links: Links) -> None:
    """`#12`, plain addresses and emoji, outside of links and code."""
    for token in state.tokens:
        if token.type != "inline" or not token.children:
            continue
        made: list[Token] = []
        depth = 0
        for child in token.children:
            depth += child.nesting if child.type in {"link_open", "link_close"} else 0
            made += _words(child, links, linked=depth > 0) if child.type == "text" else [child]
        token.children = made


def _words(token: Token, links: Links, *, linked: bool) -> Sequence[Token]:
    made: list[Token] = []
    at = 0
    for found in _WORDS.finditer(token.content):
        html = _word(found, links, linked=linked)
        if html is not None:
            made += [_text(token.content[at : found.start()]), _html(html)]
            at = found.end()
    return [*made, _text(token.content[at:])]


def _word(found: re.Match[str], links: Links, *, linked: bool) -> str | None:
    if emoji := found["emoji"]:
        return f'<span class="emoji emoji-{EMOJI[emoji]}">{emoji}</span>'
    if linked:
        return None
    if number := found["number"]:
        return f'<a href="/{links.repo}/issues/{number}">#{number}</a>' if links.known(int(number)) else None
    url = escape(found["url"])
    return f'<a href="{url}">{url}</a>'


def _alignment(state: StateCore) -> None:
    """A table cell's alignment as an attribute: styles do not survive the cleaning."""
    for token in state.tokens:
        found = _ALIGNED.search(str(token.attrGet("style") or ""))
        if found:
            token.attrSet("align", found[1])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _html(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)
