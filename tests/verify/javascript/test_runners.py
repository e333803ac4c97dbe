"""Projects in JavaScript and TypeScript with their real runners: honest work."""

import json

import pytest

from verify.javascript.world import (
    CODE,
    DOUBLE,
    IGNORED,
    STARTS,
    begin,
    file_for,
    install,
    start_of,
    suite_of,
)
from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRIPLE = {"src/calc.js": DOUBLE["src/calc.js"] + "\nexport function triple(a) {\n  return 3 * a;\n}\n"}
BROKEN = {"src/calc.js": DOUBLE["src/calc.js"].replace("a + b", "a - b")}


@pytest.mark.parametrize("runner", ["node:test", "vitest", "jest", "mocha"])
async def test_a_feature_turns_from_red_to_green(world, installed, runner):
    await world.start(start_of(runner), passing=())
    await install(world, installed)
    world.baseline = await world.verifier.baseline(world.checkpoint)
    assert (world.baseline.passed, world.baseline.failing) == (1, ())

    new = {"tests/double.test.js": file_for(runner, "double", "double(4)", 8)}
    verdict = await world.submit({**DOUBLE, **new}, "tests/double.test.js", keep=True)

    assert verdict.accepted, verdict.reasons
    assert verdict.proof.green.passed == ("tests/double.test.js::double::works",)
    assert verdict.proof.green.counts.passed == 1
    assert set(verdict.proof.regression.passed) == {
        "tests/add.test.js::add::works",
        "tests/double.test.js::double::works",
    }
    assert "weak red" in verdict.proof.marks

    new = {"tests/triple.test.js": file_for(runner, "triple", "triple(4)", 12)}
    broken = {"src/calc.js": TRIPLE["src/calc.js"].replace("a + b", "a - b")}
    verdict = await world.submit({**broken, **new}, "tests/triple.test.js", feature_id="triple")
    assert codes(verdict) == ["regression"]
    assert "tests/add.test.js::add::works" in verdict.reasons[0].text


MONOREPO = {
    **IGNORED,
    "package.json": json.dumps(
        {
            "private": True,
            "workspaces": ["packages/*"],
            "scripts": {"test": "npm test --workspaces --if-present"},
        }
    ),
    "packages/a/package.json": json.dumps(
        {
            "name": "@calc/a",
            "type": "module",
            "scripts": {"test": "vitest run"},
            "devDependencies": {"vitest": "4"},
        }
    ),
    "packages/a/src/calc.js": CODE,
    "packages/a/tests/add.test.js": file_for("vitest", "add", "add(1, 2)", 3),
    "packages/b/package.json": json.dumps(
        {"name": "@calc/b", "type": "module", "scripts": {"test": "node --test"}}
    ),
    "packages/b/src/calc.js": CODE,
    "packages/b/tests/add.test.js": file_for("node:test", "add", "add(1, 2)", 3),
}


async def test_the_packages_of_a_monorepo_run_their_own_tests(world, installed):
    await world.start(MONOREPO, passing=())
    await install(world, installed, "", "packages/a")
    world.baseline = await world.verifier.baseline(world.checkpoint)
    assert world.baseline.passed == 2

    candidate = {
        "packages/a/src/calc.js": DOUBLE["src/calc.js"],
        "packages/b/src/calc.js": DOUBLE["src/calc.js"],
        "packages/a/tests/double.test.js": file_for("vitest", "double", "double(4)", 8),
        "packages/b/tests/double.test.js": file_for("node:test", "double", "double(4)", 8),
    }
    tests = ("packages/a/tests/double.test.js", "packages/b/tests/double.test.js")
    verdict = await world.submit(candidate, *tests)
    assert verdict.accepted, verdict.reasons
    assert set(verdict.proof.green.passed) == {f"{test}::double::works" for test in tests}
    assert verdict.proof.regression.counts.passed == 4

    verdict = await world.submit({**candidate, "packages/b/src/calc.js": BROKEN["src/calc.js"]}, *tests)
    assert codes(verdict) == ["regression"]
    assert "packages/b/tests/add.test.js::add::works" in verdict.reasons[0].text


async def test_a_module_the_candidate_adds_is_a_weak_red(world, installed):
    await begin(world, installed, "vitest")
    test = file_for("vitest", "double", "double(4)", 8).replace("calc.js", "double.js")
    code = "export const double = (a) => 2 * a;\n"
    verdict = await world.submit(
        {"src/double.js": code, "tests/double.test.js": test}, "tests/double.test.js"
    )
    assert verdict.accepted, verdict.reasons
    assert "weak red" in verdict.proof.marks


async def test_a_package_that_is_not_installed_is_a_fault_of_the_environment(world, installed):
    await begin(world, installed, "jest")
    test = file_for("jest", "double", "double(4)", 8).replace("../src/calc.js", "@nobody/left-behind/sub.js")
    verdict = await world.submit({**DOUBLE, "tests/double.test.js": test}, "tests/double.test.js")
    assert codes(verdict) == ["environment"]
    assert "@nobody/left-behind" in verdict.reasons[0].text


async def test_a_behaviour_that_changes_is_a_full_red(world, installed):
    await begin(world, installed, "node:test")
    new = {"tests/text.test.js": file_for("node:test", "add", "add(1, '2')", 3)}
    code = {"src/calc.js": CODE.replace("a + b", "Number(a) + Number(b)")}
    verdict = await world.submit({**code, **new}, "tests/text.test.js")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ()
    assert verdict.proof.red.failing == ("tests/text.test.js::add::works",)


async def test_rows_of_a_table_are_parameters_of_one_test(world, installed):
    await begin(world, installed, "vitest")
    rows = 'it.each([[1, 2], [2, 4]])("of %i is %i", (a, b) => { expect(double(a)).toBe(b); });'
    test = suite_of("vitest", "double", rows, given="double")
    verdict = await world.submit({**DOUBLE, "tests/double.test.js": test}, "tests/double.test.js", keep=True)
    made = "tests/double.test.js::double::of \N{HORIZONTAL ELLIPSIS} is \N{HORIZONTAL ELLIPSIS}"
    assert verdict.proof.green.passed == (f"{made}[of 1 is 2]", f"{made}[of 2 is 4]")

    code = {"src/calc.js": TRIPLE["src/calc.js"].replace("2 * a", "2 * a + 1")}
    changed = {"tests/double.test.js": test.replace("[1, 2], [2, 4]", "[1, 3], [2, 5]")}
    triple = {"tests/triple.test.js": file_for("vitest", "triple", "triple(4)", 12)}
    verdict = await world.submit({**code, **changed, **triple}, "tests/triple.test.js", feature_id="triple")
    assert verdict.accepted, verdict.reasons


async def test_typescript_that_does_not_compile_before_the_tests_is_a_weak_red(world, installed):
    compiled = {
        **STARTS["vitest"],
        "package.json": json.dumps(
            {
                "type": "module",
                "scripts": {"test": "tsc -p . && vitest run"},
                "devDependencies": {"vitest": "4", "typescript": "5"},
            }
        ),
        "tsconfig.json": json.dumps(
            {
                "compilerOptions": {
                    "noEmit": True, "strict": True, "module": "nodenext", "target": "es2022",
                    "skipLibCheck": True, "types": [],
                },
                "include": ["src", "tests"],
            }
        ),
        "src/calc.js": None,
        "src/calc.ts": "export function add(a: number, b: number): number {\n  return a + b;\n}\n",
        "tests/add.test.js": None,
        "tests/add.test.ts": file_for("vitest", "add", "add(1, 2)", 3),
    }  # fmt: skip
    start = {path: text for path, text in {**start_of("vitest"), **compiled}.items() if text is not None}
    await world.start(start, passing=("tests/add.test.ts::add::works",))
    await install(world, installed)
    code = start["src/calc.ts"] + "\nexport const double = (a: number): number => 2 * a;\n"
    new = {"tests/double.test.ts": file_for("vitest", "double", "double(4)", 8)}
    verdict = await world.submit({"src/calc.ts": code, **new}, "tests/double.test.ts")
    assert verdict.accepted, verdict.reasons
    assert "weak red" in verdict.proof.marks
    assert "TS2305" in verdict.proof.red.excerpt

    wrong = {"src/calc.ts": code.replace("2 * a", "'2' * a")}
    verdict = await world.submit({**wrong, **new}, "tests/double.test.ts")
    assert codes(verdict) == ["no-report"]
    assert "TS2362" in verdict.reasons[0].text


async def test_an_older_test_that_always_fails_is_not_blamed_on_whoever_adds_one_beside_it(world, installed):
    older = 'it("is old", () => { assert.equal(add(1, 2), 4); });'
    await world.start(
        start_of("node:test") | {"tests/calc.test.js": suite_of("node:test", "calc", older)}, passing=()
    )
    await install(world, installed)
    world.baseline = await world.verifier.baseline(world.checkpoint)
    assert world.baseline.failing == ("tests/calc.test.js::calc::is old",)
    new = 'it("is new", () => { assert.equal(double(4), 8); });'
    both = suite_of("node:test", "calc", older, new, given="add, double")
    verdict = await world.submit({**DOUBLE, "tests/calc.test.js": both}, "tests/calc.test.js")
    assert verdict.accepted, verdict.reasons
    assert "tests/calc.test.js::calc::is old" in verdict.proof.notices[-1]
    changed = {**DOUBLE, "tests/calc.test.js": both.replace("add(1, 2), 4", "add(1, 2), 5")}
    assert codes(await world.submit(changed, "tests/calc.test.js")) == ["not-green"]
