"""The pages in a real browser: the way through them, how they refresh, and that nothing hostile runs."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from autonomous_loop.sandbox.toolchain import find_browser
from integration.embedded_github.pages_record import REPO
from integration.embedded_github.pages_world import BOT, MONA, NOW, add_run, commit, pages_world, picture

WIDTH = "async (image) => { await image.decode(); return image.naturalWidth; }"
PATIENCE_MS = 60_000  # a page looks again every two seconds
expect.set_options(timeout=PATIENCE_MS)
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser():
    # One that is installed first; else Playwright's own.
    found = find_browser(os.environ["PATH"])
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, chromium_sandbox=False, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with pages_world(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture
def bare(tmp_path):
    with pages_world(tmp_path, full=False) as made:
        yield made


@pytest.fixture
def tab(browser):
    """A page that fails the test when anything on it goes wrong: an error, a dialog, a foreign address."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: faults.append(request.url) if foreign(request.url) else None)
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()
    assert not faults


def foreign(url):
    return not re.match(r"http://127\.0\.0\.1:\d+/|data:image/", url)


def test_a_person_finds_the_way_from_the_issue_to_the_run(tab, world):
    tab.goto(f"{world.url}/")
    tab.get_by_role("link", name=REPO).click()
    tab.get_by_role("link", name="Issues 1").click()
    tab.get_by_role("link", name="Eight wishes for the guestbook").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Eight wishes for the guestbook #1")
    tab.locator("aside").get_by_role("link", name="Eight wishes for the guestbook").click()
    expect(tab).to_have_url(f"{world.url}/{REPO}/pull/{world.pull}")
    expect(tab.get_by_role("checkbox", checked=True, disabled=True)).to_have_count(8)
    tab.get_by_text("Replay the proofs yourself").click()
    expect(tab.locator(".markdown details pre").first).to_be_visible()
    tab.get_by_role("link", name="Files changed 12").click()
    tab.get_by_role("link", name="guestbook/store.py").click()
    expect(tab.locator("#file-6 .diff")).to_be_in_viewport()
    tab.get_by_role("link", name="Commits 8").click()
    tab.get_by_role("link", name="Show ten entries a page").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Show ten entries a page")
    tab.go_back()
    tab.get_by_role("link", name="Checks 4").click()
    tab.get_by_role("link", name="issue-1, session 2").click()
    tab.get_by_text("paging: ten entries a page").click()
    expect(tab.get_by_text("2 failed, 1 passed in 0.31s")).to_be_visible()
    tab.get_by_role("link", name="this dispatched #3").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("session 3")


def test_the_pictures_of_the_pull_request_are_loaded(tab, world):
    tab.goto(f"{world.url}/{REPO}/pull/{world.pull}")
    pictures = tab.locator(".markdown img")
    expect(pictures).to_have_count(2)
    for one in pictures.all():
        one.scroll_into_view_if_needed()
        assert one.evaluate(WIDTH) == 320


def test_a_running_job_is_followed_without_losing_the_readers_place(tab, bare):
    lines = "".join(f"line {number}\n" for number in range(120))
    run = add_run(
        bare,
        1,
        1,
        1,
        status="in_progress",
        log=f"##[group]Build\n##[endgroup]\n{lines}##[group]Test\nfirst\n",
    )
    bare.clock.at = NOW
    tab.goto(f"{bare.url}/{REPO}/actions/runs/{run}")
    tab.get_by_text("Build", exact=True).click()
    tab.evaluate("document.body.dataset.same = 'yes'; scrollTo(0, 400)")
    job = bare.runs.jobs(run)[0]
    with Path(job.log).open("a") as stream:
        stream.write("2026-03-04T09:00:00.0000000Z second\n")
    expect(tab.get_by_text("second", exact=True)).to_be_attached()
    assert tab.evaluate("[document.body.dataset.same, scrollY]") == ["yes", 400]
    expect(tab.get_by_text("line 119", exact=True)).to_be_visible()
    bare.runs.update_job(
        job.id, status="completed", conclusion="success", completed_at="2026-03-04T09:52:00Z"
    )
    bare.runs.update_run(run, status="completed", conclusion="success")
    expect(tab.locator(".facts .status-success")).to_have_text("Success")
    expect(tab.locator("main")).to_have_attribute("data-refresh", "0")
    assert tab.evaluate("document.body.dataset.same") == "yes"


def test_a_new_comment_appears_while_a_run_goes_on(tab, bare):
    issue = bare.store.issues.create(REPO, "Please", "Do it.", MONA)
    add_run(bare, 1, 1, 1, status="in_progress")
    tab.goto(f"{bare.url}/{REPO}/issues/{issue.number}")
    bare.store.comments.create(REPO, issue.number, "On **it**.", BOT)
    expect(tab.locator(".markdown strong")).to_have_text("it")


def test_hostile_texts_and_files_run_nothing(tab, bare):
    attack = (
        "<img src=x onerror=alert(1)><script>alert(1)</script>[x](javascript:alert(1))<svg onload=alert(1)>"
    )
    files = {
        "a.html": b"<script>alert(1)</script>",
        "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    }
    sha = commit(bare, "evil", files, attack)
    issue = bare.store.issues.create(REPO, attack, attack, MONA, labels=[attack])
    pull = bare.store.pulls.create(REPO, title=attack, body=attack, head="evil", base="main", actor=BOT)
    run = add_run(bare, 1, 1, 1, title=attack, summary=attack, log=f"{attack}\n##[error]{attack}\n")
    for path in (
        f"issues/{issue.number}", f"pull/{pull.number}", f"pull/{pull.number}/files", f"actions/runs/{run}",
        f"commit/{sha}", f"blob/{sha}/a.html", f"blob/{sha}/a.html?raw=true", f"blob/{sha}/a.svg?raw=true",
    ):  # fmt: skip
        tab.goto(f"{bare.url}/{REPO}/{path}")
        if "raw" not in path:
            expect(tab.get_by_text("<script>alert(1)</script>").first).to_be_attached()
        for link in tab.get_by_role("link", name="x", exact=True).all():
            assert not (link.get_attribute("href") or "").startswith("javascript")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(browser, world, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    for path in (f"pull/{world.pull}", f"pull/{world.pull}/files", f"issues/{world.issue}", "actions", ""):
        page.goto(f"{world.url}/{REPO}/{path}".rstrip("/"))
        assert page.evaluate(CONTRAST) == [], path
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    context.close()


CONTRAST = """() => {
  // Every text whose contrast to what lies behind it is under WCAG's 4.5 (3 for large or bold).
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (...colours) => {
    probe.clearRect(0, 0, 1, 1);
    for (const one of colours) { probe.fillStyle = one; probe.fillRect(0, 0, 1, 1); }
    return probe.getImageData(0, 0, 1, 1).data;
  };
  const light = ([...rgb]) => rgb.slice(0, 3).map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const bad = [];
  for (const element of document.querySelectorAll("body *")) {
    const texts = [...element.childNodes].filter((one) => one.nodeType === 3);
    const words = texts.map((one) => one.data.trim()).join("");
    const box = element.getBoundingClientRect();
    if (!words || !box.width || element.closest(".emoji")) continue;
    const behind = [];
    for (let one = element; one; one = one.parentElement)
      behind.unshift(getComputedStyle(one).backgroundColor);
    const style = getComputedStyle(element);
    const back = light(over(...behind)), text = light(over(...behind, style.color));
    const ratio = (Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05);
    const large = parseFloat(style.fontSize) >= 18 || Number(style.fontWeight) >= 600;
    if (ratio < (large ? 3 : 4.5)) bad.push([words.slice(0, 40), element.className, ratio.toFixed(2)]);
  }
  return bad.slice(0, 10);
}"""


def test_a_narrow_screen_needs_no_scrolling_sideways(browser, world):
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    for path in (
        f"/{REPO}",
        f"/{REPO}/pull/{world.pull}",
        f"/{REPO}/issues/{world.issue}",
        f"/{REPO}/actions",
    ):
        page.goto(world.url + path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    context.close()


def test_an_added_picture_is_seen_among_the_files(tab, bare):
    commit(bare, "work", {"shot.png": picture(40, 20)}, "Add a picture")
    pull = bare.store.pulls.create(REPO, title="T", body="b", head="work", base="main", actor=BOT)
    tab.goto(f"{bare.url}/{REPO}/pull/{pull.number}/files")
    assert tab.locator(".file img").evaluate(WIDTH) == 40
