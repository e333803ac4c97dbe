"""Work that only looks right: each case names the trick, and the reason it is refused with."""

from dataclasses import dataclass, field

import pytest

from integration.verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRONG = {"calc.py": START["calc.py"] + "\n\ndef double(a):\n    return 3 * a\n"}
SLOW = 3


@dataclass(frozen=True)
class Trick:
    name: str
    files: dict
    code: str
    says: str = ""
    tests: tuple = ("tests/test_double.py",)
    options: dict = field(default_factory=dict)
    start: dict = field(default_factory=dict)
    config: dict = field(default_factory=dict)


def conftest(text):
    return {"tests/conftest.py": text}


REWRITE = """
    import pytest

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item, call):
        outcome = yield
        outcome.get_result().outcome = "passed"
"""
FORGE = """
    import atexit, sys

    def forge():
        for one in sys.argv:
            if one.startswith("--junitxml="):
                with open(one.partition("=")[2], "w") as report:
                    report.write('<testsuites><testsuite><testcase classname="tests.test_double"'
                                 ' name="test_double" file="tests/test_double.py"/></testsuite></testsuites>')

    atexit.register(forge)
"""
LEAVE = """
    import calc, subprocess, sys

    def test_double():
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert calc.double(4) == 8
"""

TRICKS = [
    Trick(
        "a test that passes on the old code too",
        DOUBLE
        | {"tests/test_double.py": "from calc import add\n\ndef test_double():\n    assert add(4, 4) == 8\n"},
        "no-red",
        "tests/test_double.py",
    ),
    Trick(
        "a test that asserts nothing",
        DOUBLE | {"tests/test_double.py": "def test_double():\n    assert True\n"},
        "no-red",
    ),
    Trick(
        "a test that only imports what is new",
        DOUBLE | {"tests/test_double.py": "from calc import double\n\ndef test_double():\n    double\n"},
        "asserts-nothing",
    ),
    Trick("a test that fails", WRONG | DOUBLE_TEST, "not-green", "12 == 8"),
    Trick(
        "a test that is skipped once the feature is there",
        DOUBLE
        | {
            "tests/test_double.py": """
                import calc, pytest

                def test_double():
                    if hasattr(calc, "double"):
                        pytest.skip("later")
                    assert False
            """
        },
        "not-run",
        "Skipped",
    ),
    Trick(
        "one test that always passes and one that is skipped once the feature is there",
        DOUBLE
        | {
            "tests/test_double.py": """
                import calc, pytest

                def test_always():
                    assert calc.add(1, 1) == 2

                def test_double():
                    if hasattr(calc, "double"):
                        pytest.skip("later")
                    assert False
            """
        },
        "no-red",
        "both fails",
    ),
    Trick("no test at all", DOUBLE, "no-tests", tests=()),
    Trick("a test that is not there", DOUBLE, "bad-test", "tests/test_double.py"),
    Trick("a test outside the project", DOUBLE, "bad-test", tests=("../test_double.py",)),
    Trick("an option for a test", DOUBLE, "bad-test", tests=("--co",)),
    Trick(
        "an older test broken",
        DOUBLE_TEST | {"calc.py": DOUBLE["calc.py"].replace("a + b", "a - b")},
        "regression",
        "tests/test_calc.py::test_add",
    ),
    Trick(
        "an older test deleted",
        DOUBLE | DOUBLE_TEST | {"tests/test_calc.py": None},
        "test-removed",
        "test_add",
    ),
    Trick(
        "an older test renamed out of collection",
        DOUBLE
        | DOUBLE_TEST
        | {"tests/test_calc.py": START["tests/test_calc.py"].replace("test_add", "check_add")},
        "test-removed",
    ),
    Trick(
        "an older test skipped",
        DOUBLE
        | DOUBLE_TEST
        | {"tests/test_calc.py": "import pytest\n\n@pytest.mark.skip\ndef test_add():\n    assert 0\n"},
        "test-skipped",
        "tests/test_calc.py::test_add",
    ),
    Trick(
        "an older test expected to fail",
        DOUBLE_TEST
        | {
            "calc.py": DOUBLE["calc.py"].replace("a + b", "a - b"),
            "tests/test_calc.py": "import pytest\n"
            + START["tests/test_calc.py"].replace("def test", "@pytest.mark.xfail\ndef test"),
        },
        "test-skipped",
    ),
    Trick(
        "an older test loosened so that broken code gets through",
        DOUBLE_TEST
        | {
            "calc.py": DOUBLE["calc.py"].replace("a + b", "a - b"),
            "tests/test_calc.py": START["tests/test_calc.py"].replace("== 3", "in (3, -1)"),
        },
        "weakened",
        "loosened",
    ),
    Trick(
        "an older test emptied while its code still works",
        DOUBLE | DOUBLE_TEST | {"tests/test_calc.py": "def test_add():\n    pass\n"},
        "weakened",
        "check less",
    ),
    Trick(
        "a conftest that ends the run",
        DOUBLE | DOUBLE_TEST | conftest("import os\nos._exit(0)\n"),
        "no-report",
    ),
    Trick(
        "a conftest that ends the run before a test is run",
        DOUBLE | DOUBLE_TEST | conftest("import pytest\npytest.exit('done', returncode=0)\n"),
        "no-report",
    ),
    Trick(
        "code that ends the run in a test",
        DOUBLE
        | DOUBLE_TEST
        | conftest("import pytest\n\n@pytest.fixture(autouse=True)\ndef end():\n    pytest.exit('x', 0)\n"),
        "canary",
    ),
    Trick(
        "a hook that rewrites outcomes", WRONG | DOUBLE_TEST | conftest(REWRITE), "outcome-hook", "makereport"
    ),
    Trick(
        "a hook that rewrites outcomes, let through the gate",
        WRONG | DOUBLE_TEST | conftest(REWRITE),
        "canary",
        config={"runner_keys": True},
    ),
    Trick("a report that is forged", WRONG | DOUBLE_TEST | conftest(FORGE), "canary"),
    Trick(
        "a report that is a link",
        WRONG
        | DOUBLE_TEST
        | conftest(
            FORGE.replace(
                'with open(one.partition("=")[2], "w") as report:',
                'import os; path = one.partition("=")[2]; os.remove(path)\n'
                '                os.symlink("/etc/hostname", path)\n'
                "                if False:",
            )
        ),
        "no-report",
    ),
    Trick(
        "a report with entities",
        WRONG
        | DOUBLE_TEST
        | conftest(FORGE.replace("<testsuites>", '<!DOCTYPE a [<!ENTITY b "c">]><testsuites>', 1)),
        "no-report",
    ),
    Trick(
        "a run in which only some tests are chosen",
        DOUBLE | DOUBLE_TEST | {"pyproject.toml": START["pyproject.toml"] + 'addopts = "-k double"\n'},
        "runner-keys",
        "addopts",
    ),
    Trick(
        "a configuration put over the project's own",
        DOUBLE | DOUBLE_TEST | {"pytest.ini": "[pytest]\npythonpath = .\n"},
        "runner-keys",
        "pytest.ini",
    ),
    Trick(
        "an older test ignored",
        DOUBLE | DOUBLE_TEST | conftest("collect_ignore = ['test_calc.py']\n"),
        "runner-keys",
        "collect_ignore",
    ),
    Trick(
        "a runner of its own", WRONG | DOUBLE_TEST | {"pytest.py": "print('1 passed')\n"}, "runner-shadowed"
    ),
    Trick(
        "a test that never ends",
        DOUBLE | {"tests/test_double.py": "import time\n\ndef test_double():\n    time.sleep(600)\n"},
        "timeout",
        f"within {SLOW} s",
        config={"test_timeout_s": SLOW},
    ),
    Trick("a process left running", DOUBLE | {"tests/test_double.py": LEAVE}, "background", "time.sleep(60)"),
    Trick(
        "a test that writes the code it tests",
        DOUBLE
        | {
            "tests/test_double.py": """
                import calc, pathlib

                def test_double():
                    with open(calc.__file__, "a") as code:
                        code.write("# touched")
                    assert calc.double(4) == 8
            """
        },
        "tree-changed",
        "calc.py",
    ),
    Trick(
        "a dependency nobody installed",
        DOUBLE | {"tests/test_double.py": "import numpyish\n\ndef test_double():\n    assert numpyish\n"},
        "environment",
        "numpyish",
    ),
    Trick(
        "code that needs a dependency nobody installed",
        DOUBLE_TEST | {"calc.py": "import numpyish.core\n" + DOUBLE["calc.py"]},
        "environment",
        "numpyish",
    ),
    Trick(
        "a refactor that touches tests",
        {"calc.py": DOUBLE["calc.py"], "tests/test_calc.py": START["tests/test_calc.py"] + "\n# same\n"},
        "tests-touched",
        tests=("tests/test_calc.py",),
        options={"kind": "refactor"},
    ),
    Trick("a refactor without tests", DOUBLE, "no-tests", tests=(), options={"kind": "refactor"}),
    Trick(
        "a chore that breaks an older test",
        {"calc.py": "def add(a, b):\n    return 0\n"},
        "regression",
        tests=(),
        options={"kind": "chore"},
    ),
    Trick(
        "a user interface without a browser test",
        DOUBLE | DOUBLE_TEST,
        "no-browser-test",
        options={"category": "frontend"},
    ),
    Trick(
        "a user interface whose page is no browser's",
        DOUBLE
        | {
            "tests/test_double.py": """
                import calc, pytest

                @pytest.fixture
                def page():
                    return "<p>8"

                def test_double(page):
                    assert str(calc.double(4)) in page
            """
        },
        "no-browser-test",
        options={"category": "ui"},
    ),
    Trick(
        "a test that passes only now and then",
        DOUBLE
        | {
            "tests/test_double.py": """
                import calc, os, pathlib

                def test_double():
                    seen = pathlib.Path(os.environ["TMPDIR"]) / "double"
                    count = int(seen.read_text()) if seen.exists() else 0
                    seen.write_text(str(count + 1))
                    assert hasattr(calc, "double")
                    assert count != 2
            """
        },
        "flaky",
    ),
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.name.replace(" ", "-"))
async def test_refused(world, configured, trick):
    configured(**trick.config)
    await world.start(START | trick.start)
    await world.hands.run(["rm", "-f", f"{world.hands.temporary}/double"], timeout_s=5)
    verdict = await world.submit(trick.files, *trick.tests, **trick.options)
    assert codes(verdict) == [trick.code], verdict.reasons
    assert trick.says in verdict.reasons[0].text
    assert world.hands.work not in verdict.reasons[0].text
    # The work tree holds the candidate again, and neither a canary nor a process is left.
    assert await world.workspace.take() == world.candidate


async def test_the_test_of_a_passing_feature_may_not_be_loosened(world):
    await world.start(START)
    await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py", keep=True)
    files = {
        "calc.py": DOUBLE["calc.py"].replace("2 * a", "0") + "\n\ndef half(a):\n    return a / 2\n",
        "tests/test_double.py": "import calc\n\ndef test_double():\n    assert calc.add(4, 4) == 8\n",
        "tests/test_half.py": "import calc\n\ndef test_half():\n    assert calc.half(4) == 2\n",
    }
    verdict = await world.submit(files, "tests/test_half.py", feature_id="half")
    assert codes(verdict) == ["weakened"], verdict.reasons
    assert "before the feature double" in verdict.reasons[0].text


async def test_equal_failures_have_equal_signatures(world):
    await world.start(START)
    broken = DOUBLE_TEST | {"calc.py": DOUBLE["calc.py"].replace("a + b", "object()")}
    first = await world.submit(broken, "tests/test_double.py")
    second = await world.submit(broken, "tests/test_double.py")
    assert codes(first) == codes(second) == ["regression"]
    assert first.signature == second.signature
    assert "object object at 0x..." in first.reasons[0].text


async def test_what_fails_names_the_passing_feature_it_belongs_to(world):
    await world.start(START)
    await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py", keep=True)
    files = {
        "calc.py": DOUBLE["calc.py"].replace("2 * a", "a") + "\n\ndef half(a):\n    return a / 2\n",
        "tests/test_half.py": "import calc\n\ndef test_half():\n    assert calc.half(4) == 2\n",
    }
    verdict = await world.submit(files, "tests/test_half.py", feature_id="half")
    assert codes(verdict) == ["regression"], verdict.reasons
    assert "of the features double" in verdict.reasons[0].text
