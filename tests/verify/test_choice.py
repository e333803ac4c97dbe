"""The command of the model against the one guessed from the files, on real runs."""

import pytest

from autonomous_loop.domain.proof import ModelCommand
from autonomous_loop.errors import ConfigurationError
from verify.proof_world import DOUBLE, START

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEEDED = "PYTHONPATH=src python -m pytest"
# Without `src` on the path nothing of it can be imported.
HIDDEN = {
    "src/calc.py": START["calc.py"],
    "tests/test_calc.py": START["tests/test_calc.py"],
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n',
}
PURE = {"tests/test_pure.py": "def test_pure():\n    assert True\n"}
TEST = "from calc import double\n\n\ndef test_double():\n    assert double(4) == 8\n"


async def baseline(world, files, proposed=""):
    await world.start(files, passing=())
    world.baseline = await world.verifier.baseline(world.checkpoint, proposed=proposed)
    world.model_command = ModelCommand(world.baseline.model_command, tried=True)
    return world.baseline


async def test_a_guess_that_loads_nothing_gives_way_and_the_proof_says_so(world):
    made = await baseline(world, HIDDEN, NEEDED)
    assert (made.model_command, made.command, made.passed) == (NEEDED, NEEDED, 1)
    files = {"src/calc.py": DOUBLE["calc.py"], "tests/test_double.py": TEST}
    verdict = await world.submit(files, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert "model's command" in verdict.proof.marks
    assert verdict.proof.green.command == f"{NEEDED} tests/test_double.py"


async def test_a_guess_that_loads_only_some_of_the_tests_gives_way_too(world):
    made = await baseline(world, HIDDEN | PURE, NEEDED)
    assert (made.model_command, made.passed) == (NEEDED, 2)


async def test_a_guess_that_works_stays(world):
    made = await baseline(world, START, "PYTHONPATH=. python -m pytest -q")
    assert (made.model_command, made.command, made.passed) == ("", "python -m pytest", 1)


async def test_a_guess_in_which_only_tests_fail_stays(world):
    failing = {"tests/test_old.py": "def test_old():\n    assert 0\n"}
    made = await baseline(world, START | failing, "false || python -m pytest -q --deselect tests/test_old.py")
    assert (made.model_command, made.failing) == ("", ("tests/test_old.py::test_old",))


async def test_a_command_that_shows_less_does_not_take_the_place_of_one_that_shows_something(world):
    lazy = "sh some.sh"  # what it leaves out only the run can tell
    files = HIDDEN | PURE | {"some.sh": 'PYTHONPATH=src exec python -m pytest tests/test_calc.py "$@"\n'}
    made = await baseline(world, files, lazy)
    assert (made.model_command, made.passed) == ("", 1)


async def test_a_command_that_leaves_a_test_file_out_is_not_taken(world):
    more = {"tests/test_more.py": "import calc\n\n\ndef test_more():\n    assert calc\n"}
    files = HIDDEN | more | {"some.sh": 'PYTHONPATH=src exec python -m pytest tests/test_calc.py "$@"\n'}
    with pytest.raises(ConfigurationError, match="neither by python -m pytest"):
        await baseline(world, files, "sh some.sh")


async def test_a_command_that_may_leave_tests_out_is_not_even_run(world):
    with pytest.raises(ConfigurationError, match="may leave tests out: -k"):
        await baseline(world, HIDDEN, f"{NEEDED} -k calc")


async def test_where_neither_works_both_are_told(world):
    with pytest.raises(ConfigurationError) as caught:
        await baseline(world, HIDDEN, ".venv/bin/python -m pytest")
    assert "No module named 'calc'" in str(caught.value)
    assert ".venv/bin/python: No such file or directory" in str(caught.value)


async def test_what_the_projects_own_script_says_stays(world):
    script = {"package.json": '{"scripts": {"test": "vitest run"}}', "a.test.js": "import './b.js'\n"}
    await world.start(script, passing=())
    with pytest.raises(ConfigurationError, match="vitest run"):
        await world.verifier.baseline(world.checkpoint, proposed="sh -c 'exit 0'")


async def test_where_there_are_no_tests_yet_a_command_of_the_same_runner_counts_as_tried(world):
    empty = {"src/calc.py": START["calc.py"], "pyproject.toml": HIDDEN["pyproject.toml"]}
    made = await baseline(world, empty | {"conftest.py": ""}, NEEDED)
    assert (made.model_command, made.command) == (NEEDED, "")
    made = await baseline(world, empty | {"conftest.py": ""}, ".venv/bin/python -m pytest")
    assert made.model_command == ""


async def test_what_cannot_be_loaded_at_all_is_no_baseline(world):
    with pytest.raises(ConfigurationError, match="no test passes, and 1 cannot be loaded") as caught:
        await baseline(world, HIDDEN)
    assert "No module named 'calc'" in str(caught.value)


async def test_a_suite_that_collects_nothing_is_no_baseline(world):
    ignored = START["pyproject.toml"] + 'addopts = "--ignore=tests/test_calc.py"\n'
    with pytest.raises(ConfigurationError, match=r"ran no test at all, .* tests/test_calc\.py"):
        await baseline(world, START | {"pyproject.toml": ignored})


@pytest.mark.parametrize(
    "tests",
    [
        {"tests/test_calc.py": "import pytest\n\npytest.skip('later', allow_module_level=True)\n"},
        {"tests/test_calc.py": "from calc import still_to_be_written\n\n\ndef test_it():\n    assert 0\n"},
        {"tests/test_calc.py": "def test_it():\n    assert 0\n"},
        {"tests/test_calc.py": "# nothing yet\n"},
    ],
    ids=["skipped", "to-be-written", "failing", "empty"],
)
async def test_what_says_something_of_the_project_is_a_baseline(world, tests):
    assert (await baseline(world, START | tests)).passed == 0
