"""The `browser` tool: runs Chromium and its driver in the sandbox."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import get_args
from urllib.parse import urlsplit

from autonomous_loop.domain.work import BrowserResult
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox.browser_child import Action
from autonomous_loop.sandbox.helper import Helper
from autonomous_loop.sandbox.process import Child

ACTIONS = get_args(Action)
ACTION_S = 60.0
ANSWER_MOST = 2_000_000
PNG = b"\x89PNG\r\n\x1a\n"


class Browser:
    """Drives one browser page that stays open between actions.

    Args:
        found: an interpreter with Playwright, the path of `browser_child.py` that the sandbox can read, and
            the browser; None if there is no browser.
        start: starts a process in the sandbox with standard input.
    """

    def __init__(self, found: tuple[str, str, str] | None, start: Callable[..., Awaitable[Child]]) -> None:
        self._helper: Helper | None = None
        if found is not None:
            python, program, chrome = found
            self._helper = Helper("the browser", [python, "-I", program, chrome], start)

    async def act(self, action: str, *, url: str = "", selector: str = "", value: str = "") -> BrowserResult:
        """Perform one action and return the state of the page after it.

        Args:
            action: goto (url), click (selector), fill (selector, value), press (value; optional selector),
                screenshot, text (optional selector: only that part).
            url: http and https only.

        Raises:
            SandboxCallError: no browser is available, the action is unknown, the scheme is not http or https,
                or the page or element does not exist.
            DeadlineError: the browser hangs; the next action starts a new one.
        """
        if self._helper is None:
            raise SandboxCallError(
                "there is no browser here.",
                hint="install Chromium (Debian: apt-get install chromium) and a Python with playwright that "
                "every user can run.",
            )
        if action not in ACTIONS:
            raise SandboxCallError(f"the browser has no action {action!r}; it has {', '.join(ACTIONS)}.")
        if action == "goto" and url != "about:blank" and urlsplit(url).scheme not in {"http", "https"}:
            raise SandboxCallError(f"the browser goes to http and https only, not to {url!r}.")
        answer = await self._helper.ask(
            {"action": action, "url": url, "selector": selector, "value": value},
            most=ANSWER_MOST,
            timeout_s=ACTION_S,
        )
        png = base64.b64decode(str(answer.get("png", "")))
        if png and not png.startswith(PNG):
            raise SandboxCallError("the browser's screenshot is not a PNG.")
        return BrowserResult(str(answer.get("text", "")), png or None)

    async def end(self) -> None:
        """End the browser; the next action starts it again, at about:blank."""
        if self._helper is not None:
            await self._helper.end()
