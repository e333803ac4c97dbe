"""Converts text so that it can be sent and stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

_SURROGATE = re.compile("[\ud800-\udfff]")


def utf8(text: str) -> str:
    r"""Return the text, safe for UTF-8.

    File names are bytes. A `str` holds those that are not UTF-8 as lone surrogates (`surrogateescape`), which
    nothing outside accepts; they are shown as git shows them: `b\351.bin`. Half a surrogate pair, as models
    write it, is shown by its number.
    """
    return _SURROGATE.sub(_shown, text)


def in_every_text(value: object, change: Callable[[str], str]) -> object:
    """Return the plain data with every text in it changed, except keys and enumeration values."""
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: in_every_text(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(in_every_text(one, change) for one in value)
    return value


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\{code - 0xDC00:03o}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
