"""What of a proof the journal takes: as much as is read again."""

import pytest

from autonomous_loop.domain.proof import Baseline, Proof, TestRun, oversized

TREE = "1" * 40


def run(*passed):
    return TestRun(command="pytest", tree=TREE, exit_code=0, passed=passed)


def proof(**runs):
    return Proof(feature_id="two", kind="behaviour", tests=("t.py",), before=TREE, after_tree=TREE, **runs)


def test_an_honest_suite_of_200_000_tests_is_taken():
    ids = tuple(
        f"tests/unit/test_module_{number // 100:04}.py::TestOf::{number:08}".ljust(80, "x")
        for number in range(200_000)
    )
    assert oversized(proof(green=run(*ids[:500]), regression=run(*ids))) == ""
    assert oversized(Baseline(command="pytest", runs=(run(*ids), run()))) == ""


@pytest.mark.parametrize("given", [proof(green=run("x" * 2_000_001)), proof(red=run(*["x" * 100] * 20_000))])
def test_a_features_own_tests_have_ids_of_a_sensible_length(given):
    assert "the feature's own tests" in oversized(given)
    assert "short ids" in oversized(given)


def test_so_has_the_suite():
    assert "the whole suite's tests" in oversized(proof(regression=run("x" * 30_000_001)))
    assert "the whole suite's tests" in oversized(Baseline(runs=(run("x" * 30_000_001),)))
