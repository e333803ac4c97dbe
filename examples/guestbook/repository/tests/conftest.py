"""A running guestbook, and a browser to look at it."""

import http.client
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest

from guestbook.app import Guestbook
from guestbook.store import Store
from guestbook.web import make_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENSHOTS = Path(__file__).parent.parent / "test-results"
QUIET_BROWSER = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass(frozen=True)
class RunningServer:
    """A guestbook that listens at `url`, and its store."""

    url: str
    store: Store

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for an address."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send a form; redirections are not followed."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", path, urlencode(form or {}), headers)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty guestbook's store."""
    return Store(tmp_path / "guestbook.sqlite3")


@pytest.fixture
def server(store: Store) -> Iterator[RunningServer]:
    """A guestbook on a free port."""
    with make_server(Guestbook(store), 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.002})
        thread.start()
        yield RunningServer(f"http://127.0.0.1:{running.server_port}", store)
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium, started once and only if a test wants it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROME_PATH"), chromium_sandbox=False, args=QUIET_BROWSER
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: "Browser", request: pytest.FixtureRequest) -> Iterator["Page"]:
    """A fresh browser page; what it showed last is kept in `test-results/`."""
    with browser.new_context(viewport={"width": 900, "height": 760}) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield page
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png", full_page=True, animations="disabled")
