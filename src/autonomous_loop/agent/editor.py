"""Implements the API's text editor tool on files of the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autonomous_loop.agent.tools import ToolInputError, ToolResult, text_field
from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.errors import SandboxCallError

MAX_FILE_BYTES = 2_000_000
_LISTED = 300
_LIST_S = 20.0


class Editor:
    """Runs view, create, str_replace and insert.

    Args:
        hands: the sandbox; only its `read_file` and `write_file` touch files.
        max_output: maximum characters of a file to show at once.
    """

    def __init__(self, sandbox: Sandbox, *, max_output: int) -> None:
        self._sandbox = sandbox
        self._max_output = max_output

    async def run(self, given: Mapping[str, Any]) -> ToolResult:
        """Run one command of the tool.

        Raises:
            ToolInputError: the command cannot be done as asked.
            SandboxCallError: the file cannot be read or written.
        """
        command, path = text_field(given, "command"), text_field(given, "path")
        if not path:
            raise ToolInputError("`path` is empty.")
        match command:
            case "view":
                return ToolResult(await self._view(path, given.get("view_range")))
            case "create":
                await self._sandbox.write_file(path, text_field(given, "file_text").encode())
                return ToolResult(f"{path} is written.")
            case "str_replace":
                old, new = text_field(given, "old_str"), text_field(given, "new_str", default="")
                return ToolResult(await self._replace(path, old, new))
            case "insert":
                # Older versions of the tool call this text `new_str`.
                name = "new_str" if "insert_text" not in given and "new_str" in given else "insert_text"
                return ToolResult(await self._insert(path, given.get("insert_line"), text_field(given, name)))
            case _:
                raise ToolInputError(
                    f"there is no command {command!r}; there are view, create, str_replace and insert."
                )

    async def _read(self, path: str) -> str:
        data = await self._sandbox.read_file(path, max_bytes=MAX_FILE_BYTES)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ToolInputError(f"{path} is not UTF-8 text; use bash for it.") from None

    async def _view(self, path: str, view_range: object) -> str:
        try:
            text = await self._read(path)
        except SandboxCallError as error:
            listing = await self._list(path)
            if listing is None:
                raise error from None
            return listing
        lines = text.splitlines()
        first, last = _range(view_range, len(lines))
        shown: list[str] = []
        room = self._max_output
        for number in range(first, last + 1):
            line = f"{number:6}\t{lines[number - 1]}"
            room -= len(line) + 1
            if room < 0 and shown:
                shown.append(
                    f"[... lines {number} to {last} are left out; see them with view_range "
                    f"[{number}, {last}] ...]"
                )
                break
            shown.append(line[: self._max_output])
        return "\n".join(shown) or f"{path} is empty."

    async def _list(self, path: str) -> str | None:
        """List a folder, two levels deep, without hidden entries; None if it is no folder."""
        start = path if path.startswith("/") else f"./{path}"
        argv = [
            "find",
            start,
            "-mindepth",
            "1",
            "-maxdepth",
            "2",
            "-not",
            "-path",
            "*/.*",
            "-printf",
            "%P%y\\n",
        ]
        found = await self._sandbox.run(argv, timeout_s=_LIST_S, merge_stderr=True)
        kind = await self._sandbox.run(["test", "-d", start], timeout_s=_LIST_S)
        if kind.exit_code != 0:
            return None
        entries = sorted(
            line[:-1] + ("/" if line.endswith("d") else "") for line in found.text.splitlines() if line
        )
        more = [f"[... and {len(entries) - _LISTED} more ...]"] if len(entries) > _LISTED else []
        return "\n".join([f"{path} holds, two levels deep:", *entries[:_LISTED], *more])

    async def _replace(self, path: str, old: str, new: str) -> str:
        if not old:
            raise ToolInputError("`old_str` is empty; use insert or create.")
        text = await self._read(path)
        if old not in text and "\r\n" in text:  # the model always writes \n, whatever the file has
            old, new = (one.replace("\r\n", "\n").replace("\n", "\r\n") for one in (old, new))
        at = _places(text, old)
        if not at:
            raise ToolInputError(
                f"`old_str` does not stand in {path}, character for character. View the file and copy it "
                "exactly."
            )
        if len(at) > 1:
            lines = ", ".join(str(_line(text, place)) for place in at[:10])
            raise ToolInputError(
                f"`old_str` stands in {path} {len(at)} times (lines {lines}). Give more of what is around "
                "the one you mean."
            )
        await self._sandbox.write_file(path, (text[: at[0]] + new + text[at[0] + len(old) :]).encode())
        return f"{path} is changed at line {_line(text, at[0])}."

    async def _insert(self, path: str, after: object, text: str) -> str:
        whole = await self._read(path)
        lines = whole.splitlines(keepends=True)
        if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= len(lines):
            raise ToolInputError(
                f"`insert_line` must be a number from 0 to {len(lines)}, the lines of {path}."
            )
        end = "\r\n" if "\r\n" in whole else "\n"
        added = "".join(f"{line}{end}" for line in text.splitlines())
        if after and not lines[after - 1].endswith(("\n", "\r")):
            lines[after - 1] += end
        await self._sandbox.write_file(path, "".join([*lines[:after], added, *lines[after:]]).encode())
        return f"{path}: {len(text.splitlines())} lines are inserted after line {after}."


def _range(given: object, count: int) -> tuple[int, int]:
    """Return the first and last line to show, from 1; -1 means the end."""
    if given is None:
        return 1, count
    if not isinstance(given, list) or len(given) != 2 or not all(type(one) is int for one in given):
        raise ToolInputError("`view_range` must be two line numbers, such as [10, 40]; -1 is the end.")
    first, last = given
    last = count if last == -1 else min(last, count)
    if not 1 <= first <= max(last, 1):
        raise ToolInputError(f"`view_range` {given} is not within the file's {count} lines.")
    return first, last


def _places(text: str, part: str) -> list[int]:
    found, at = [], text.find(part)
    while at >= 0:
        found.append(at)
        at = text.find(part, at + 1)
    return found


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
