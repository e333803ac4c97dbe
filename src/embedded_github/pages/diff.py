"""A patch as rows with line numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Final, Literal

from markupsafe import Markup, escape

from embedded_github.forge.git.repository import GitRepository
from embedded_github.forge.models import FileChange
from embedded_github.pages.highlight import lines

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_TAG: Final = re.compile(r"<[^>]*>")
MOST_ROWS: Final = 2_000
"""Of one file; the rest is only counted."""
MOST_COLOURED: Final = 40
"""Files of one page that are shown in colours."""
PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp")

Kind = Literal["hunk", "same", "added", "removed", "note"]


@dataclass(frozen=True)
class Row:
    """One line of a difference; a number is None where the line is not on that side."""

    kind: Kind
    old: int | None
    new: int | None
    code: Markup


@dataclass(frozen=True)
class FileDiff:
    """One file of a difference.

    Attributes:
        rows: empty where there is nothing to show line by line; `note` says why.
        left_out: rows beyond `MOST_ROWS`.
        picture: whether the new file can be shown as an image.
    """

    change: FileChange
    rows: tuple[Row, ...]
    note: str = ""
    left_out: int = 0
    picture: bool = False

    @property
    def blocks(self) -> tuple[int, int, int]:
        """Five little squares: how many are green, red and grey."""
        added, removed = self.change.additions, self.change.deletions
        total = added + removed
        if not total:
            return 0, 0, 5
        scale = min(5, total) / total
        green = round(added * scale) or bool(added)
        red = round(removed * scale) or bool(removed)
        return green, min(red, 5 - green), 5 - green - min(red, 5 - green)


Colours = Callable[[str, str], Sequence[Markup]]


def diffs(git: GitRepository, changes: Sequence[FileChange], base: str, head: str) -> list[FileDiff]:
    """The files of a difference between two commits, ready to be shown."""
    return [
        _diff(git, change, base, head, coloured=number < MOST_COLOURED)
        for number, change in enumerate(changes)
    ]


def rows(patch: str, old: Sequence[Markup] = (), new: Sequence[Markup] = ()) -> list[Row]:
    """The rows of a patch; lines are taken from `old` and `new`, the two files in colours, where given."""
    made: list[Row] = []
    left = right = 0
    for line in patch.split("\n"):
        mark, text = line[:1], line[1:]
        if found := _HUNK.match(line):
            left, right = int(found[1]), int(found[2])
            made.append(Row("hunk", None, None, escape(line)))
        elif mark == "\\":
            made.append(Row("note", None, None, escape(text.strip())))
        elif mark == "+":
            made.append(Row("added", None, right, _line(new, right, text)))
            right += 1
        elif mark == "-":
            made.append(Row("removed", left, None, _line(old, left, text)))
            left += 1
        else:
            made.append(Row("same", left, right, _line(new, right, text)))
            left, right = left + 1, right + 1
    return made


def _diff(git: GitRepository, change: FileChange, base: str, head: str, *, coloured: bool) -> FileDiff:
    if change.patch is None:
        picture = change.path.lower().endswith(PICTURES) and change.status != "removed"
        return FileDiff(change, (), _note(git, change), picture=picture)
    old: list[Markup] = []
    new: list[Markup] = []
    if coloured:
        old = _coloured(git, base, change.previous_path or change.path, shown=change.deletions > 0)
        new = _coloured(git, head, change.path, shown=change.status != "removed")
    every = rows(change.patch, old, new)
    return FileDiff(change, tuple(every[:MOST_ROWS]), left_out=max(0, len(every) - MOST_ROWS))


def _coloured(git: GitRepository, commit: str, path: str, *, shown: bool) -> list[Markup]:
    content = git.read(commit, path) if shown else None
    return lines(content.decode(errors="replace"), path) if content else []


def _line(coloured: Sequence[Markup], number: int, text: str) -> Markup:
    # Only if it is that line: the patch is what counts.
    if 0 < number <= len(coloured) and unescape(_TAG.sub("", coloured[number - 1])) == text:
        return coloured[number - 1]
    return escape(text)


def _note(git: GitRepository, change: FileChange) -> str:
    content = git.blob(change.sha) if change.sha and set(change.sha) != {"0"} else b""
    if b"\x00" in content[:8000]:
        return "Binary file not shown."
    if change.status == "renamed":
        return "File renamed without changes."
    return "The mode of the file was changed." if content else "Empty file."
