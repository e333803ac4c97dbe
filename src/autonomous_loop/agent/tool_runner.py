"""Runs the tools of one answer: independent ones at the same time, the others in their order."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable, Sequence

from autonomous_loop.agent.conversation import ToolCall
from autonomous_loop.agent.editor import Editor
from autonomous_loop.agent.text import first_line, trim
from autonomous_loop.agent.tools import (
    ACTIONS,
    BASH,
    BROWSER,
    EDITOR,
    ToolInputError,
    ToolResult,
    fields,
    refusal,
    text_field,
)
from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.errors import SandboxCallError

SANDBOX_TOOLS = frozenset({BASH, EDITOR, BROWSER})
# The API accepts images up to 5 MB, counted in base64.
_MAX_PNG_BYTES = 3_700_000


class ToolRunner:
    """Runs the tools that work in the sandbox. A fault becomes an error result, never an exception.

    Args:
        hands: the sandbox.
        command_timeout_s: for one bash command.
        max_output: maximum characters of output to show the model.
        seconds_left: until the session's deadline.
        images: the model reads images.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        command_timeout_s: float,
        max_output: int,
        seconds_left: Callable[[], float],
        images: bool,
    ) -> None:
        self._sandbox = sandbox
        self._editor = Editor(sandbox, max_output=max_output)
        self._command_timeout_s = command_timeout_s
        self._max_output = max_output
        self._seconds_left = seconds_left
        self._images = images

    async def run(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        """Run the calls and return the results in their order."""
        tasks: list[asyncio.Task[ToolResult]] = []
        for index, call in enumerate(calls):
            before = [tasks[n] for n in range(index) if needs(call, calls[n], work=self._sandbox.work)]
            tasks.append(asyncio.create_task(self._after(before, call)))
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _after(self, before: Sequence[asyncio.Task[ToolResult]], call: ToolCall) -> ToolResult:
        if before:
            await asyncio.wait(before)
        try:
            return await self._one(call)
        except ToolInputError as error:
            return refusal(str(error))
        except SandboxCallError as error:
            return refusal(error.message)

    async def _one(self, call: ToolCall) -> ToolResult:
        given = fields(call.input)
        if call.name == EDITOR:
            return await self._editor.run(given)
        if call.name == BROWSER:
            action = text_field(given, "action")
            if action not in ACTIONS:
                raise ToolInputError(f"there is no action {action!r}; there are {', '.join(ACTIONS)}.")
            url, selector, value = (
                text_field(given, name, default="") for name in ("url", "selector", "value")
            )
            return await self._browse(action, url, selector, value)
        if given.get("restart"):
            await self._sandbox.restart_shell()
            return ToolResult("the shell is restarted.")
        return await self._bash(text_field(given, "command"))

    async def _bash(self, command: str) -> ToolResult:
        timeout_s = min(self._command_timeout_s, self._seconds_left())
        if timeout_s <= 0:
            return refusal("not run: this session has no time left.")
        result = await self._sandbox.shell(command, timeout_s=timeout_s, max_output=self._max_output)
        text = result.text
        text += "" if not text or text.endswith("\n") else "\n"
        if result.exit_code is None:
            return refusal(
                f"{text}[no exit code: ended by its deadline of {timeout_s:.0f} s; the shell is a fresh one]"
            )
        return ToolResult(f"{text}[exit code {result.exit_code}]")

    async def _browse(self, action: str, url: str, selector: str, value: str) -> ToolResult:
        seen = await self._sandbox.browse(action, url=url, selector=selector, value=value)
        text = trim(seen.text, self._max_output)
        if seen.png is None:
            return ToolResult(text or "done.")
        if not self._images or len(seen.png) > _MAX_PNG_BYTES:
            why = "is too large to be shown" if self._images else "was taken, but this model reads no images"
            return ToolResult(f"{text}\n[a screenshot {why}; use the action text]".strip())
        return ToolResult(text or "the page:", png=seen.png)


def describe(call: ToolCall) -> str:
    """Describe a tool call in one short line, for progress."""
    given = call.input if isinstance(call.input, dict) else {}
    for name in ("path", "url", "selector", "note", "feature_id"):
        if call.name != BASH and isinstance(given.get(name), str) and given[name]:
            verb = given.get("command") or given.get("action") or call.name
            return first_line(f"{verb} {given[name]}")
    return first_line(f"{call.name}: {given.get('command') or given.get('action') or ''}".rstrip(": "))


def needs(later: ToolCall, earlier: ToolCall, *, work: str) -> bool:
    """Whether `later` must wait for `earlier`, which precedes it in the same answer.

    There is one shell and one browser. A command may need a file written before it, a page may need a server
    started before it, and two edits of one file must keep their order.

    Args:
        work: the sandbox's work tree, to which paths are relative.
    """
    if later.name == earlier.name == EDITOR:
        same = _path(later, work) == _path(earlier, work)
        return same and (_writes(later) or _writes(earlier))
    if EDITOR in {later.name, earlier.name}:
        return _writes(later) or _writes(earlier)
    return True


def _writes(call: ToolCall) -> bool:
    return call.name == EDITOR and not (isinstance(call.input, dict) and call.input.get("command") == "view")


def _path(call: ToolCall, work: str) -> str:
    path = call.input.get("path") if isinstance(call.input, dict) else None
    return posixpath.normpath(posixpath.join(work, path if isinstance(path, str) else ""))
