"""mocha: hooks, interfaces and what a run shows, with the real runner."""

import pytest

from autonomous_loop.errors import ConfigurationError
from verify.javascript.world import CODE, IGNORED, begin, file_for, honest, install, package, suite_of
from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMELESS = {
    **IGNORED,
    ".mocharc.yml": "ui: tdd\nspec:\n  - test/*.js\nreporter: dot\nbail: true\n",
    "package.json": '{"scripts": {"test": "mocha"}, "devDependencies": {"mocha": "11"}}\n',
    "src/calc.js": "exports.add = (a, b) => a + b;\n",
    "test/add.js": """
        const assert = require("assert");
        const calc = require("../src/calc.js");
        suite("add", () => {
          test("works", () => assert.equal(calc.add(1, 2), 3));
          test("may come later");
        });
    """,
}
HOOKED = """
    const assert = require("assert");
    const calc = require("../src/calc.js");
    suite("double", () => {
      let made;
      suiteSetup(() => { made = calc.double(4); });
      test("works", () => assert.equal(made, 8));
      test("is a number", () => assert.equal(typeof made, "number"));
    });
"""


async def test_a_file_is_a_test_by_its_folder_and_a_hook_that_fails_is_red(world, installed):
    await world.start(NAMELESS, passing=())
    await install(world, installed)
    world.baseline = await world.verifier.baseline(world.checkpoint)
    assert (world.baseline.passed, world.baseline.failing) == (1, ())
    code = {"src/calc.js": NAMELESS["src/calc.js"] + "exports.double = (a) => 2 * a;\n"}
    verdict = await world.submit({**code, "test/double.js": HOOKED}, "test")
    assert verdict.accepted, verdict.reasons
    assert {"test/double.js::double::works", "test/double.js::double::is a number"} <= set(
        verdict.proof.red.failing
    )
    assert verdict.proof.green.counts.passed == 3
    assert verdict.proof.marks == ()
    verdict = await world.submit({**code, "test/double.js": HOOKED.replace("8)", "9)")}, "test/double.js")
    assert codes(verdict) == ["not-green"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('it("works", () => process.exit(0));', "no-report"),
        ('it("works", function () { this.skip(); });', "not-run"),
        ('it("works", () => { double(4); });', "asserts-nothing"),
        ('it.skip("works", () => { assert.equal(double(4), 8); });', "not-run"),
        ('after(() => { throw new Error("late"); }); it("works", () => { assert.equal(double(4), 8); });',
         "not-green"),
    ],
)  # fmt: skip
async def test_a_trick_is_refused(world, installed, line, code):
    await begin(world, installed, "mocha")
    work = honest("mocha") | {"tests/double.test.js": suite_of("mocha", "double", line, given="double")}
    verdict = await world.submit(work, "tests/double.test.js")
    assert codes(verdict) == [code], verdict.reasons


async def test_a_focus_that_was_there_is_told_in_mochas_words(world, installed):
    only = file_for("mocha", "add", "add(1, 2)", 3).replace("it(", "it.only(")
    start = {**IGNORED, **package(scripts={"test": "mocha tests"}), "src/calc.js": CODE}
    await world.start({**start, "tests/add.test.js": only}, passing=())
    await install(world, installed)
    with pytest.raises(ConfigurationError, match=r"it\.only"):
        await world.verifier.baseline(world.checkpoint)
