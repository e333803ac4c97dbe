"""Work in JavaScript that only looks right: each case names the trick, and the reason it is refused with."""

from dataclasses import dataclass, field

import pytest

from verify.javascript.world import (
    DOUBLE,
    STARTS,
    begin,
    file_for,
    honest,
    install,
    package,
    start_of,
    suite_of,
)
from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True)
class Trick:
    """Files submitted over the runner's start, and the code of the refusal."""

    name: str
    runner: str
    files: dict
    code: str
    start: dict = field(default_factory=dict)


def setup(text):
    return {"tests/setup.js": text + "\n"}


def older(runner, *checks):
    """The older test file with these in place of its one test."""
    return {"tests/add.test.js": suite_of(runner, "add", *checks)}


def new_test(runner, line, before=""):
    return {**DOUBLE, "tests/double.test.js": before + suite_of(runner, "double", line, given="double")}


SETUP = {
    "vitest.config.js": 'export default { test: { setupFiles: ["./tests/setup.js"] } };\n',
    "tests/setup.js": "// nothing yet\n",
}
REWRITE = """import { afterEach } from "vitest";
afterEach(({ task }) => {
  Object.defineProperty(task, "result", { get: () => ({ state: "pass", errors: [] }), set: () => {} });
});
"""

SNAPSHOT = """// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html

exports[`add > adds 1`] = `3`;
"""

UNREACHED = {
    "returns first": 'it("works", () => { return\n assert.equal(add(1, 2), 3); });',
    "asks what is never true": 'it("works", () => { if (0) { assert.equal(add(1, 2), 3); } });',
    "forgives": 'it("works", () => { try { assert.equal(add(1, 2), 3); } catch {} });',
    "never calls": 'it("works", () => { const later = () => assert.equal(add(1, 2), 3); });',
    "cannot fail": 'it("works", () => { assert.ok(add(1, 2) === 3 || true); });',
}
TABLE = """
for (const [given, total] of [[1, 3], [2, 4]]) {
  it(TITLE, () => { assert.equal(add(given, 2), total); });
}
"""
KNOWN, COMPUTED = TABLE.replace("TITLE", '"of " + given'), TABLE.replace("TITLE", "String(given)")


NONE_LEFT = "export default { test: { setupFiles: [] } };\n"
LOADED = {
    **STARTS["vitest"],
    "vitest.config.js": 'import plugin from "./plugin.js";\nexport default { plugins: [plugin] };\n',
    "plugin.js": 'export default { name: "none" };\n',
}
EXITS = 'it("works", () => process.exit(0));'
IDLE = 'it("works", () => { double(4); });'
INVERTED = "() => { expect(1).toBe(double(4)); });"
ADDS = "() => { expect(add(1, 2)).toBe(3); });"
OLD = file_for("vitest", "add", "add(4, 4)", 8)
WRONG = {"src/calc.js": DOUBLE["src/calc.js"].replace("2 * a", "3 * a")}
STILL = {
    "tests/double.test.js": suite_of(
        "vitest", "add", 'it("adds", () => { expect(add(1, 2)).toMatchSnapshot(); });'
    ),
    "tests/__snapshots__/double.test.js.snap": SNAPSHOT,
}

TRICKS = [
    Trick("exits early", "node:test", new_test("node:test", "", "process.exit(0);\n"), "not-run"),
    Trick("exits in the test", "node:test", new_test("node:test", EXITS), "not-run"),
    Trick("exits in the test", "vitest", new_test("vitest", EXITS), "not-green"),
    Trick("exits in the test", "jest", new_test("jest", EXITS), "no-report"),
    Trick(
        "exits in a setup file", "vitest", honest("vitest") | setup("process.exit(0);"), "not-green", SETUP
    ),
    Trick("skips itself", "node:test", new_test("node:test", 'it("works", (t) => t.skip());'), "not-run"),
    Trick(
        "is a todo", "node:test", new_test("node:test", IDLE.replace(",", ", { todo: true },", 1)), "not-run"
    ),
    Trick("is expected to fail", "vitest", new_test("vitest", f'it.fails("works", {INVERTED}'), "no-red"),
    Trick("is expected to fail", "jest", new_test("jest", f'it.failing("works", {INVERTED}'), "not-run"),
    Trick("asserts nothing", "node:test", new_test("node:test", IDLE), "asserts-nothing"),
    Trick(
        "asserts the known",
        "vitest",
        new_test("vitest", IDLE[:-3] + "expect(1).toBe(1); });"),
        "asserts-nothing",
    ),
    Trick("passes on the old code", "vitest", DOUBLE | {"tests/double.test.js": OLD}, "no-red"),
    Trick("fails", "jest", honest("jest") | WRONG, "not-green"),
    Trick("a snapshot of what was there before", "vitest", DOUBLE | STILL, "no-red"),
    Trick(
        "skips an older test",
        "vitest",
        honest("vitest") | older("vitest", f'it.skip("works", {ADDS}'),
        "test-skipped",
    ),
    Trick(
        "leaves an older test out",
        "vitest",
        honest("vitest") | older("vitest", f'it("works", {ADDS}', 'it.only("x", () => {});'),
        "focused",
    ),
    Trick("deletes an older test", "jest", honest("jest") | {"tests/add.test.js": None}, "test-removed"),
    Trick(
        "checks less",
        "node:test",
        honest("node:test") | older("node:test", 'it("works", () => { add(1, 2); });'),
        "weakened",
    ),
    Trick(
        "checks looser",
        "vitest",
        honest("vitest") | older("vitest", 'it("works", () => { expect(add(1, 2)).toBeDefined(); });'),
        "weakened",
    ),
    *(
        Trick(name, "node:test", honest("node:test") | older("node:test", line), "weakened")
        for name, line in UNREACHED.items()
    ),
    *(
        Trick(
            "takes hold of its runner", runner, {**honest(runner), "src/rules.js": text}, "runner-in-product"
        )
        for runner, text in (
            ("vitest", 'import { expect } from "vitest";\nexport const rules = expect;\n'),
            ("jest", "globalThis.expect = (x) => x;\n"),
            ("node:test", 'import assert from "node:assert/strict";\nassert.equal = () => {};\n'),
        )
    ),
    Trick("a setup file rewrites results", "vitest", honest("vitest") | setup(REWRITE), "canary", SETUP),
    Trick(
        "changes the configuration",
        "vitest",
        honest("vitest") | {"vitest.config.js": NONE_LEFT},
        "runner-keys",
        SETUP,
    ),
    Trick(
        "changes what it loads",
        "vitest",
        honest("vitest") | {"plugin.js": "export default {};\n"},
        "runner-keys",
        LOADED,
    ),
    Trick(
        "adds a configuration",
        "jest",
        honest("jest") | {"jest.config.js": "export default {};\n"},
        "runner-keys",
    ),
    Trick(
        "changes the script",
        "node:test",
        honest("node:test") | package(scripts={"test": "node --test tests/d*"}),
        "runner-keys",
    ),
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda one: f"{one.name} ({one.runner})")
async def test_a_trick_is_refused(world, installed, trick):
    await begin(world, installed, trick.runner, trick.start)
    verdict = await world.submit(trick.files, "tests/double.test.js")
    assert codes(verdict) == [trick.code], verdict.reasons


async def with_table(world, installed, old, new):
    """A loop of tests that is changed along with an honest feature."""
    await world.start(start_of("node:test") | older("node:test", old), passing=())
    await install(world, installed)
    return await world.submit(honest("node:test") | older("node:test", new), "tests/double.test.js")


@pytest.mark.parametrize("instead", ["add(given, 2)", "assert.ok(add(given, 2))"])
@pytest.mark.parametrize("table", [KNOWN, COMPUTED], ids=["known in part", "computed"])
async def test_tests_made_in_a_loop_may_not_be_loosened(world, installed, table, instead):
    new = table.replace("assert.equal(add(given, 2), total)", instead)
    verdict = await with_table(world, installed, table, new)
    assert codes(verdict) == ["weakened"], verdict.reasons
    assert "tests/add.test.js:" in verdict.reasons[0].text


@pytest.mark.parametrize(
    ("more", "marks"),
    [
        ('it("adds nothing", () => { assert.equal(add(0, 0), 0); });', ()),
        ("const more = 1;", ("not read",)),
    ],
)
async def test_tests_made_in_a_loop_that_nobody_can_compare_are_marked(world, installed, more, marks):
    verdict = await with_table(world, installed, COMPUTED, COMPUTED + more)
    assert verdict.accepted, verdict.reasons
    assert tuple(one for one in verdict.proof.marks if one == "not read") == marks
    assert ("not read: tests/add.test.js" in verdict.proof.notices) is bool(marks)
