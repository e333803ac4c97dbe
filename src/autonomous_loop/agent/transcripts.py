"""What was said with the model, written down as it is said: a file a conversation, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

MOST_BYTES: Final = 10_000_000
"""Of one conversation; what comes after is left out, and the file says so."""
_LEFT_OUT: Final = {"signature", "data", "encrypted_content"}
"""Long, opaque, and no help to a reader: pictures are evidence of their own."""


class Transcripts:
    """Numbers the conversations of a session.

    Args:
        folder: the loop's alone, not yet redacted; made when needed. None: nothing is written down.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._count = 0

    def begin(self) -> Callable[[Mapping[str, Any]], None]:
        """What takes each message of one more conversation."""
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
