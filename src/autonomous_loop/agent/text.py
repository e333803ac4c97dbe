"""Text as the model is shown it: bounded before it is sent, since history is never rewritten."""

from __future__ import annotations


def trim(text: str, most: int) -> str:
    """Head and tail of a text longer than `most` characters, with a line that says what was left out."""
    if len(text) <= most:
        return text
    head, tail = text[: most // 3], text[len(text) - (most - most // 3) :]
    return f"{head}\n[... {len(text) - most} characters left out ...]\n{tail}"


def first_line(text: str, most: int = 80) -> str:
    """The beginning of a text as one short line."""
    line = " ".join(text.strip().splitlines()[:1])
    return line if len(line) <= most else f"{line[: most - 1]}…"
