"""Shortens text before it is sent to the model, since history is never rewritten."""

from __future__ import annotations


def trim(text: str, most: int) -> str:
    """Return head and tail of a text longer than `most` characters, with a line about the omitted part."""
    if len(text) <= most:
        return text
    head, tail = text[: most // 3], text[len(text) - (most - most // 3) :]
    return f"{head}\n[... {len(text) - most} characters left out ...]\n{tail}"


def first_line(text: str, most: int = 80) -> str:
    """Return the beginning of a text as one short line."""
    line = " ".join(text.strip().splitlines()[:1])
    return line if len(line) <= most else f"{line[: most - 1]}…"
