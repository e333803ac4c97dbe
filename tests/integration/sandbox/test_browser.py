import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_asyncio

from autonomous_loop.errors import DeadlineError, SandboxCallError
from autonomous_loop.sandbox import browser as browser_module
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.sandbox.toolchain import find_browser
from integration.sandbox.conftest import DEFAULTS
from waiting import until

PAGE = """<!doctype html><title>Guestbook</title><h1>Welcome</h1>
<form action="/hello"><input name="who"><button>Sign</button></form>
<a id="broken" href="javascript:console.error('it broke'); fetch('/missing')">break</a>
<a id="away" href="/away">away</a><canvas width="1280" height="700"></canvas><script>
const noise = document.querySelector("canvas").getContext("2d");
if (location.pathname == "/noise") for (let y = 0; y < 700; y += 2) for (let x = 0; x < 1280; x += 2) {
  noise.fillStyle = "#" + Math.random().toString(16).slice(2, 8).padEnd(6, "0");
  noise.fillRect(x, y, 2, 2);
}
</script>"""


class Site(BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.send_response({"/away": 302, "/missing": 404}.get(path, 200))
        self.send_header("content-type", "text/html")
        if path == "/away":
            self.send_header("location", "file:///etc/passwd")
        self.end_headers()
        self.wfile.write((f"<title>Hello</title><p>Hello {query}" if path == "/hello" else PAGE).encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsing():
    """Hands with a browser, found as they would find it."""
    chrome = find_browser(os.defpath)
    sandbox = await ProcessSandbox.create(
        **DEFAULTS | {"chrome_path": chrome, "browser_python": sys.executable}
    )
    yield sandbox
    await sandbox.close()


in_module = pytest.mark.asyncio(loop_scope="module")


@in_module
async def test_a_form_is_filled_and_sent(browsing, site):
    opened = await browsing.browse("goto", url=f"{site}/")
    assert opened.text.startswith(f"url: {site}/\ntitle: Guestbook\nWelcome")
    await browsing.browse("fill", selector="input", value="Ada")
    clicked = await browsing.browse("click", selector="button")
    assert clicked.text == f"url: {site}/hello?who=Ada\ntitle: Hello"
    assert (await browsing.browse("text", selector="p")).text.endswith("\nHello who=Ada")

    await browsing.browse("goto", url=f"{site}/")
    await browsing.browse("fill", selector="input", value="Bob")
    await browsing.browse("press", selector="input", value="Enter")
    assert "Hello who=Bob" in (await browsing.browse("text")).text


@in_module
async def test_what_goes_wrong_on_the_page_is_told_once(browsing, site):
    await browsing.browse("goto", url=f"{site}/")
    told = (await browsing.browse("click", selector="#broken")).text

    async def all_is_told():
        nonlocal told
        told += (await browsing.browse("text", selector="h1")).text
        return "console error: it broke" in told and f"failed request: GET {site}/missing: HTTP 404" in told

    await until(all_is_told)
    assert told.count("it broke") == told.count("HTTP 404") == 1
    assert (await browsing.browse("text", selector="h1")).text.endswith("\nWelcome")


@in_module
@pytest.mark.parametrize("path", ["/", "/noise"])
async def test_a_screenshot_is_a_png_of_bounded_size(browsing, site, path):
    await browsing.browse("goto", url=f"{site}{path}")
    shot = await browsing.browse("screenshot")
    assert shot.png.startswith(b"\x89PNG")
    width = int.from_bytes(shot.png[16:20], "big")
    assert len(shot.png) <= 300_000
    assert width == 1280 if path == "/" else width < 1280


@in_module
@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "chrome://version", "javascript:1", "ftp://x", "data:,x", ""]
)
async def test_only_the_web_is_browsed(browsing, url):
    with pytest.raises(SandboxCallError, match="http and https only"):
        await browsing.browse("goto", url=url)


@in_module
async def test_a_redirect_to_a_file_leads_nowhere(browsing, site):
    with pytest.raises(SandboxCallError):
        await browsing.browse("goto", url=f"{site}/away")
    assert "root:" not in (await browsing.browse("text")).text


@in_module
async def test_the_browser_runs_as_the_hands_and_no_port_debugs_it(browsing, site):
    await browsing.browse("goto", url=f"{site}/")
    listed = await browsing.run(["ps", "-eo", "uid,args"], timeout_s=10)
    browsers = [
        line.split()
        for line in listed.text.splitlines()
        if "--headless" in line and str(browsing.uid) in line
    ]
    assert browsers
    assert all("--remote-debugging-pipe" in words for words in browsers if "--type=" not in " ".join(words))
    assert "--remote-debugging-port" not in listed.text


@in_module
async def test_a_browser_that_hangs_meets_its_deadline_and_comes_back(browsing, site, monkeypatch):
    await browsing.browse("goto", url=f"{site}/")
    monkeypatch.setattr(browser_module, "ACTION_S", 0.001)
    with pytest.raises(DeadlineError, match="the browser did not answer"):
        await browsing.browse("screenshot")
    monkeypatch.undo()
    assert (await browsing.browse("text")).text.startswith("url: about:blank")


async def test_without_a_browser_the_tool_says_what_to_install(sandbox):
    with pytest.raises(SandboxCallError, match="no browser here") as refused:
        await sandbox.browse("screenshot")
    assert "apt-get install chromium" in refused.value.hint


@in_module
async def test_an_unknown_action_is_refused_with_the_known_ones(browsing):
    with pytest.raises(SandboxCallError, match="goto, click, fill, press, screenshot, text"):
        await browsing.browse("evaluate", value="1")


@in_module
async def test_a_selector_that_is_none_is_an_answer(browsing, site):
    await browsing.browse("goto", url=f"{site}/")
    with pytest.raises(SandboxCallError, match="###"):
        await browsing.browse("click", selector="###")
    assert "Welcome" in (await browsing.browse("text")).text
