"""Formats log lines: redacted, tracebacks too, and without commands for the runner that reads them."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

Level = Literal["error", "warning", "notice"]

# The runner treats as a command: "::" first on a line after any white space, and the older "##[" anywhere
# (actions/runner, ActionCommand.cs). An invisible zero-width space breaks both.
_COMMAND: Final = re.compile(r"(?:(?<=[\r\n])|\A)([^\S\r\n]*):(?=:)")
_OLD_COMMAND: Final = re.compile(r"##(?=\[)")
_BREAK: Final = "\u200b"


class RedactingFormatter(logging.Formatter):
    """Formats a record, then redacts all of it: message, arguments and traceback.

    Args:
        redact: removes secrets from text.
        fmt: as in `logging.Formatter`.
        for_runner: disable workflow commands, because a GitHub runner reads the lines.
    """

    def __init__(
        self, redact: Callable[[str], str], fmt: str = "%(message)s", *, for_runner: bool = False
    ) -> None:
        super().__init__(fmt)
        self._redact = redact
        self._for_runner = for_runner

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole redacted text of a record, one or more lines."""
        try:
            text = self._redact(super().format(record))
        finally:
            # logging caches the traceback on the record, where another handler would find it unredacted.
            record.exc_text = None
        return harmless(text) if self._for_runner else text


def harmless(text: str) -> str:
    """Return `text` with every workflow command disabled; it looks the same."""
    return _OLD_COMMAND.sub(f"##{_BREAK}", _COMMAND.sub(rf"\1:{_BREAK}", text))


def annotation(
    level: Level, message: str, *, title: str = "", file: str = "", line: int | None = None
) -> str:
    """Return a workflow command that shows `message` on the run's page (and at `file`, `line` of the diff).

    The text must be redacted already. It cannot start another command, because line ends are escaped.
    """
    properties = {"title": title, "file": file, "line": "" if line is None else str(line)}
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level}{' ' + given if given else ''}::{_data(message)}"


@contextmanager
def commands_stopped(write: Callable[[str], object]) -> Iterator[None]:
    """Turn workflow commands off while foreign output is written.

    Args:
        write: writes one line to the runner's log.
    """
    token = secrets.token_hex(16)
    write(f"::stop-commands::{token}")
    try:
        yield
    finally:
        write(f"::{token}::")


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
