"""Defines which paths the model may not change. Patterns are git's wildmatch, as in `.gitignore`."""

from __future__ import annotations

import re
from collections.abc import Sequence

PROTECTED = (
    "/.github/",
    "AGENTS.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md",
    ".claude/", ".mcp.json", ".cursor/", ".cursorrules",
    ".vscode/", ".idea/", ".devcontainer/", ".devcontainer.json",
    ".husky/", ".gitattributes", ".gitmodules", ".npmrc", "CODEOWNERS",
)  # fmt: skip


class PathPatterns:
    """Patterns as in `.gitignore`: the last matching one decides, and `!` negates.

    Args:
        patterns: one pattern each.
        ignore_case: for file systems and tools that do not distinguish `.GitHub` from `.github`.
    """

    def __init__(self, patterns: Sequence[str], *, ignore_case: bool = False) -> None:
        flags = re.IGNORECASE if ignore_case else 0
        self._rules = [
            (re.compile(_regex(one.removeprefix("!")), flags | re.DOTALL), not one.startswith("!"))
            for one in patterns
            if one.strip() and not one.startswith("#")
        ]

    def match(self, path: str) -> bool:
        """Return whether a pattern matches a file's path or a folder above it."""
        meant = False
        for rule, wanted in self._rules:
            if rule.fullmatch(path):
                meant = wanted
        return meant


def _regex(pattern: str) -> str:
    pattern = pattern.strip()
    only_folder = pattern.endswith("/")
    body = pattern.strip("/")
    # A slash before the end anchors the pattern at the root; without one it matches at every level.
    anchored = "/" in pattern.rstrip("/")
    made = "" if anchored else "(?:.*/)?"
    index = 0
    while index < len(body):
        rest = body[index:]
        if rest.startswith("**/"):
            made, index = made + "(?:.*/)?", index + 3
        elif rest == "**":
            made, index = made + ".+", index + 2
        elif rest[0] == "*":
            made, index = made + "[^/]*", index + len(rest) - len(rest.lstrip("*"))
        elif rest[0] == "?":
            made, index = made + "[^/]", index + 1
        elif found := re.match(r"\[([!^]?)((?:\\.|[^\]\\])(?:\\.|[^\]\\])*)\]", rest):
            inside = found[2].replace("[", r"\[")
            made, index = made + f"(?!/)[{'^' if found[1] else ''}{inside}]", index + found.end()
        elif rest[0] == "\\" and len(rest) > 1:
            made, index = made + re.escape(rest[1]), index + 2
        else:
            made, index = made + re.escape(rest[0]), index + 1
    return made + ("/.+" if only_folder else "(?:/.+)?")
