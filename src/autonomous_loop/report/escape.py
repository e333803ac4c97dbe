"""Makes foreign text safe for Markdown on GitHub: it looks the same and has no effect."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BREAK: Final = "\u200b"
"""A zero-width space. It is invisible, and breaks references, mentions, links and keywords."""
_ELLIPSIS: Final = "\u2026"
_CODE: Final = re.compile(r"(?<!`)`(?!`)([^`]+)(?<!`)`(?!`)")
# An underscore between letters is no emphasis, and names read better without a backslash.
_MARKUP: Final = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_+|_+(?![^\W_])")
_REFERENCES: Final = (
    (re.compile(r"@(?=\w)"), f"@{_BREAK}"),  # mentions and mail addresses
    (re.compile(r"#(?=\d)"), f"#{_BREAK}"),  # "fixes #3", "owner/name#3"
    (re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE), rf"\1{_BREAK}-"),
    (re.compile(r":(?=//)"), f":{_BREAK}"),  # addresses become links by themselves
    (re.compile(r"\b(www)\.", re.IGNORECASE), rf"\1{_BREAK}."),
)
_CLOSING: Final = re.compile(
    r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+)((?:[\w.-]+/[\w.-]+)?)(?:#|GH-)(?=\d)", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"\bhttps?://", re.IGNORECASE)


def plain(text: str, most: int = 0) -> str:
    """Return one line without control, invisible or bidi characters, cut at a word to `most` (0: all)."""
    words = "".join(one if _visible(one) else " " if one.isspace() else "" for one in text)
    line = " ".join(words.split())
    return cut(line, most) if most else line


def printable(text: str, most: int = 6_000) -> list[str]:
    """Return at most `most` characters of foreign lines, without characters that control a terminal."""
    shown = text if len(text) <= most else f"{text[:most]}\n{_ELLIPSIS}"
    return ["".join(one for one in line if one == "\t" or _visible(one)) for line in shown.splitlines()]


def cut(text: str, most: int) -> str:
    """Return at most `most` characters, cut at a word if one ends in the second half."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    at = head.rfind(" ")
    return (head[:at] if at > most // 2 else head).rstrip(" ,.;:-") + _ELLIPSIS


def md(text: str, most: int = 0) -> str:
    """Escape foreign text for use inside a line of Markdown.

    Single code spans stay. It cannot create HTML, links, images, mentions, references, closing keywords,
    tables or mathematics. Do not put it first on a line, where lists and headings begin.

    Args:
        most: maximum characters to show; 0 shows all.
    """
    return _inline(text, most, in_table=False)


def cell(text: str, most: int = 0) -> str:
    """Escape foreign text for a table cell, where a code span needs its pipes escaped."""
    return _inline(text, most, in_table=True)


def fence(text: str, language: str = "") -> str:
    """Return foreign lines as a code block that they cannot end."""
    clean = "".join(one for one in text if one == "\n" or _visible(one) or one in " \t")
    longest = max((len(run) for run in re.findall(r"`{3,}", clean)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{clean.rstrip()}\n{marks}"


def code(text: str) -> str:
    """Return one line as a code span that its own backticks cannot end."""
    line = plain(text)
    marks = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{marks}{edge}{_unreferenced(line) or ' '}{edge}{marks}"


def title(text: str, most: int = 72) -> str:
    """Return a pull request's title, which is also the first line of a squash: text, not Markdown.

    A commit message can also close issues and mention people. So "fixes #3" becomes "fixes no. 3", an address
    loses its scheme, and a mention is put in backticks.
    """
    line = cut(_SCHEME.sub("", plain(text)), most)
    line = _CLOSING.sub(r"\1\2\3no. ", line)
    if "`" in line:
        return re.sub(r"(?<!\w)@(?=\w)", "", line)
    return re.sub(r"(?<!\w)@[\w/-]+", lambda match: f"`{match.group()}`", line)


def _inline(text: str, most: int, *, in_table: bool) -> str:
    line = plain(text, most)
    made, at = [], 0
    for span in _CODE.finditer(line):
        made.append(_outside_code(line[at : span.start()]))
        inside = _unreferenced(span.group(1))
        made.append("`" + (inside.replace("|", "\\|") if in_table else inside) + "`")
        at = span.end()
    made.append(_outside_code(line[at:]))
    return "".join(made)


def _outside_code(text: str) -> str:
    escaped = _MARKUP.sub(lambda match: "".join(f"\\{one}" for one in match.group()), text)
    # As entities, "&" first: Markdown turns them back into characters after it has looked for tags.
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _unreferenced(escaped)


def _unreferenced(text: str) -> str:
    for pattern, replacement in _REFERENCES:
        text = pattern.sub(replacement, text)
    return text


def _visible(one: str) -> bool:
    # control, format (bidi, zero-width, tags), surrogate, private, unassigned; line and paragraph separators
    return unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
