"""What a proof asks for depends on the feature's kind, and on whether it holds already."""

import pytest

from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

INNER = {"calc.py": "from inner import add  # noqa\n", "inner.py": START["calc.py"]}
HOLDS = {"tests/test_negative.py": "import calc\n\n\ndef test_negative():\n    assert calc.add(-1, 1) == 0\n"}
HOLDING = "tests/test_negative.py"


async def test_a_refactor_s_tests_are_seen_green_before_and_after(world):
    await world.start(START)
    verdict = await world.submit(INNER, "tests/test_calc.py", kind="refactor")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.red is None
    assert proof.was_green.passed == proof.green.passed == ("tests/test_calc.py::test_add",)
    assert proof.was_green.tree == world.repository.tree_of(proof.before) != proof.green.tree
    assert proof.marks == ("no red",)


async def test_a_refactor_cannot_rest_on_a_test_that_failed_before(world):
    broken = {"tests/test_broken.py": "import calc\n\n\ndef test_broken():\n    assert calc.inner\n"}
    await world.start(START | broken)
    files = INNER | {"calc.py": "import inner\nfrom inner import add  # noqa\n"}
    verdict = await world.submit(files, "tests/test_broken.py", kind="refactor")
    assert codes(verdict) == ["not-green-before"]
    assert "tests/test_broken.py::test_broken" in verdict.reasons[0].text


async def test_a_refactor_that_breaks_its_test_is_refused(world):
    await world.start(START)
    files = INNER | {"inner.py": "def add(a, b):\n    return a\n"}
    verdict = await world.submit(files, "tests/test_calc.py", kind="refactor")
    assert codes(verdict) == ["not-green"]


async def test_a_feature_that_holds_already_is_kept_as_such_when_the_model_insists(world):
    await world.start(START)
    first = await world.submit(HOLDS, HOLDING)
    assert codes(first) == ["no-red"]
    assert "already satisfied" in first.reasons[0].text
    verdict = await world.submit(HOLDS, HOLDING)
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.marks == ("no red", "already satisfied")
    assert proof.red is None
    assert proof.was_green.passed == proof.green.passed == (f"{HOLDING}::test_negative",)
    assert f"{HOLDING}::test_negative" in proof.regression.passed


@pytest.mark.parametrize(
    "files",
    [
        HOLDS | {"calc.py": START["calc.py"] + "\nMORE = 1\n"},
        HOLDS | {"README.md": "# calc\n"},
        {"tests/data.txt": "no test among it\n"},
    ],
    ids=["code-changed-too", "another-file-changed-too", "no-test-is-new"],
)
async def test_whoever_changes_more_or_less_than_tests_needs_red(world, files):
    await world.start(START)
    test = HOLDING if HOLDING in files else "tests/test_calc.py"
    for _ in range(2):
        verdict = await world.submit(files, test)
        assert codes(verdict) == ["no-red"]
        assert "already satisfied" not in verdict.reasons[0].text


async def test_what_was_offered_for_one_tree_does_not_hold_for_another(world):
    await world.start(START)
    assert codes(await world.submit(HOLDS, HOLDING)) == ["no-red"]
    other = {HOLDING: HOLDS[HOLDING].replace("== 0", "is not None")}
    assert codes(await world.submit(other, HOLDING)) == ["no-red"]
    assert codes(await world.submit(HOLDS, HOLDING, feature_id="another")) == ["no-red"]


async def test_a_test_that_asserts_nothing_satisfies_nothing(world):
    await world.start(START)
    more = {HOLDING: HOLDS[HOLDING] + "\n\ndef test_nothing():\n    calc.add(1, 1)\n"}
    assert codes(await world.submit(more, HOLDING)) == ["no-red"]
    verdict = await world.submit(more, HOLDING)
    assert codes(verdict) == ["asserts-nothing"]
    assert f"{HOLDING}::test_nothing" in verdict.reasons[0].text
    assert f"{HOLDING}::test_negative" not in verdict.reasons[0].text


async def test_a_user_interface_that_holds_already_still_needs_its_browser_test(world):
    await world.start(START)
    for code in ("no-red", "no-browser-test"):
        assert codes(await world.submit(HOLDS, HOLDING, category="frontend")) == [code]


async def test_an_older_test_may_not_be_loosened_on_the_way(world):
    await world.start(START)
    files = HOLDS | {"tests/test_calc.py": "def test_add():\n    pass\n"}
    for code in ("no-red", "weakened"):
        assert codes(await world.submit(files, HOLDING)) == [code]


async def test_a_chore_is_proved_by_gates_and_suite_and_marked_for_a_person(world, configured):
    configured(gates=("test -s README.md || test ! -e README.md",))
    await world.start_with_baseline(START)
    verdict = await world.submit({"README.md": "# calc\n"}, kind="chore")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.marks == ("no red", "for a person")
    assert [one.exit_code for one in proof.gates] == [0]
    assert proof.red is proof.green is proof.was_green is None
    assert proof.regression.counts.passed == 1
    assert codes(await world.submit({"README.md": ""}, kind="chore")) == ["gate"]


async def test_a_missing_dependency_is_no_red_however_it_is_asked_for(world):
    await world.start(START)
    files = DOUBLE | {
        "tests/test_double.py": """
            import pytest

            def test_double():
                import numpyish

                assert numpyish.double(4) == 8
        """
    }
    verdict = await world.submit(files, "tests/test_double.py")
    assert codes(verdict) == ["environment"]
    own = {"double.py": "def double(a):\n    return 2 * a\n"}
    test = {"tests/test_double.py": "from double import double\n\n\ndef test():\n    assert double(2) == 4\n"}
    verdict = await world.submit(own | test, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)


async def test_every_step_of_a_proof_carries_its_evidence(world):
    await world.start_with_baseline(START)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    proof = verdict.proof
    assert proof.baseline.tree == world.repository.tree_of(proof.before)
    assert proof.baseline.passed == ()  # their ids stand once in the journal, not in each proof
    for run in (proof.baseline, proof.red, proof.green, proof.regression):
        assert run.command.startswith("python -m pytest")
        assert run.exit_code in {0, 1}
        assert run.counts.executed > 0
        assert run.duration_s > 0
        assert run.tree
        assert run.excerpt
    assert proof.red.failing == ("tests/test_double.py::test_double",)
