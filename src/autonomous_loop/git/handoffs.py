"""Keeps the handoff of a plain git directory in the project's git folder, where no commit can place files."""

from __future__ import annotations

import os
from pathlib import Path


class FileHandoffStore:
    """Implements `HandoffStore`.

    Args:
        git_folder: the project's git folder.
        loop: the loop's id.
    """

    def __init__(self, git_folder: Path, *, loop: str) -> None:
        self._file = git_folder / "autonomous-loop" / f"{loop}.json"

    def write(self, human: str, document: str) -> None:
        """See `HandoffStore`."""
        # Nobody reads a git folder, so `human` is not stored here. Other stores show it.
        self._file.parent.mkdir(mode=0o700, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(document, encoding="utf-8")
        os.replace(new, self._file)  # noqa: PTH105 - atomic by name

    def read(self) -> str | None:
        """See `HandoffStore`; also None for a damaged file, since the journal alone is enough."""
        try:
            return self._file.read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return None
