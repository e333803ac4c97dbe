"""Older tests under other names over several features, and those that are gone as a person allows."""

import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.proof import ModelCommand
from autonomous_loop.verify.verifier import ProofVerifier
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMED = """
def test_{name}():
    import calc

    assert hasattr(calc, "{code}")
    assert calc.{code}(4) == {value}
"""
HALF = DOUBLE["calc.py"] + "\n\ndef half(a):\n    return a / 2\n"
THIRD = HALF + "\n\ndef third(a):\n    return a / 3\n"
HALF_TEST = {"tests/test_half.py": NAMED.format(name="half", code="half", value=2)}


def doubles(name):
    return NAMED.format(name=name, code="double", value=8)


@pytest.mark.parametrize("place", ["tests/test_double.py", "tests/test_twice.py"])
async def test_the_renamed_test_of_a_passing_feature_is_not_missed_by_later_ones_either(world, place):
    await world.start(START)
    await world.submit(
        DOUBLE | {"tests/test_double.py": doubles("double")}, "tests/test_double.py", keep=True
    )
    renamed = {"calc.py": HALF, "tests/test_double.py": None, place: doubles("twice")} | HALF_TEST
    await world.submit(renamed, "tests/test_half.py", feature_id="half", keep=True)
    third = {"tests/test_third.py": NAMED.format(name="third", code="third", value="4 / 3")}
    verdict = await world.submit({"calc.py": THIRD} | third, "tests/test_third.py", feature_id="third")
    assert verdict.accepted, verdict.reasons
    gone = {"calc.py": THIRD, place: None} | third
    verdict = await world.submit(gone, "tests/test_third.py", feature_id="third")
    assert codes(verdict) == ["test-removed"]
    assert f"{place}::test_twice" in verdict.reasons[0].text


async def test_the_moved_test_of_a_passing_feature_is_not_missed_by_later_ones_either(world):
    await world.start(START)
    await world.submit(
        DOUBLE | {"tests/test_double.py": doubles("double")}, "tests/test_double.py", keep=True
    )
    moved = {
        "calc.py": HALF,
        "tests/test_double.py": None,
        "tests/test_twice.py": doubles("double"),
    } | HALF_TEST
    await world.submit(moved, "tests/test_half.py", feature_id="half", keep=True)
    third = {"tests/test_third.py": NAMED.format(name="third", code="third", value="4 / 3")}
    verdict = await world.submit({"calc.py": THIRD} | third, "tests/test_third.py", feature_id="third")
    assert verdict.accepted, verdict.reasons


GONE = DOUBLE | DOUBLE_TEST | {"tests/test_half.py": None}
HALVES = {"calc.py": START["calc.py"] + "\n\ndef half(a):\n    return a / 2\n"} | HALF_TEST


def let(world, allowed):
    world.verifier = ProofVerifier(
        world.sandbox, world.workspace, world.repository, LoopConfig(test_timeout_s=20),
        model_command=ModelCommand, prepare=world._prepare, removed_tests=allowed,
    )  # fmt: skip


@pytest.mark.parametrize("allowed", [None, False])
async def test_tests_of_code_that_is_gone_are_missed_and_only_a_person_is_told_of_the_way_out(world, allowed):
    let(world, allowed)
    await world.start_with_baseline(START | HALVES)
    verdict = await world.submit(GONE, "tests/test_double.py")
    assert codes(verdict) == ["test-removed"]
    assert "tests/test_half.py::test_half" in verdict.reasons[0].text
    assert ("removed-tests=true" in verdict.reasons[0].text) == (allowed is False)


async def test_where_a_person_allows_it_tests_may_be_gone_and_the_proof_names_them(world):
    let(world, allowed=True)
    await world.start_with_baseline(START | HALVES)
    verdict = await world.submit(GONE, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("tests removed",)
    assert verdict.proof.notices == ("older tests are gone: tests/test_half.py::test_half",)
    assert "tests/test_half.py::test_half" not in verdict.proof.regression.passed


async def test_one_test_of_a_file_may_be_gone_while_another_is_changed(world):
    let(world, allowed=True)
    both = {"tests/test_calc.py": START["tests/test_calc.py"] + HALF_TEST["tests/test_half.py"]}
    await world.start_with_baseline(START | HALVES | both)
    verdict = await world.submit(
        GONE | {"tests/test_calc.py": START["tests/test_calc.py"] + "    assert add(0, 0) == 0\n"},
        "tests/test_double.py",
    )
    assert verdict.accepted, verdict.reasons
    assert "tests/test_calc.py::test_half" in verdict.proof.notices[0]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (
            {"tests/test_calc.py": "import pytest\n\n@pytest.mark.skip\ndef test_add():\n    assert 0\n"},
            "test-skipped",
        ),
        ({"tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    add(1, 2)\n"}, "weakened"),
        ({"calc.py": DOUBLE["calc.py"].replace("a + b", "a - b")}, "regression"),
    ],
)
async def test_nothing_else_gets_through_with_them(world, files, code):
    let(world, allowed=True)
    await world.start_with_baseline(START | HALVES)
    assert codes(await world.submit(GONE | files, "tests/test_double.py")) == [code]
