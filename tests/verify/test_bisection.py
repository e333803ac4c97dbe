"""Which checkpoint broke a test that nobody saw breaking."""

import math

import pytest

from autonomous_loop.verify.execution.bisection import first_bad
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

HALF = "\n\ndef half(a):\n    return a / 2\n"
HALF_TEST = {"tests/test_half.py": "import calc\n\n\ndef test_half():\n    assert calc.half(4) == 2\n"}
THIRD = "\n\ndef third(a):\n    return a / 3\n"
THIRD_TEST = {"tests/test_third.py": "import calc\n\n\ndef test_third():\n    assert calc.third(6) == 2\n"}


@pytest.mark.parametrize("count", [1, 2, 3, 8, 100])
async def test_the_first_bad_one_is_found_in_logarithmically_many_looks(count):
    for first in range(count):
        looks = []

        async def is_bad(index, first=first, looks=looks):
            looks.append(index)
            return index >= first

        found = await first_bad(count, is_bad)
        assert found == (None if first == 0 else first)
        assert len(looks) <= math.ceil(math.log2(count)) + 1
        assert len(set(looks)) == len(looks)
        assert count - 1 not in looks


async def keep(world, feature_id, files):
    """A checkpoint nobody ran the suite for."""
    verdict = await world.submit(files, *(one for one in files if "test" in one), feature_id=feature_id)
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.regression is None
    world.checkpoint = world.repository.commit(world.candidate, [world.checkpoint], feature_id)
    world.passing[feature_id] = verdict.proof.model_copy(update={"after": world.checkpoint})
    return world.checkpoint


async def held(world):
    return await world.verifier.suite(world.checkpoint, baseline=world.baseline, passing=world.passing)


async def blame(world, base, *steps, lost):
    return await world.verifier.culprits([base, *steps], lost=lost, passing=world.passing)


async def test_without_a_suite_run_for_each_feature_the_one_that_broke_it_is_named(world, configured):
    configured(regression="session")
    await world.start_with_baseline(START)
    base = world.checkpoint
    one = await keep(world, "double", DOUBLE | DOUBLE_TEST)
    broken = DOUBLE["calc.py"].replace("a + b", "a - b") + HALF
    two = await keep(world, "half", {"calc.py": broken} | HALF_TEST)
    three = await keep(world, "third", {"calc.py": broken + THIRD} | THIRD_TEST)
    verdict = await held(world)
    assert codes(verdict) == ["regression"]
    assert verdict.lost == ("tests/test_calc.py::test_add",)
    assert verdict.suite is None
    found = await blame(world, base, one, two, three, lost=verdict.lost)
    assert found == {two: ("tests/test_calc.py::test_add",)}
    assert await world.workspace.take() == world.candidate


async def test_each_of_several_breaks_is_laid_where_it_belongs(world, configured):
    configured(regression="end")
    await world.start_with_baseline(START)
    base = world.checkpoint
    one = await keep(world, "double", DOUBLE | DOUBLE_TEST)
    # The second breaks what the first brought, the third what was there before.
    two = await keep(world, "half", {"calc.py": DOUBLE["calc.py"].replace("2 * a", "a") + HALF} | HALF_TEST)
    three = await keep(
        world,
        "third",
        {"calc.py": DOUBLE["calc.py"].replace("2 * a", "a").replace("a + b", "a") + HALF + THIRD}
        | THIRD_TEST,
    )
    verdict = await held(world)
    found = await blame(world, base, one, two, three, lost=verdict.lost)
    assert found == {
        two: ("tests/test_double.py::test_double",),
        three: ("tests/test_calc.py::test_add",),
    }


async def test_a_test_is_not_missed_before_the_feature_that_brought_it(world, configured):
    configured(regression="end")
    await world.start_with_baseline(START)
    base = world.checkpoint
    one = await keep(world, "half", {"calc.py": START["calc.py"] + HALF} | HALF_TEST)
    two = await keep(world, "third", {"calc.py": START["calc.py"] + HALF + THIRD} | THIRD_TEST)
    three = await keep(world, "double", {"calc.py": DOUBLE["calc.py"] + HALF + THIRD} | DOUBLE_TEST)
    broken = world.tree({"calc.py": DOUBLE["calc.py"].replace("2 * a", "a")}, world.candidate)
    four = world.repository.commit(broken, [three], "breaks")
    lost = ("tests/test_double.py::test_double",)
    assert await blame(world, base, one, two, three, four, lost=lost) == {four: lost}


async def test_a_deleted_test_is_a_loss_with_a_culprit_too(world, configured):
    configured(regression="end")
    await world.start_with_baseline(
        START | {"tests/test_more.py": "def test_more():\n    assert 1 + 1 == 2\n"}
    )
    base = world.checkpoint
    one = await keep(world, "double", DOUBLE | DOUBLE_TEST)
    files = {"calc.py": DOUBLE["calc.py"] + HALF} | HALF_TEST | {"tests/test_more.py": None}
    verdict = await world.submit(files, "tests/test_half.py", feature_id="half")
    two = world.checkpoint = world.repository.commit(world.candidate, [one], "half")
    world.passing["half"] = verdict.proof.model_copy(update={"after": two})
    verdict = await held(world)
    assert codes(verdict) == ["test-removed"]
    assert await blame(world, base, one, two, lost=verdict.lost) == {two: verdict.lost}


async def test_what_fails_only_among_others_is_looked_for_with_the_whole_suite(world, configured):
    configured(regression="end")
    await world.start_with_baseline(
        START
        | {"tests/test_zero.py": "import calc\n\n\ndef test_zero():\n    assert not hasattr(calc, 'SEEN')\n"}
    )
    base = world.checkpoint
    one = await keep(world, "double", DOUBLE | DOUBLE_TEST)
    seen = "import calc\n\n\ndef test_half():\n    calc.SEEN = 1\n    assert calc.half(4) == 2\n"
    two = await keep(world, "half", {"calc.py": DOUBLE["calc.py"] + HALF, "tests/test_half.py": seen})
    lost = ("tests/test_zero.py::test_zero",)
    assert await blame(world, base, one, two, lost=lost) == {two: lost}


async def test_a_suite_that_cannot_be_run_any_more_has_a_culprit(world, configured):
    configured(regression="end")
    await world.start_with_baseline(START)
    base = world.checkpoint
    one = await keep(world, "double", DOUBLE | DOUBLE_TEST)
    ends = {"tests/test_ends.py": "import os\n\n\ndef test_ends():\n    os._exit(0)\n"}
    files = {"calc.py": DOUBLE["calc.py"] + HALF} | HALF_TEST | ends
    verdict = await world.submit(files, "tests/test_half.py", feature_id="half")
    assert verdict.accepted, verdict.reasons
    two = world.checkpoint = world.repository.commit(world.candidate, [one], "half")
    world.passing["half"] = verdict.proof.model_copy(update={"after": two})
    verdict = await held(world)
    assert codes(verdict) == ["no-report"]
    assert list(await blame(world, base, one, two, lost=verdict.lost)) == [two]


async def test_nobody_is_blamed_for_what_fails_from_the_start_or_not_at_all(world, configured):
    configured(regression="end")
    await world.start_with_baseline(START | {"tests/test_red.py": "def test_red():\n    assert False\n"})
    base = world.checkpoint
    one = await keep(world, "double", DOUBLE | DOUBLE_TEST)
    assert await blame(world, base, one, lost=("tests/test_red.py::test_red",)) == {}
    assert await blame(world, base, one, lost=("tests/test_calc.py::test_add",)) == {}


async def test_a_suite_that_holds_says_what_passed_there(world, configured):
    configured(regression="session")
    await world.start_with_baseline(START)
    await keep(world, "double", DOUBLE | DOUBLE_TEST)
    verdict = await held(world)
    assert verdict.accepted, verdict.reasons
    assert set(verdict.suite.passed) == {"tests/test_calc.py::test_add", "tests/test_double.py::test_double"}


async def test_an_older_test_may_not_be_loosened_though_the_suite_waits(world, configured):
    configured(regression="session")
    await world.start_with_baseline(START)
    files = DOUBLE_TEST | {
        "calc.py": DOUBLE["calc.py"].replace("a + b", "a - b"),
        "tests/test_calc.py": START["tests/test_calc.py"].replace("== 3", "in (3, -1)"),
    }
    assert codes(await world.submit(files, "tests/test_double.py")) == ["weakened"]
