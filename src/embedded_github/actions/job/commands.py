"""What a step says to its runner: workflow commands in its output, and files it writes.

The rules are the runner's own (`ActionCommandManager`, `FileCommandManager`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

from embedded_github.actions.ports import Annotation

_COMMAND = re.compile(r"\s*::([A-Za-z][A-Za-z-]*)(?:[ \t]+(.*?))?::(.*)\Z")
_LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}
_KNOWN = {
    *_LEVELS, "debug", "group", "endgroup", "add-mask", "stop-commands", "echo", "set-output", "save-state"
}  # fmt: skip
SUMMARY_LIMIT = 1024 * 1024
"""Bytes of a step's summary; a larger one is left out, as on GitHub."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class FileCommandError(ValueError):
    """A file command that cannot be read."""


class Masker:
    """Replaces secrets by `***`. A secret of many lines is masked line by line, too."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Mask a value from now on, and its base64, URL and JSON forms; blank ones are ignored."""
        for value in {secret, *secret.splitlines()}:
            if not value.strip():
                continue
            self._secrets |= {
                value,
                base64.b64encode(value.encode()).decode(),
                quote(value, safe=""),
                json.dumps(value)[1:-1],
            }
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def mask(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub("***", text) if self._pattern else text


class JobLog:
    """The log file of a job: a time before every line, every line masked.

    Args:
        file: made anew, with its folder.
        masker: what to hide.
        clock: the time, in UTC.
    """

    def __init__(self, file: Path, masker: Masker, clock: Callable[[], datetime] = utc_now) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._stream: IO[str] = file.open("w", encoding="utf-8", buffering=1)
        self._masker = masker
        self._clock = clock

    def write(self, text: str) -> None:
        """Add lines."""
        for line in self._masker.mask(text).splitlines() or [""]:
            moment = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
            self._stream.write(f"{moment}0Z {line}\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


@dataclass
class OutputReader:
    """Takes a step's output line by line: commands are obeyed, the rest goes to the log.

    Args:
        log: where lines go.
        masker: told of `add-mask`.
        annotations: `error`, `warning` and `notice` are added here.
        outputs: of the (deprecated) `set-output`.
        state: of the (deprecated) `save-state`.
    """

    log: JobLog
    masker: Masker
    annotations: list[Annotation]
    outputs: dict[str, str] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    _resume: str = ""

    def line(self, text: str) -> None:
        """Take one line, without its line feed."""
        found = _COMMAND.match(text)
        if self._resume:
            if text.strip() == f"::{self._resume}::":
                self._resume = ""
            self.log.write(text)
        elif found and found[1].lower() in _KNOWN:
            self._obey(found[1].lower(), _properties(found[2] or ""), _unescape(found[3]))
        else:
            self.log.write(text)

    def _obey(self, name: str, properties: dict[str, str], data: str) -> None:
        if name in _LEVELS:
            line = properties.get("line", "")
            self.annotations.append(
                Annotation(
                    _LEVELS[name],
                    self.masker.mask(data),
                    self.masker.mask(properties.get("title", "")),
                    properties.get("file", ""),
                    int(line) if line.isdecimal() else 0,
                )
            )
            self.log.write(f"##[{name}]{data}")
        elif name in {"group", "debug"}:
            self.log.write(f"##[{name}]{data}")
        elif name == "endgroup":
            self.log.write("##[endgroup]")
        elif name == "add-mask":
            self.masker.add(data)
            self.log.write("::add-mask::***")
        elif name == "stop-commands":
            if not data or data.lower() in _KNOWN | {"pause-logging"}:
                self.log.write(f"##[error]Invalid token '{data}' for stop-commands: use a random one")
            else:
                self._resume = data
                self.log.write(f"::stop-commands::{data}")
        elif name == "set-output":
            self.outputs[properties.get("name", "")] = data
        elif name == "save-state":
            self.state[properties.get("name", "")] = data


def read_pairs(file: Path) -> dict[str, str]:
    """What a step wrote to GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE: `NAME=value` and heredocs.

    Raises:
        FileCommandError: a line that is neither, or a heredoc without its end.
    """
    pairs: dict[str, str] = {}
    lines = iter(_read(file).split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            if not delimiter:
                raise FileCommandError(f"Invalid format '{line}'. The delimiter must not be empty")
            body: list[str] = []
            while (following := next(lines, None)) != delimiter:
                if following is None:
                    raise FileCommandError(f"Invalid value. Matching delimiter not found '{delimiter}'")
                body.append(following)
            value = "\n".join(body)
        else:
            raise FileCommandError(f"Invalid format '{line}'")
        if not name:
            raise FileCommandError(f"Invalid format '{line}'. The name must not be empty")
        pairs[name] = value
    return pairs


def read_lines(file: Path) -> list[str]:
    """What a step wrote to GITHUB_PATH."""
    return [line for line in _read(file).splitlines() if line]


def read_summary(file: Path, masker: Masker) -> str:
    """A step's summary, masked.

    Raises:
        FileCommandError: it is larger than GitHub takes.
    """
    text = _read(file)
    if (size := len(text.encode())) > SUMMARY_LIMIT:
        raise FileCommandError(
            f"$GITHUB_STEP_SUMMARY upload aborted, supports up to 1024k, got {size // 1024}k"
        )
    return masker.mask(text)


def _read(file: Path) -> str:
    # A symlink or a FIFO in its place would be the step's doing: neither followed nor waited for.
    if file.is_symlink() or not file.is_file():
        return ""
    return file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")


def _properties(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {
        name.strip(): _unescape(value.replace("%3A", ":").replace("%2C", ",")) for name, _, value in pairs
    }


def _unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
