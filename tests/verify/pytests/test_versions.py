"""The same verdicts with every pytest that projects bring: 7, 8 and 9 read a command line differently."""

import pytest

from autonomous_loop.errors import ConfigurationError
from verify.corpus.base import GOOD, START
from verify.proof_world import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

# `add` stands in a folder of its own: what is dropped from a command's places would not be missed otherwise.
PROJECT = START | {
    "tests/sums/test_sums.py": "from calc import add\n\n\ndef test_sums():\n    assert add(2, 2) == 4\n"
}
BROKEN = GOOD | {"calc.py": GOOD["calc.py"].replace("a + b", "a - b")}
OLDER = {"tests/test_calc.py::test_add", "tests/sums/test_sums.py::test_sums"}
WORDS = [("tests",), ("./tests", "tests"), ("tests/test_calc.py", "tests/sums"), ("tests/*",)]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
async def test_a_broken_older_test_is_seen_however_the_command_names_its_tests(project, words):
    world = project(*words)
    await world.start_with_baseline(PROJECT)
    assert set(world.baseline.runs[0].passed) == OLDER
    verdict = await world.submit(BROKEN, "tests/test_double.py")
    assert codes(verdict) == ["regression"]
    for test_id in OLDER:
        assert test_id in verdict.reasons[0].text


@pytest.mark.parametrize("words", [("tests",), ("tests", "tests/sums")], ids=" ".join)
async def test_honest_work_is_accepted(project, words):
    world = project(*words)
    await world.start_with_baseline(PROJECT)
    # pytest 8 itself looks in the inner one of two folders alone.
    assert {"tests/sums/test_sums.py::test_sums"} <= set(world.baseline.runs[0].passed) <= OLDER
    verdict = await world.submit(GOOD, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.red.failing == verdict.proof.green.passed == ("tests/test_double.py::test_double",)


async def test_a_canary_that_is_silenced_is_seen(project):
    world = project("tests")
    silent = (
        "def pytest_collection_modifyitems(items):\n    items[:] = [one for one in items if not one.cls]\n"
    )
    with pytest.raises(ConfigurationError, match="report does not show it failing"):
        await world.start_with_baseline(PROJECT | {"conftest.py": silent})


async def test_an_internal_error_is_named_with_the_end_of_the_output(project):
    world = project("tests")
    broken = "def pytest_runtest_logfinish(nodeid):\n    raise RuntimeError('the plugin broke')\n"
    with pytest.raises(ConfigurationError) as refused:
        await world.start_with_baseline(PROJECT | {"conftest.py": broken})
    text = refused.value.message
    assert "pytest met an internal error" in text
    assert "INTERNALERROR> RuntimeError: the plugin broke" in text
    assert "Remove it" not in text


@pytest.mark.parametrize("words", [("-n", "auto"), ("--cov", "tests"), ("nowhere",)], ids=" ".join)
async def test_a_call_that_pytest_refuses_is_told_with_its_own_words(project, words):
    world = project(*words)
    with pytest.raises(ConfigurationError) as refused:
        await world.start_with_baseline(PROJECT)
    assert f"error: unrecognized arguments: {words[0]}" in refused.value.message or (
        "not found: nowhere" in refused.value.message
    )
    assert "mend what its output names" in refused.value.message.lower()
