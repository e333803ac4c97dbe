"""What languages with braces have in common: quiet text, blocks, where a body ends early."""

from __future__ import annotations

import re

_BRACE = re.compile(r"[{}]")
_LEAVES = re.compile(r"[{}]|(?<![\w.])return\s*(?:;|\n|\})")


def quiet(text: str, *silent: str) -> str:
    """The text with what these patterns match (comments, strings) blanked out; positions stay."""
    return re.sub("|".join(silent), lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def block_end(text: str, start: int) -> int:
    """Where the block that was opened just before `start` closes.

    Args:
        text: quiet.
    """
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(text)


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


def lines_of(text: str) -> list[str]:
    """Lines that hold something, without their indentation."""
    return [line.strip() for line in text.splitlines() if line.strip()]
