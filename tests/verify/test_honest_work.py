import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.proof import ModelCommand
from verify.corpus import HONEST
from verify.corpus.base import judge
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, World, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("work", HONEST, ids=str)
async def test_honest_work_is_accepted(world, work):
    verdict = await judge(world, work)
    assert verdict.accepted, verdict.reasons
    proof = world.passing["double"] if work.clean_room else verdict.proof
    assert proof.marks == work.marks
    said = [one for one in proof.notices if "older tests" in one]
    assert len(said) == len(work.notices), said
    assert all(wanted in one for wanted, one in zip(work.notices, said, strict=True)), said


async def test_a_feature_whose_test_turns_green_is_accepted_with_everything_needed_to_replay_it(world):
    await world.start(START)
    before = world.checkpoint
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.before == before
    assert proof.test_files == ("tests/test_double.py",)
    assert proof.red.failing == ("tests/test_double.py::test_double",)
    assert proof.green.passed == ("tests/test_double.py::test_double",)
    assert proof.green.counts.passed == 1
    assert proof.green.counts.failed == 0
    assert set(proof.regression.passed) == {
        "tests/test_calc.py::test_add",
        "tests/test_double.py::test_double",
    }
    assert proof.regression.counts.executed == 2
    assert proof.green.tree == proof.after_tree != proof.red.tree
    assert proof.green.command == "python -m pytest tests/test_double.py"
    assert world.sandbox.work not in proof.model_dump_json()
    assert proof.marks == ()


async def test_bytecode_that_is_kept_in_git_neither_runs_nor_refuses(world):
    await world.start(START | {"docs/__pycache__/conf.cpython-38.pyc": b"from long ago"})
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert world.repository.read(verdict.proof.after_tree, "docs/__pycache__/conf.cpython-38.pyc")


async def test_a_test_file_that_imports_what_is_new_is_a_weak_red_and_marked(world):
    await world.start(START)
    files = {
        "twice.py": "def double(a):\n    return 2 * a\n",
        "tests/test_twice.py": "from twice import double\n\ndef test_double():\n    assert double(2) == 4\n",
    }
    verdict = await world.submit(files, "tests/test_twice.py::test_double")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)
    assert verdict.proof.red.failing == ("tests/test_twice.py",)


async def test_a_conftest_that_imports_what_is_new_is_a_weak_red_too(world):
    await world.start(START)
    files = DOUBLE | {
        "tests/conftest.py": """
            import pytest
            from calc import double

            @pytest.fixture
            def doubled():
                return double(2)
        """,
        "tests/test_double.py": "def test_double(doubled):\n    assert doubled == 4\n",
    }
    verdict = await world.submit(files, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)


async def test_a_project_without_any_tests_gets_its_first_ones(world):
    await world.start_with_baseline({"calc.py": START["calc.py"]})
    assert world.baseline.command == ""
    config = {"pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n'}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | config, "tests")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.tests == ("tests/test_double.py",)


async def test_known_failing_and_flaky_tests_refuse_nothing(world):
    await world.start_with_baseline(
        START
        | {
            "tests/test_broken.py": "def test_broken():\n    assert False\n",
            "tests/test_flaky.py": """
                import os, pathlib

                def test_flaky():
                    seen = pathlib.Path(os.environ["TMPDIR"]) / "seen"
                    count = int(seen.read_text()) if seen.exists() else 0
                    seen.write_text(str(count + 1))
                    assert count % 2
            """,
        }
    )
    assert world.baseline.failing == ("tests/test_broken.py::test_broken",)
    assert world.baseline.flaky == ("tests/test_flaky.py::test_flaky",)
    assert world.baseline.passed == 1
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("flaky",)
    assert verdict.proof.flaky == ("tests/test_flaky.py::test_flaky",)


async def test_the_next_feature_runs_the_suite_only_once(world: World):
    await world.start(START)
    await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py", keep=True)
    world.configure(LoopConfig())  # another session: what it knows stands in the proofs
    runs = []
    run = world.sandbox.run

    async def counted(argv, **options):
        runs.extend(["run"] if argv[0] == "around-run" else [])
        return await run(argv, **options)

    world.sandbox.run = counted
    try:
        files = {
            "calc.py": DOUBLE["calc.py"] + "\n\ndef half(a):\n    return a / 2\n",
            "tests/test_half.py": "import calc\n\n\ndef test_half():\n    assert calc.half(4) == 2\n",
        }
        verdict = await world.submit(files, "tests/test_half.py", feature_id="half")
    finally:
        del world.sandbox.run
    assert verdict.accepted, verdict.reasons
    assert len(runs) == 3  # red, green, the suite


async def test_a_refactor_leaves_the_tests_alone_and_keeps_them_green(world):
    await world.start(START)
    inner = {"calc.py": "from inner import add  # noqa\n", "inner.py": START["calc.py"]}
    verdict = await world.submit(inner, "tests/test_calc.py", kind="refactor")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("no red",)
    assert verdict.proof.green.passed == ("tests/test_calc.py::test_add",)


async def test_a_chore_needs_no_tests_and_is_for_a_person_to_judge(world):
    await world.start(START)
    verdict = await world.submit({"README.md": "# calc\n"}, kind="chore")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("no red", "for a person")
    assert verdict.proof.regression.counts.passed == 1


async def test_old_bytecode_is_not_taken_for_old_code(world):
    """What the hands compiled once, marked as needing no check, would make the new test pass on old code."""
    await world.start(START | {".gitignore": "__pycache__/\n"})
    await world.sandbox.write_file("calc.py", DOUBLE["calc.py"].encode())
    compiled = await world.sandbox.run(
        ["python", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "calc.py"], timeout_s=20
    )
    assert compiled.exit_code == 0
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons


async def test_the_commands_of_the_project_s_own_are_used(world, configured):
    configured(test_command="python -m pytest -p no:randomly", suite_command="python -m pytest tests")
    await world.start(START)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.green.command == "python -m pytest -p no:randomly tests/test_double.py"
    assert verdict.proof.regression.command == "python -m pytest tests"
    assert verdict.proof.regression.counts.passed == 2


async def test_a_command_that_runs_pytest_behind_the_scenes_is_counted_too(world, configured):
    configured(test_command="sh run-tests.sh")
    await world.start(START | {"run-tests.sh": 'echo running; exec python -m pytest "$@"\n'})
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.green.counts.passed == 1


async def test_where_only_the_model_knows_how_tests_run_the_proof_says_so(world):
    world.model_command = ModelCommand("sh run-tests.sh")
    await world.start(
        {"calc.py": START["calc.py"], "run-tests.sh": 'exec python -m pytest "$@"\n'}, passing=()
    )
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | {"conftest.py": ""}, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("model's command",)


async def test_without_a_report_the_exit_code_counts_only_if_the_configuration_says_so(world, configured):
    start = {"check.sh": 'for one in "$@"; do sh $one || exit 1; done\n', "value": "1\n"}
    files = {"value": "2\n", "tests/value.sh": "grep -q 2 value\n"}
    configured(test_command="sh check.sh")
    await world.start(start, passing=())
    assert codes(await world.submit(files, "tests/value.sh")) == ["no-report"]
    configured(test_command="sh check.sh", accept_exit_code=True)
    verdict = await world.submit(files, "tests/value.sh")
    assert verdict.accepted, verdict.reasons
    assert "by exit code" in verdict.proof.marks
