"""The project's own format, lint, type and build commands."""

import pytest

from autonomous_loop.verify.gates import _GOFMT, detect
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUFF = START["pyproject.toml"] + "[tool.ruff]\nline-length = 100\n"
TESTS = "tests/test_double.py"


async def test_what_the_project_s_files_speak_of_is_run_and_stands_in_the_proof(world):
    await world.start_with_baseline(START | {"pyproject.toml": RUFF})
    assert [(one.command, one.exit_code) for one in world.baseline.gates] == [
        ("ruff check", 0),
        ("ruff format --check", 0),
    ]
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, TESTS)
    assert verdict.accepted, verdict.reasons
    ruff, _ = verdict.proof.gates
    assert (ruff.command, ruff.exit_code, ruff.tree) == ("ruff check", 0, verdict.proof.after_tree)
    assert "All checks passed" in ruff.excerpt
    assert ruff.duration_s > 0


async def test_work_that_does_not_pass_them_is_refused_with_what_they_say(world):
    await world.start_with_baseline(START | {"pyproject.toml": RUFF})
    unused = DOUBLE | DOUBLE_TEST | {"calc.py": "import os\n\n\n" + DOUBLE["calc.py"]}
    verdict = await world.submit(unused, TESTS)
    assert codes(verdict) == ["gate"]
    assert verdict.reasons[0].text.startswith("ruff check: exit code 1\n")
    assert "`os` imported but unused" in verdict.reasons[0].text


async def test_one_that_fails_on_the_untouched_code_is_left_out_and_said(world, configured):
    configured(gates=("echo never clean; exit 3", "test -f calc.py"))
    await world.start_with_baseline(START)
    failing, clean = world.baseline.gates
    assert failing.why_not == (
        "echo never clean; exit 3 is no gate here: it fails on the untouched code (exit code 3)"
    )
    assert failing.excerpt == "never clean"
    assert clean.why_not == ""
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, TESTS)
    assert verdict.accepted, verdict.reasons
    assert [one.command for one in verdict.proof.gates] == ["test -f calc.py"]


async def test_a_tool_that_is_not_there_is_no_gate(world, configured):
    absent = _GOFMT.replace("gofmt", "no-such-tool")
    configured(gates=("no-such-tool --check", absent))
    await world.start_with_baseline(START)
    assert [one.exit_code for one in world.baseline.gates] == [127, 127]
    assert (await world.submit(DOUBLE | DOUBLE_TEST, TESTS)).accepted


async def test_one_that_mends_instead_of_looking_refuses_what_it_would_have_to_mend(world, configured):
    configured(gates=("ruff format calc.py",))
    await world.start_with_baseline(START)
    crooked = DOUBLE | DOUBLE_TEST | {"calc.py": DOUBLE["calc.py"].replace("2 * a", "2  *  a")}
    verdict = await world.submit(crooked, TESTS)
    assert codes(verdict) == ["gate"]
    assert "changed files while they checked: calc.py" in verdict.reasons[0].text
    assert (await world.submit(DOUBLE | DOUBLE_TEST, TESTS)).accepted


async def test_one_that_writes_into_the_untouched_project_is_left_out(world, configured):
    configured(gates=("date +%N > stamp", "true"))
    await world.start_with_baseline(START)
    writes, clean = world.baseline.gates
    assert writes.why_not == "date +%N > stamp is no gate here: it changes stamp"
    assert clean.clean
    assert "stamp" not in world.repository.paths(await world.workspace.take())


async def test_they_do_not_run_on_refused_work(world, configured):
    configured(gates=("touch ran",), max_file_bytes=1_000)
    await world.start(START)
    verdict = await world.submit({"big.txt": "x" * 1_001}, TESTS)
    assert codes(verdict) == ["size"]
    assert "ran" not in world.repository.paths(await world.workspace.take())


async def test_the_clean_room_asks_for_them_again(world, configured):
    configured(gates=("test ! -f calc.pyc",))
    await world.start_with_baseline(START | {".gitignore": "calc.pyc\n"})
    await world.submit(DOUBLE | DOUBLE_TEST, TESTS, keep=True)
    world.setup = "touch calc.pyc"
    verdict = await world.verifier.clean_room(
        world.checkpoint, baseline=world.baseline, passing=world.passing
    )
    assert codes(verdict) == ["gate"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (START, ()),
        ({"ruff.toml": ""}, ("ruff check", "ruff format --check")),
        ({"pyproject.toml": "[tool.mypy]\nfiles = ['src']\n"}, ("mypy",)),
        ({"mypy.ini": "[mypy]\nstrict = True\n"}, ("mypy .",)),
        ({"setup.cfg": "[mypy]\npackages = x\n"}, ("mypy",)),
        ({"setup.cfg": "[metadata]\nname = x\n"}, ()),
        (
            {"package.json": '{"scripts": {"build": "tsc", "lint": "eslint .", "test": "jest"}}'},
            ("npm run lint", "npm run build"),
        ),
        ({"package.json": '{"scripts": {"lint": "x"}}', "pnpm-lock.yaml": ""}, ("pnpm run lint",)),
        ({"package.json": "not json", "pyproject.toml": "[not toml"}, ()),
        ({"go.mod": ""}, ("go vet ./...", _GOFMT)),
        ({"Cargo.toml": ""}, ("cargo fmt --check", "cargo clippy --quiet -- -D warnings")),
        ({"Makefile": "LINT := x\nlint: all\n\truff check\n"}, ("make lint",)),
        ({"Makefile": "lint := x\nlinter:\n\ttrue\n"}, ()),
        ({"tools/Makefile": "lint:\n\ttrue\n"}, ()),
    ],
)
async def test_only_what_the_files_clearly_say_is_detected(world, files, expected):
    tree = world.tree(files)
    assert detect(world.verifier._bench.facts.of(tree)) == expected


async def test_detection_can_be_turned_off(world, configured):
    configured(detect_gates=False)
    await world.start_with_baseline(START | {"pyproject.toml": RUFF})
    assert world.baseline.gates == ()
