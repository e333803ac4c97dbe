"""Splits JavaScript and TypeScript into words, just enough to distinguish code from text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SKIPPED = re.compile(r"\s+|//[^\n]*|/\*.*?(?:\*/|\Z)|#![^\n]*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$#\u0080-\uffff][\w$\u0080-\uffff]*")
_NUMBER = re.compile(r"\d[\w.]*")
_STRING = re.compile(r"'((?:\\.|[^'\\\n])*)'|\"((?:\\.|[^\"\\\n])*)\"", re.DOTALL)
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
# A value starts after these, so a slash starts a regular expression.
BEFORE_VALUE = frozenset({
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await", "yield",
})  # fmt: skip
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word.

    Attributes:
        kind: name, number, string, template, regex or punctuation.
        text: for a string or template, the text between its quotes, with escapes resolved.
        line: the line it starts in, from 1.
    """

    kind: str
    text: str
    line: int = 0


def tokens(source: str) -> list[Token]:
    """Return a file's words without comments."""
    found: list[Token] = []
    at = seen = 0
    line = 1
    while at < len(source):
        line, seen = line + source.count("\n", seen, at), at
        if skipped := _SKIPPED.match(source, at):
            at = skipped.end()
        elif source[at] == "`":
            end = _template_end(source, at)
            found.append(Token("template", _unescaped(source[at + 1 : end - 1]), line))
            at = end
        elif string := _STRING.match(source, at):
            found.append(Token("string", _unescaped(string[1] if string[1] is not None else string[2]), line))
            at = string.end()
        elif name := _NAME.match(source, at):
            found.append(Token("name", name[0], line))
            at = name.end()
        elif number := _NUMBER.match(source, at):
            found.append(Token("number", number[0], line))
            at = number.end()
        elif source[at] == "/" and _value_follows(found) and (regex := _REGEX.match(source, at)):
            found.append(Token("regex", regex[0], line))
            at = regex.end()
        else:
            text = "?." if source.startswith("?.", at) else source[at]
            found.append(Token("punctuation", text, line))
            at += len(text)
    return found


def pairs(found: Sequence[Token]) -> dict[int, int]:
    """Return where each opening bracket is closed.

    Raises:
        ValueError: the brackets do not match.
    """
    closing: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(found):
        if token.kind != "punctuation":
            continue
        if token.text in _PAIRS:
            opened.append(at)
        elif token.text in _PAIRS.values():
            if not opened or _PAIRS[found[opened[-1]].text] != token.text:
                raise ValueError("the brackets do not match")
            closing[opened.pop()] = at
    if opened:
        raise ValueError("a bracket is not closed")
    return closing


def _value_follows(found: Sequence[Token]) -> bool:
    if not found:
        return True
    last = found[-1]
    if last.kind == "punctuation":
        return last.text not in {")", "]", "}"}
    return last.kind == "name" and last.text in BEFORE_VALUE


def _template_end(source: str, at: int) -> int:
    """Return the position after the closing backtick; templates may hold code with templates."""
    at += 1
    depth = 0
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 2
            continue
        if depth == 0 and char == "`":
            return at + 1
        if depth == 0 and source.startswith("${", at):
            depth, at = 1, at + 2
            continue
        if depth and char == "`":
            at = _template_end(source, at)
            continue
        if depth and (string := _STRING.match(source, at)):
            at = string.end()
            continue
        depth += (char == "{") - (char == "}") if depth else 0
        at += 1
    return len(source) + 1


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    said = found[1]
    if said[0] in "ux" and len(said) > 1:
        return chr(min(int(said[1:].strip("{}"), 16), 0x10FFFF))
    return _PLAIN_ESCAPES.get(said, said)
