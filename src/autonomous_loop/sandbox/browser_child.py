"""Drives a browser inside the sandbox (`python -I`): reads one JSON object a line, writes one back.

`argv[1]` is the browser. The debugger connects through a pipe (Playwright's default), so the browser opens no
port. Chromium's own sandbox is off because it needs privileges that this process gave up. The loop's sandbox
takes its place.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

Action = Literal["goto", "click", "fill", "press", "screenshot", "text"]

SIZE = {"width": 1280, "height": 800}
ARGUMENTS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
STEP_MS = 5_000
LOAD_MS = 20_000
TEXT_MOST = 20_000
PNG_MOST = 300_000
SCALES = (1, 0.7, 0.5, 0.3)
NOTES_MOST = 20


class Driver:
    """Holds the page, and the errors that happened on it since the last action."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.notes: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("dialog", self._dialog)

    def act(self, action: str, url: str, selector: str, value: str) -> dict[str, str]:
        """Perform one action and return the answer for the loop."""
        text = png = ""
        if action == "goto":
            self.page.goto(url, wait_until="load")
            text = self._text("body")
        elif action == "click":
            self.page.click(selector)
        elif action == "fill":
            self.page.fill(selector, value)
        elif action == "press":
            self.page.press(selector, value) if selector else self.page.keyboard.press(value)
        elif action == "screenshot":
            png = self._screenshot()
        else:
            text = self._text(selector or "body")
        if action in {"click", "press"}:
            self.page.wait_for_load_state()
        if self.page.url != "about:blank" and not self.page.url.startswith(("http://", "https://")):
            self._note(f"left {self.page.url}: http and https only")
            self.page.goto("about:blank")
            text = png = ""
        lines = [
            f"url: {self.page.url}",
            f"title: {self.page.title()}",
            *([text] if text else []),
            *self.notes,
        ]
        self.notes.clear()
        return {"text": "\n".join(lines), "png": png}

    def _text(self, selector: str) -> str:
        text = self.page.inner_text(selector)
        return (
            text if len(text) <= TEXT_MOST else f"{text[:TEXT_MOST]}\n[... {len(text) - TEXT_MOST} more ...]"
        )

    def _screenshot(self) -> str:
        """Take a PNG of the viewport (base64) and scale it down until it fits."""
        session = self.page.context.new_cdp_session(self.page)
        data = ""
        for scale in SCALES:
            offset = self.page.evaluate("[window.scrollX, window.scrollY]")
            clip = {"x": offset[0], "y": offset[1], **SIZE, "scale": scale}
            data = session.send("Page.captureScreenshot", {"format": "png", "clip": clip})["data"]
            if len(data) * 3 // 4 <= PNG_MOST:
                break
        session.detach()
        return data

    def _note(self, text: str) -> None:
        if len(self.notes) < NOTES_MOST:
            self.notes.append(text[:500])

    def _dialog(self, dialog: Dialog) -> None:
        self._note(f"{dialog.type}: {dialog.message}")
        dialog.accept()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console error: {message.text}")

    def _failed(self, request: Request) -> None:
        self._note(f"failed request: {request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"failed request: {response.request.method} {response.url}: HTTP {response.status}")


def main() -> None:
    """Answer requests until standard input ends."""
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - the loop imports this module too

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=sys.argv[1], chromium_sandbox=False, args=ARGUMENTS
        )
        page = browser.new_page(viewport=cast("Any", SIZE))
        page.set_default_timeout(STEP_MS)
        page.set_default_navigation_timeout(LOAD_MS)
        driver = Driver(page)
        for line in sys.stdin.buffer:
            try:
                answer = driver.act(**json.loads(line))
            except Error as error:
                notes = "\n".join([error.message[:2000], *driver.notes])
                driver.notes.clear()
                answer = {"refused": notes}
            sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
