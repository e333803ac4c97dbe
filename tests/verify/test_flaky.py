"""Tests whose outcome changes while the code does not."""

import pytest

from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

TESTS = "tests/test_double.py"
# Which run this is, told by a file outside the project.
COUNTED = """
    import calc, os, pathlib

    def turn(name):
        seen = pathlib.Path(os.environ["TMPDIR"]) / name
        count = int(seen.read_text()) if seen.exists() else 0
        seen.write_text(str(count + 1))
        return count

"""


@pytest.fixture(autouse=True)
async def afresh(world):
    await world.sandbox.run(["bash", "-c", f"rm -f {world.sandbox.temporary}/turn-*"], timeout_s=5)


def counted(body):
    return {TESTS: COUNTED + "    def test_double():\n        " + body.strip().replace("\n", "\n    ") + "\n"}


async def test_what_fails_only_the_first_time_it_is_run_is_no_red(world):
    await world.start(START)
    verdict = await world.submit(DOUBLE | counted("assert turn('turn-1') > 0"), TESTS)
    assert codes(verdict) == ["flaky"]
    assert "on the code as it was before" in verdict.reasons[0].text


async def test_a_race_that_a_feature_mends_needs_one_test_that_shows_it_each_time(world):
    await world.start(START)
    by_chance = "    def test_now_and_then():\n        assert hasattr(calc, 'double') or turn('turn-2') % 2\n"
    each_time = "\n    def test_each_time():\n        assert callable(vars(calc)['double'])\n"
    verdict = await world.submit(DOUBLE | {TESTS: COUNTED + by_chance}, TESTS)
    assert codes(verdict) == ["flaky"]
    verdict = await world.submit(DOUBLE | {TESTS: COUNTED + by_chance + each_time}, TESTS)
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.red.failing == (f"{TESTS}::test_each_time",)
    assert verdict.proof.red.flaky == (f"{TESTS}::test_now_and_then",)
    assert verdict.proof.red.counts.model_dump() == {
        "passed": 0, "failed": 1, "errors": 0, "skipped": 0, "flaky": 1,
    }  # fmt: skip


@pytest.mark.parametrize("failing_turn", [0, 1], ids=["fails-in-green", "fails-in-the-suite"])
async def test_a_submitted_test_that_passes_and_fails_on_the_same_code_is_refused_as_flaky(
    world, failing_turn
):
    await world.start(START)
    body = f"assert 'double' in vars(calc)\n    assert turn('turn-3') != {failing_turn}"
    verdict = await world.submit(DOUBLE | counted(body), TESTS)
    assert codes(verdict) == ["flaky"], verdict.reasons
    assert "on the same code" in verdict.reasons[0].text


async def test_a_submitted_test_that_fails_whenever_others_run_too_is_flaky(world):
    await world.start(START)
    other = {
        "tests/test_another.py": """
            import calc

            def test_other():
                calc.OTHER = 1
                assert calc.add(1, 1) == 2
        """
    }
    body = "assert 'double' in vars(calc)\n    assert not hasattr(calc, 'OTHER')"
    verdict = await world.submit(DOUBLE | counted(body) | other, TESTS)
    assert codes(verdict) == ["flaky"]


async def test_a_test_of_the_suite_that_failed_and_then_passed_is_reported_and_counts_as_neither(world):
    flaky = {"tests/test_old.py": COUNTED + "    def test_old():\n        assert turn('turn-4') != 2\n"}
    await world.start_with_baseline(START | flaky)
    assert world.baseline.flaky == ()
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, TESTS)
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.flaky == proof.regression.flaky == ("tests/test_old.py::test_old",)
    assert "tests/test_old.py::test_old" not in {*proof.regression.passed, *proof.regression.failing}
    assert proof.regression.counts.passed == 2
    assert proof.regression.counts.failed == 0
    assert proof.regression.counts.flaky == 1
    assert proof.marks == ("flaky",)


async def test_a_test_known_to_be_flaky_is_not_counted_as_passing_when_it_passes(world):
    flaky = {"tests/test_old.py": COUNTED + "    def test_old():\n        assert turn('turn-5')\n"}
    await world.start_with_baseline(START | flaky)
    assert world.baseline.flaky == ("tests/test_old.py::test_old",)
    assert world.baseline.runs[0].counts.flaky == 1
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, TESTS)
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.regression.flaky == ("tests/test_old.py::test_old",)
    assert "tests/test_old.py::test_old" not in verdict.proof.regression.passed
    assert verdict.proof.flaky == ()  # it failed nowhere: there is nothing to look at
    assert verdict.proof.marks == ()
