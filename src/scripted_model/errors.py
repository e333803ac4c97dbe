"""The one error a script's author meets before the server starts."""

from __future__ import annotations


class ScriptError(Exception):
    """The script cannot be read or is not valid; `str()` of it says where, and what to do.

    Args:
        message: what is wrong, and at which place.
        hint: what to do next.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message}\n  What to do: {hint}")
        self.message = message
        self.hint = hint
