"""A baseline that holds nothing is no baseline; a project without a suite is none the worse."""

import pytest

from autonomous_loop.errors import ConfigurationError
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNLOADABLE = {"tests/test_other.py": "import nowhere\n\n\ndef test_other():\n    assert nowhere\n"}
WITHOUT = {
    "no test file": {"calc.py": START["calc.py"]},
    "an empty test file": START | {"tests/test_calc.py": ""},
    "helpers that are named as tests are": START | {"tests/test_calc.py": "def helper():\n    return 1\n"},
}


@pytest.mark.parametrize("command", ["--deselect tests/test_calc.py", "-k 'not test_add'"])
async def test_a_suite_that_runs_none_of_its_tests_is_no_baseline(world, configured, command):
    configured(suite_command=f"python -m pytest {command}")
    with pytest.raises(ConfigurationError) as refused:
        await world.start_with_baseline(START)
    assert "ran no test at all, though there are tests in tests/test_calc.py" in refused.value.message
    assert "1 deselected" in refused.value.message
    assert "suite-command" in refused.value.hint
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "broken",
    ["import nowhere_installed\n", "def test_add(:\n"],
    ids=["a module that is missing", "a syntax error"],
)
async def test_a_suite_of_which_nothing_can_be_loaded_is_no_baseline(world, broken):
    with pytest.raises(ConfigurationError, match="no test passes, and 2 cannot be loaded") as refused:
        await world.start_with_baseline(START | UNLOADABLE | {"tests/test_calc.py": broken})
    assert "- tests/test_calc.py: " in refused.value.message
    assert "setup" in refused.value.hint


async def test_one_file_that_cannot_be_loaded_is_known_to_fail(world):
    await world.start_with_baseline(START | UNLOADABLE)
    assert (world.baseline.passed, world.baseline.failing) == (1, ("tests/test_other.py",))
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons


async def test_tests_that_run_and_all_fail_are_known_to_fail(world):
    await world.start_with_baseline(START | {"tests/test_calc.py": "def test_add():\n    assert False\n"})
    assert world.baseline.failing == ("tests/test_calc.py::test_add",)


@pytest.mark.parametrize("files", WITHOUT.values(), ids=WITHOUT)
async def test_a_project_without_tests_gets_its_first(world, files):
    await world.start_with_baseline(files)
    assert world.baseline.passed == 0
    settings = {"pyproject.toml": START["pyproject.toml"]}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | settings, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons


async def test_what_people_leave_in_place_and_no_run_collects_is_lost(world):
    """They may take their tests away; here they only keep them from being run."""
    await world.start_with_baseline(START)
    await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py", keep=True)
    by_people = {"tests/conftest.py": "collect_ignore = ['test_calc.py']\n"}
    assert codes(await _clean_room(world, by_people)) == ["test-removed"]
    gone = await _clean_room(world, by_people | {"tests/test_calc.py": None})
    assert gone.accepted, gone.reasons


async def test_a_checkpoint_whose_suite_shows_nothing_hides_no_loss(world):
    await world.start_with_baseline(START)
    await _commit(
        world, {"conftest.py": "import calc\n\nif not hasattr(calc, 'double'):\n    raise SystemExit\n"}
    )
    broken = {"calc.py": DOUBLE["calc.py"].replace("a + b", "a - b"), "conftest.py": ""}
    verdict = await world.submit(broken, kind="chore")
    assert codes(verdict) == ["regression"]


async def _commit(world, files):
    """People's own work, which nobody proved."""
    tree = world.tree(files, world.repository.tree_of(world.checkpoint))
    world.checkpoint = world.repository.commit(tree, [world.checkpoint], "by people\n")


async def _clean_room(world, files):
    await _commit(world, files)
    return await world.verifier.clean_room(world.checkpoint, baseline=world.baseline, passing=world.passing)
