"""Writes conversations down as they happen: one file per conversation, one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

MOST_BYTES: Final = 10_000_000
"""Maximum bytes per conversation. The rest is left out, and the file says so."""
_LEFT_OUT: Final = {"signature", "data", "encrypted_content"}
"""Left out because it is long, opaque and useless to a reader. Images are kept as evidence elsewhere."""


class Transcripts:
    """Numbers the conversations of a session.

    Args:
        folder: only for the loop, not yet redacted; created when needed. None: write nothing down.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._count = 0

    def begin(self) -> Callable[[Mapping[str, Any]], None]:
        """Start another conversation, and return the function that records its messages."""
        if self._folder is None:
            return lambda _message: None
        self._count += 1
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / f"{self._count:03d}.jsonl"
        left = MOST_BYTES

        def take(message: Mapping[str, Any]) -> None:
            nonlocal left
            line = json.dumps(_shown(message), ensure_ascii=False) + "\n"
            if left <= 0:
                return
            left -= len(line)
            with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(line if left > 0 else '{"left out": "the rest of this conversation"}\n')

        return take


def _shown(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            name: f"({len(one)} characters left out)"
            if name in _LEFT_OUT and isinstance(one, str)
            else _shown(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value]
    return value
