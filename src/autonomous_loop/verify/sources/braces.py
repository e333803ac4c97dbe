"""What languages with braces have in common: quiet text, blocks, where a body ends early."""

from __future__ import annotations

import re
from collections.abc import Iterable

from autonomous_loop.verify.sources.base import refuse_depth

# A comment or a text that nobody closes ends with the file: each is looked through once.
COMMENT = r"/\*.*?(?:\*/|\Z)"
_BRACE = re.compile(r"[{}]")
_LEAVES = re.compile(r"[{}]|(?<![\w.])return\s*(?:;|\n|\})")


def quiet(text: str, *silent: str) -> str:
    """The text with what these patterns match (comments, strings) blanked out; positions stay."""
    return re.sub("|".join(silent), lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def block_ends(text: str, starts: Iterable[int]) -> list[int]:
    """Where the blocks close that were opened just before each of `starts`, in order.

    Args:
        text: quiet.

    Raises:
        RecursionError: too many of them stand in one another, or are never closed.
    """
    closing: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.end())
        elif opened:
            closing[opened.pop()] = brace.start()
    ends: list[int] = []
    around: list[int] = []
    for start in starts:
        while around and around[-1] <= start:
            around.pop()
        around.append(closing.get(start, len(text)))
        refuse_depth(len(around))
        ends.append(around[-1])
    return ends


def reached(body: str) -> str:
    """A function's body up to where it always returns without a value.

    Args:
        body: quiet, without its braces.
    """
    depth = 0
    for found in _LEAVES.finditer(body):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        elif depth == 0:
            return body[: found.start()]
        else:
            depth -= found[0].endswith("}")
    return body
