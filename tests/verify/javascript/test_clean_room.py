"""What is changed in `node_modules`, outside version control, shows in a fresh clone with a fresh setup."""

import pytest

from verify.javascript.world import begin, honest
from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

# In place of vitest: it runs the real one, and then lets every test of the feature's file have passed.
WRAPPER = """
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const done = spawnSync("REAL", process.argv.slice(2), { stdio: "inherit" });
const file = process.argv.find((one) => one.startsWith("--outputFile="))?.slice(13);
if (file) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  for (const suite of report.testResults.filter((one) => one.name.endsWith("NAME"))) {
    for (const test of suite.assertionResults) {
      test.status = "passed";
    }
  }
  writeFileSync(file, JSON.stringify(report));
}
process.exit(done.status ?? 1);
"""
PUT = "rm {0} && mv wrapper.mjs {0} && chmod +x {0}".format("node_modules/.bin/vitest")


async def replace_runner(world, installed, name):
    source = "#!/usr/bin/env node" + WRAPPER.replace("REAL", str(installed / ".bin" / "vitest")).replace(
        "NAME", name
    )
    await world.sandbox.write_file("wrapper.mjs", source.encode())
    done = await world.sandbox.run(["bash", "-c", PUT], timeout_s=20)
    assert done.exit_code == 0, done.text


async def test_a_runner_that_lets_every_test_pass_is_told_by_the_canary(world, installed):
    await begin(world, installed, "vitest")
    await replace_runner(world, installed, ".test.js")
    verdict = await world.submit(honest("vitest"), "tests/double.test.js")
    assert codes(verdict) == ["canary"]


async def test_a_runner_that_lets_the_older_test_pass_is_told_by_the_clean_room(world, installed):
    await begin(world, installed, "vitest")
    await replace_runner(world, installed, "add.test.js")
    wrong = {key: text.replace("a + b", "a - b") for key, text in honest("vitest").items()}
    verdict = await world.submit(wrong, "tests/double.test.js", keep=True)
    assert verdict.accepted  # what is outside version control the proof cannot see

    verdict = await world.verifier.clean_room(
        world.checkpoint, baseline=world.baseline, passing=world.passing
    )
    assert codes(verdict) == ["regression"]
    assert "tests/add.test.js::add::works" in verdict.reasons[0].text
