"""Browser tests: Playwright for Node as a runner, and `e2e-command`."""

import json
import zipfile
from io import BytesIO

import pytest

from autonomous_loop.config import LoopConfig
from verify.javascript.world import IGNORED, install
from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = """
    import { defineConfig } from "@playwright/test";

    export default defineConfig({
      testDir: "./e2e",
      retries: 2,
      use: {
        screenshot: "on",
        trace: "on",
        launchOptions: { executablePath: process.env.CHROME_PATH, args: ["--disable-gpu"] },
      },
      projects: [{ name: "chromium", use: { browserName: "chromium" } }],
    });
"""
PAGE = """
    <!doctype html>
    <title>Counter</title>
    <button onclick="count.value = 0">more</button>
    <output id="count">0</output>
"""
COUNTING = PAGE.replace("count.value = 0", "count.value = Number(count.value) + 1")
READING = "const { readFileSync } = await import('node:fs');"
FOUND = 'expect(readFileSync("index.html", "utf8")).toContain("Number");'
OPENED = "await page.goto(new URL('../index.html', import.meta.url).href);"


def browser_test(name, *lines, fixtures="{ page }"):
    inner = "\n".join(f"  {one}" for one in lines)
    return (
        'import { test, expect } from "@playwright/test";\n\n'
        f'test("{name}", async ({fixtures}) => {{\n{inner}\n}});\n'
    )


START = {
    **IGNORED,
    "package.json": json.dumps(
        {
            "type": "module",
            "scripts": {"test": "vitest run", "test:e2e": "playwright test"},
            "devDependencies": {"@playwright/test": "1", "vitest": "4"},
        }
    ),
    "playwright.config.js": CONFIG,
    "vitest.config.js": 'export default { test: { include: ["tests/**/*.test.js"] } };\n',
    "index.html": PAGE,
    "e2e/title.spec.js": browser_test("has a title", OPENED, 'await expect(page).toHaveTitle("Counter");'),
    "tests/page.test.js": (
        'import { expect, it } from "vitest";\nimport { readFileSync } from "node:fs";\n\n'
        'it("has a button", () => { expect(readFileSync("index.html", "utf8")).toContain("<button"); });\n'
    ),
}
COUNTS = {
    "index.html": COUNTING,
    "e2e/count.spec.js": browser_test(
        "counts",
        OPENED,
        'await page.click("button");',
        'await expect(page.locator("#count")).toHaveText("1", { timeout: 500 });',
    ),
}


async def test_a_browser_test_of_node_is_evidence(world, installed):
    await world.start(START, passing=())
    await install(world, installed)
    world.baseline = await world.verifier.baseline(world.checkpoint)
    assert (world.baseline.passed, world.baseline.failing) == (2, ())

    verdict = await world.submit(COUNTS, "e2e/count.spec.js", category="ui")

    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.end_to_end
    assert proof.marks == ()
    assert proof.red.failing == proof.green.passed == ("e2e/count.spec.js::counts[chromium]",)
    assert set(proof.regression.passed) == {
        "tests/page.test.js::has a button",
        "e2e/title.spec.js::has a title[chromium]",
        "e2e/count.spec.js::counts[chromium]",
    }
    names = {one.name for one in proof.evidence}
    assert names == set(world.evidence)
    pictures = [data for name, data in world.evidence.items() if name.endswith(".png")]
    assert pictures
    assert all(data.startswith(b"\x89PNG") for data in pictures)
    traces = [data for name, data in world.evidence.items() if name.endswith("trace.zip")]
    assert "test.trace" in zipfile.ZipFile(BytesIO(traces[0])).namelist()


REFUSED = {
    "a test that cannot be loaded, for a package that is not there": (
        {**COUNTS, "e2e/count.spec.js": 'import "left-behind";\n' + COUNTS["e2e/count.spec.js"]},
        "no-report",
    ),
    "no browser in the browser test": (
        {**COUNTS, "e2e/count.spec.js": browser_test("counts", READING, FOUND, fixtures="{}")},
        "no-browser-test",
    ),
    "only its own test is run": (
        {**COUNTS, "e2e/count.spec.js": COUNTS["e2e/count.spec.js"].replace("test(", "test.only(", 1)},
        "focused",
    ),
    "only its own test is run, by another name": (
        {**COUNTS, "e2e/count.spec.js": COUNTS["e2e/count.spec.js"].replace("test(", 'test["only"](', 1)},
        "canary",
    ),
    "it is expected to fail": (
        {"e2e/count.spec.js": browser_test("counts", "test.fail();", OPENED, "expect(1).toBe(2);")},
        "no-red",
    ),
    "a retry for each test": (
        {**COUNTS, "playwright.config.js": CONFIG.replace("retries: 2", "retries: 3")},
        "runner-keys",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_a_browser_test_that_shows_nothing_is_refused(world, installed, name):
    files, code = REFUSED[name]
    passing = ("tests/page.test.js::has a button", "e2e/title.spec.js::has a title[chromium]")
    await world.start(START, passing=passing)
    await install(world, installed)
    verdict = await world.submit(files, "e2e/count.spec.js", category="ui")
    assert codes(verdict) == [code], verdict.reasons
    assert code != "canary" or "`test.only`" in verdict.reasons[0].text


async def test_a_module_the_candidate_adds_is_red_for_the_whole_run(world, installed):
    await world.start(START, passing=("e2e/title.spec.js::has a title[chromium]",))
    await install(world, installed)
    added = 'import { button } from "../src/names.js";\n' + COUNTS["e2e/count.spec.js"].replace(
        '"button"', "button"
    )
    files = {**COUNTS, "src/names.js": 'export const button = "button";\n', "e2e/count.spec.js": added}
    verdict = await world.submit(files, "e2e/count.spec.js", category="ui")
    assert verdict.accepted, verdict.reasons
    assert "weak red" in verdict.proof.marks


async def test_files_that_use_a_browser_go_to_the_command_for_them(world, installed):
    world.configure(
        LoopConfig(test_timeout_s=120, test_command="npx vitest run", e2e_command="npm run test:e2e")
    )
    await world.start(
        START, passing=("tests/page.test.js::has a button", "e2e/title.spec.js::has a title[chromium]")
    )
    await install(world, installed)
    unit = START["tests/page.test.js"].replace("<button", "Number").replace("has a button", "counts")
    files = {**COUNTS, "tests/count.test.js": unit}
    verdict = await world.submit(files, "e2e/count.spec.js", "tests/count.test.js", category="ui")
    assert verdict.accepted, verdict.reasons
    command = verdict.proof.green.command
    assert "vitest run tests/count.test.js" in command
    assert "playwright test e2e/count.spec.js" in command
