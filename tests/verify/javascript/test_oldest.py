"""The oldest runners that people still have: what the newest show, they show too."""

import json

import pytest
import pytest_asyncio

from autonomous_loop.config import LoopConfig
from verify.javascript.world import IGNORED, OLDEST, install, make_sandbox, packages
from verify.proof_world import World, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADS = {
    "jest": 'const {{ {0} }} = require("../src/calc");',
    "mocha": 'const assert = require("assert");\nconst calc = require("../src/calc");',
    "vitest": 'import {{ expect, it }} from "vitest";\nimport * as calc from "../src/calc.js";',
}
CHECKS = {
    "jest": "expect({0}({1})).toBe({2});",
    "mocha": "assert.strictEqual(calc.{0}({1}), {2});",
    "vitest": "expect(calc.{0}({1})).toBe({2});",
}
CALLS = {"jest": "{0}({1});", "mocha": "calc.{0}({1});", "vitest": "calc.{0}({1});"}
WAYS = {"jest": "exports.{0} = ", "mocha": "exports.{0} = ", "vitest": "export const {0} = "}


def code(runner, double=""):
    made = f"{WAYS[runner].format('add')}(a, b) => a + b;\n"
    return {"src/calc.js": made + (f"{WAYS[runner].format('double')}(a) => {double};\n" if double else "")}


def file_of(runner, name, given, value, way="it", *, idle=False):
    head, check = HEADS[runner].format(name), CHECKS[runner].format(name, given, value)
    check = CALLS[runner].format(name, given) if idle else check
    return {f"test/{name}.test.js": f'{head}\n\n{way}("works", () => {{\n  {check}\n}});\n'}


@pytest.fixture(scope="session")
def oldest():
    return packages(OLDEST)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def old_sandbox(oldest):
    made = await make_sandbox(oldest)
    yield made
    await made.close()


@pytest.fixture
def old_world(old_sandbox, tmp_path):
    made = World(old_sandbox, tmp_path / "loop", LoopConfig(test_timeout_s=120))
    yield made
    made.close()


@pytest.mark.parametrize("runner", ["jest", "mocha", "vitest"])
async def test_red_green_and_regression(old_world, oldest, runner):
    world = old_world
    kind = {"type": "module"} if runner == "vitest" else {}
    manifest = {"scripts": {"test": runner}, "devDependencies": {runner: OLDEST[runner]}, **kind}
    start = {
        **IGNORED,
        "package.json": json.dumps(manifest),
        **code(runner),
        **file_of(runner, "add", "1, 2", 3),
    }
    await world.start(start, passing=())
    await install(world, oldest)
    world.baseline = await world.verifier.baseline(world.checkpoint)
    assert (world.baseline.passed, world.baseline.failing) == (1, ())
    new = file_of(runner, "double", "4", 8)

    verdict = await world.submit({**code(runner, "2 * a"), **new}, "test/double.test.js")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.red.failing == ("test/double.test.js::works",)
    assert verdict.proof.regression.counts.passed == 2

    tricks = {
        "asserts-nothing": {**code(runner, "2 * a"), **file_of(runner, "double", "4", "8", idle=True)},
        "test-skipped": {**code(runner, "2 * a"), **new, **file_of(runner, "add", "1, 2", 3, "it.skip")},
    }
    for expected, files in tricks.items():
        verdict = await world.submit(files, "test/double.test.js")
        assert codes(verdict) == [expected], verdict.reasons
