"""Text as it can be sent and stored."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def utf8(text: str) -> str:
    r"""The same, fit for UTF-8.

    Names of files are bytes. What of them is no UTF-8 is carried in a `str` as lone surrogates
    (`surrogateescape`), which nothing outside takes; it is shown as git shows it: `b\351.bin`. Half a
    surrogate pair, as models write it, is shown by its number.
    """
    return _SURROGATE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\{code - 0xDC00:03o}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
