"""Which paths the model may not change. Patterns are git's wildmatch, as in `.gitignore`."""

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
    """Patterns like those of `.gitignore`: the last one that matches decides, `!` takes back.

    Args:
        patterns: one a string.
        ignore_case: for file systems and tools that do not tell `.GitHub` from `.github`.
    """

    def __init__(self, patterns: Sequence[str], *, ignore_case: bool = False) -> None:
        flags = re.IGNORECASE if ignore_case else 0
        self._rules = [
            (re.compile(_regex(one.removeprefix("!")), flags | re.DOTALL), not one.startswith("!"))
            for one in patterns
            if one.strip() and not one.startswith("#")
        ]

    def match(self, path: str) -> bool:
        """Whether a file's path is meant, itself or by a folder above it."""
        meant = False
        for rule, wanted in self._rules:
            if rule.fullmatch(path):
                meant = wanted
        return meant


def _regex(pattern: str) -> str:
    pattern = pattern.strip()
    only_folder = pattern.endswith("/")
    body = pattern.strip("/")
    # A slash before the end ties the pattern to the root; without one it is meant at every level.
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
