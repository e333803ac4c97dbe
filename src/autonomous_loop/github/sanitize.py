"""Removes hidden text, so that the model reads what a person sees on the issue's page, or less.

Where GitHub's Markdown and this parser could differ, text is removed rather than kept. Fenced code and code
spans stay unchanged, because GitHub shows the HTML in them as text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from typing import Final

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks with no visible glyph: fillers, joiners, variation selectors, the blank Braille pattern.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# Fences only at the very start of a line: an indented one may stand in a list, and end with it.
_FENCE: Final = re.compile(r"(`{3,})([^`\n]*)\Z|(~{3,})([^\n]*)\Z")
_LANGUAGE: Final = re.compile(r"\s*([A-Za-z0-9+#._-]{1,20})(?:\s|\Z)")
# Prefixes before a block inside list items and quotations.
_CONTAINERS: Final = re.compile(r"[ \t]*(?:(?:[-*+]|[0-9]{1,9}[.)]|>)[ \t]*)*")
_BLOCK_TAG: Final = re.compile(
    r"</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir"
    r"|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li"
    r"|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|source|summary|table|tbody"
    r"|td|tfoot|th|thead|title|tr|track|ul)(?:\s|/?>|\Z)",
    re.IGNORECASE,
)
# CommonMark's seven kinds of HTML blocks: how each begins, and the line it ends with.
_HTML_BLOCK: Final = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (
        re.compile(r"<(?:script|pre|style|textarea)\b", re.IGNORECASE),
        re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE),
    ),
    (_BLOCK_TAG, re.compile(r"^[\s>]*\Z")),
    (
        re.compile(r"""</?(?![A-Za-z0-9+.-]+:)[A-Za-z][A-Za-z0-9-]*+(?:[^>"'<]|"[^"]*"|'[^']*')*>\s*\Z"""),
        re.compile(r"^[\s>]*\Z"),
    ),
)
_REMOVED: Final = (
    r"(?P<gone><!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<![A-Za-z].*?(?:>|\Z))"
)
# No possessive groups here: Python 3.11.2 was seen to match wrongly with them.
_CANDIDATE: Final = re.compile(r"[<`\\]")
_TEXT: Final = re.compile(
    rf"(?P<escape>\\[!-/:-@\[-`{{-~])|{_REMOVED}"
    r"|(?P<auto><[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*+>)"
    r"""|(?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9-]*+)(?:[^>"'<]|"[^"]*"|'[^']*')*>)"""
    r"|(?P<run>`+)",
    re.DOTALL,
)
# In an HTML block a browser reads everything after an unclosed construct as part of it.
_HTML: Final = re.compile(
    rf"{_REMOVED}"
    r"""|(?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9-]*+)(?:[^>"']|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))*(?:>|\Z))""",
    re.DOTALL,
)
_OPEN, _CLOSE = "\ue000", "\ue001"
_KEPT: Final = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_ALT: Final = re.compile(r"!\[(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*\]", re.DOTALL)
_TITLE: Final = re.compile(
    r"""(\]\(\s*(?:<[^<>\n]*>|[^\s()<>]++(?:\([^\s()]*+\)[^\s()<>]*+)?))\s+(?:"[^"]*"|'[^']*'|\([^()]*\))\s*\)"""
)
_DEFINITION: Final = re.compile(
    r"""^[ \t>*+-]*\[(?!\^)(?:[^\[\]\\]|\\.)+\]:[ \t]*(?:\n[ \t]*)?(?:<[^<>\n]*>|[^\s<]\S*)"""
    r"""(?:(?:[ \t]+|[ \t]*\n[ \t]*)(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t]*$""",
    re.MULTILINE,
)
_FOOTNOTE_NAME: Final = re.compile(r"\[\^([^\]\s]+)\]")
_FOOTNOTE: Final = re.compile(
    r"^[ \t>*+-]*\[\^([^\]\s]+)\]:.*(?:\n(?:[ \t]+\S.*|[ \t]*(?=\n[ \t]+\S)))*", re.MULTILINE
)


def clean(text: str) -> str:
    """Return Markdown without text that a reader of the page does not see.

    It removes invisible and bidi characters, HTML comments, processing instructions and declarations, the
    attributes of tags, the alternative text of images, link titles, reference definitions, and anything after
    the language of a code block.
    """
    made: list[str] = []
    stretch = _Stretch()
    for kind, part in _parts(visible(text)):
        if kind == "code":
            made += [stretch.text(), part]
            stretch = _Stretch()
        elif not stretch.take(part, is_html=kind == "html"):
            break
    made.append(stretch.text())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(made)).strip()


def visible(text: str) -> str:
    """Return `text` without invisible characters, literal or as entities; line ends become newlines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    without = _ENTITY.sub(
        lambda found: "" if _shows_nothing(html.unescape(found.group())) else found.group(), lines
    )
    return _BLANK.sub("", "".join(one for one in without if one in "\n\t" or not _hidden(one)))


def one_line(text: str) -> str:
    """Clean a title. It is plain text, and GitHub shows every visible character of it."""
    return " ".join(visible(text).split())


def _hidden(one: str) -> bool:
    return unicodedata.category(one) in _INVISIBLE


def _shows_nothing(text: str) -> bool:
    return all(one not in "\n\t" and (_hidden(one) or bool(_BLANK.match(one))) for one in text)


def _parts(text: str) -> list[tuple[str, str]]:
    """Split the text into fenced `code`, blocks of `html`, and `text`.

    A fence inside an HTML block does not count, because GitHub shows its lines as HTML.
    """
    parts: list[tuple[str, list[str]]] = [("text", [])]
    fence = ""
    until: re.Pattern[str] | None = None
    nested = False
    for line in text.split("\n"):
        if fence:
            parts[-1][1].append(line)
            closing = line.strip(" \t")
            if closing and set(closing) == {fence[0]} and len(closing) >= len(fence) and line[:4] != "    ":
                parts.append(("text", []))
                fence = ""
            continue
        if until is not None and nested and line and line[0] not in " \t>":
            # The list item or quotation ended, and its HTML block too. A browser continues open HTML.
            parts.append(("text", []))
            until = None
        opened = _FENCE.match(line) if until is None else None
        if opened:
            fence = opened.group(1) or opened.group(3)
            parts.append(("code", [_opening(opened)]))
            continue
        if until is None:
            before = _CONTAINERS.match(line)
            inside = line[before.end() :] if before else line
            inner = _FENCE.match(inside)
            if inner:
                line = line[: len(line) - len(inside)] + _opening(inner)  # noqa: PLW2901
            nested = len(line) - len(inside) > 3 or inside != line.lstrip(" ")
            until = next((end for start, end in _HTML_BLOCK if start.match(inside)), None)
            if until is not None:
                parts.append(("html", []))
        parts[-1][1].append(line)
        if until is not None and until.search(line):
            parts.append(("text", []))
            until = None
    return [(kind, "\n".join(lines)) for kind, lines in parts if lines]


def _opening(fence: re.Match[str]) -> str:
    """Return the first line of a code block with its language; GitHub shows nothing after the language."""
    language = _LANGUAGE.match(fence.group(2) or fence.group(4) or "")
    return (fence.group(1) or fence.group(3)) + (language.group(1) if language else "")


class _Stretch:
    """The text between two fences, read from left to right as GitHub reads it."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._spans: list[str] = []
        self._in_comment = False

    def take(self, part: str, *, is_html: bool) -> bool:
        """Read one block. Return False if nothing after it is shown, as a browser reads on in open HTML."""
        at, made = 0, []
        if self._in_comment:  # it began in a paragraph that may continue here
            closing = part.find("-->")
            at = len(part) if closing < 0 else closing + 3
            self._in_comment = closing < 0
        while at < len(part):
            candidate = _CANDIDATE.search(part, at)
            if candidate is None:
                made.append(part[at:])
                break
            made.append(part[at : candidate.start()])
            at = candidate.start()
            found = (_HTML if is_html else _TEXT).match(part, at)
            if found is None:
                made.append(part[at])
                at += 1
                continue
            if is_html and _left_open(found):
                self._made.append("".join(made))
                return False
            self._in_comment = found.group().startswith("<!--") and not found.group().endswith("-->")
            shown, at = self._token(part, found)
            made.append(shown)
        self._made.append("".join(made))
        return True

    def text(self) -> str:
        """Return the visible text."""
        text = _without_hidden_marks("\n".join(self._made))
        return _KEPT.sub(lambda mark: self._spans[int(mark.group(1))], text)

    def _token(self, part: str, found: re.Match[str]) -> tuple[str, int]:
        """Return the visible part of one token, and where to read on."""
        groups = found.groupdict()
        if groups["gone"]:
            return "", found.end()
        if groups["tag"]:
            slash = "/" if groups["tag"].startswith("</") else ""
            return f"<{slash}{groups['name']}>", found.end()
        run = groups.get("run")
        if not run:
            return found.group(), found.end()
        end = _code_span_end(part, found.end(), len(run))
        if end is None:
            return run, found.end()
        self._spans.append(part[found.start() : end])
        return f"{_OPEN}{len(self._spans) - 1}{_CLOSE}", end


def _left_open(found: re.Match[str]) -> bool:
    token = found.group()
    if found.group("gone"):
        return not token.endswith({"<!-": "-->", "<![": "]]>"}.get(token[:3], ">"))
    return not token.endswith(">")


def _code_span_end(text: str, at: int, length: int) -> int | None:
    """Return the end of a code span on this line.

    None if it spans lines or contains a pipe: those may be list items or cells, where GitHub makes no span.
    """
    line_end = text.find("\n", at)
    line = text[at : line_end if line_end >= 0 else len(text)]
    for closing in re.finditer(r"`+", line):
        if len(closing.group()) == length:
            return None if "|" in line[: closing.start()] else at + closing.end()
    return None


def _without_hidden_marks(text: str) -> str:
    text = _ALT.sub("![]", text)
    text = _TITLE.sub(r"\1)", text)
    text = _DEFINITION.sub("", text)
    named = Counter(_FOOTNOTE_NAME.findall(text))
    return _FOOTNOTE.sub(lambda note: note.group() if named[note.group(1)] > 1 else "", text)
