"""Tests that show nothing of the feature they are submitted for."""

from verify.corpus.base import BAD, DOUBLE, GOOD, TEST_ADD, Trick, conftest, test_double

ONCE = """
    import calc, os, pathlib

    def test_double():
        seen = pathlib.Path(os.environ["HOME"]) / "case-{name}"
        count = int(seen.read_text()) if seen.exists() else 0
        seen.write_text(str(count + 1))
        {check}
"""


def once(name, check):
    return {"tests/test_double.py": ONCE.format(name=name, check=check)}


TRICKS = [
    Trick(
        "a test that passes on the old code too",
        DOUBLE | test_double("assert calc.add(4, 4) == 8"),
        code="no-red",
        says="tests/test_double.py",
        checks=(
            "already_satisfied.refuse_unless_confirmed:no-red proving._on_old_code>refuse_unless_confirmed",
        ),
    ),
    Trick(
        "a test that asserts nothing",
        DOUBLE | test_double("assert True"),
        code="no-red",
        says="Assert what is new",
    ),
    Trick(
        "a test that only imports what is new",
        DOUBLE | {"tests/test_double.py": "from calc import double\n\ndef test_double():\n    double\n"},
        code="asserts-nothing",
        says="test_double",
        checks=(
            "vacuous_tests.refuse_idle:asserts-nothing#2 proving._judge_red>refuse_idle proving.run>_judge_red",
        ),
    ),
    Trick(
        "a test that only calls what is new",
        DOUBLE | {"tests/test_double.py": "from calc import *\n\n\ndef test_double():\n    double(4)\n"},
        code="asserts-nothing",
        says="test_double",
    ),
    Trick(
        "a test that compares a thing with itself",
        DOUBLE | test_double("assert calc.double(4) == calc.double(4)"),
        code="asserts-nothing",
    ),
    Trick(
        "a test whose only assertion can never be reached",
        DOUBLE | test_double("calc.double(4)", "return", "assert calc.double(4) == 9"),
        code="asserts-nothing",
    ),
    Trick(
        "a test that cannot be false",
        DOUBLE | test_double("assert calc.double(4) == 9 or True"),
        code="asserts-nothing",
    ),
    Trick(
        "a test that forgives every failure",
        BAD
        | test_double(
            "double = calc.double", "try:", "    assert double(4) == 8", "except AssertionError:", "    pass"
        ),
        code="asserts-nothing",
    ),
    Trick(
        "a test that replaces what it checks",
        BAD
        | {
            "tests/test_double.py": """
                import calc

                def test_double(monkeypatch):
                    monkeypatch.setattr(calc, "double", lambda a: 8)
                    assert calc.double(4) == 8
            """
        },
        code="asserts-nothing",
        says="replace",
        checks=("vacuous_tests.refuse_idle:asserts-nothing",),
    ),
    Trick(
        "a test that replaces what it checks by hand",
        BAD | test_double("calc.double", "calc.double = lambda a: 8", "assert calc.double(4) == 8"),
        code="asserts-nothing",
        says="replace",
    ),
    Trick(
        "a conftest that replaces what a test checks",
        BAD
        | conftest(
            """
                import calc, pytest

                @pytest.fixture(autouse=True)
                def ready(monkeypatch):
                    monkeypatch.setattr("calc.double", lambda a: 8)
            """
        ),
        code="asserts-nothing",
        says="replace",
    ),
    Trick(
        "a test that fails",
        BAD,
        code="not-green",
        says="12 == 8",
        checks=(
            "comparison.judge_green:not-green proving._green:raise",
            "comparison.judge_green:not-run",
            "proving._judge_red:no-red",
        ),
    ),
    Trick(
        "a test that is skipped once the feature is there",
        DOUBLE
        | test_double(
            'if hasattr(calc, "double"):', '    pytest.skip("later")', "assert 0", imports="calc, pytest"
        ),
        code="not-run",
        says="Skipped",
        checks=(
            "comparison.judge_green:not-run",
            "proving._judge_red:no-red",
        ),
    ),
    Trick(
        "a test that is expected to fail",
        BAD
        | {
            "tests/test_double.py": """
                import calc, pytest

                @pytest.mark.xfail(hasattr(calc, "double"), reason="later")
                def test_double():
                    assert calc.double(4) == 8
            """
        },
        code="not-run",
        says="Skipped",
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
        code="no-red",
        says="both fails",
        checks=("proving._judge_red:no-red",),
    ),
    Trick(
        "no test at all",
        DOUBLE,
        tests=(),
        code="no-tests",
        checks=(
            "proving._selection:no-tests",
            "inline_tests.judge_without_red:no-red",
            "inline_tests.judge_without_red:asserts-nothing",
        ),
    ),
    Trick("a test that is not there", DOUBLE, code="bad-test", says="ignored by git, or misspelt"),
    Trick(
        "a test outside the project",
        {"README.md": "# calc\n"},
        tests=("../test_double.py",),
        options={"kind": "chore"},
        code="bad-test",
        says="relative to the project",
        checks=(
            "selection.select:bad-test",
            "selection.select:bad-test#2",
        ),
    ),
    Trick(
        "an option for a test",
        {"README.md": "# calc\n"},
        tests=("--co",),
        options={"kind": "chore"},
        code="bad-test",
        says="--co",
        checks=("candidate.select:raise",),
        then="an error",
    ),
    Trick(
        "a test that is ignored by git",
        DOUBLE | {".gitignore": "tests/test_double.py\n"},
        by_hand="echo 'def test_double(): assert 1' > tests/test_double.py",
        code="bad-test",
        says="ignored by git",
    ),
    Trick(
        "a test outside collection",
        DOUBLE
        | test_double("assert calc.double(4) == 8")
        | {
            "tests/double_checks.py": "import calc\n\n\ndef check_double():\n    assert calc.double(4) == 8\n",
            "tests/test_double.py": None,
        },
        tests=("tests/double_checks.py",),
        code="no-red",
    ),
    Trick(
        "a test that passes from the second time on",
        once("second", "assert count") | {"calc.py": DOUBLE["calc.py"]},
        code="flaky",
        says="as it was before your work",
        checks=("flaky.steady_red:flaky",),
    ),
    Trick(
        "a test that passes from the third time on",
        once("third", "assert count > 1") | {"README.md": "done\n"},
        clean_room=True,
        code="regression",
        says="test_double",
        checks=("comparison.judge_losses:regression regression.check:raise",),
    ),
    Trick(
        "a test that fails now and then on finished work",
        DOUBLE | once("green", 'assert hasattr(calc, "double")\n        assert count != 2'),
        code="flaky",
        says="passed once and failed once",
        checks=(
            "flaky.refuse_flaky_green:flaky proving._green>refuse_flaky_green",
            "comparison.judge_green:not-green",
            "comparison.judge_green:not-run",
            "proving._judge_red:no-red",
        ),
    ),
    Trick(
        "a test that passes alone and fails in the suite",
        DOUBLE | once("suite", 'assert hasattr(calc, "double")\n        assert count != 3'),
        code="flaky",
        says="passed once and failed once",
        checks=("regression._once_more:flaky",),
    ),
    Trick(
        "a test that needs another one before it",
        GOOD
        | {
            "tests/test_a.py": "import calc\n\n\ndef test_a():\n    calc.ready = True\n    assert calc.double\n",
            "tests/test_double.py": "import calc\n\n\ndef test_double():\n    assert calc.ready\n",
        },
        code="not-green",
        says="ready",
    ),
    Trick(
        "a dependency nobody installed",
        DOUBLE | {"tests/test_double.py": "import numpyish\n\ndef test_double():\n    assert numpyish\n"},
        code="environment",
        says="numpyish",
    ),
    Trick(
        "code that needs a dependency nobody installed",
        GOOD | {"calc.py": "import numpyish.core\n" + DOUBLE["calc.py"]},
        code="environment",
        says="numpyish",
    ),
    Trick(
        "a dependency nobody installed, needed by what held before",
        GOOD | {"calc.py": DOUBLE["calc.py"].replace("return a + b", "import numpyish; return a + b")},
        code="environment",
        says="numpyish",
        checks=(
            "regression.check>refuse_third_party",
            "comparison.judge_losses:regression",
        ),
    ),
    Trick(
        "a feature that is said to hold already, with a test that asserts nothing",
        {"tests/test_double.py": "import calc\n\n\ndef test_double():\n    calc.add(1, 2)\n"},
        twice=True,
        code="asserts-nothing",
        says="as it was",
        checks=("already_satisfied.refuse_empty:asserts-nothing proving.run>refuse_empty",),
    ),
    Trick(
        "a feature that is said to hold already, with code nobody tests",
        DOUBLE | {"tests/test_double.py": TEST_ADD.replace("test_add", "test_double")},
        twice=True,
        code="no-red",
    ),
    Trick(
        "a chore with a test that is not there",
        {"README.md": "# calc\n"},
        options={"kind": "chore"},
        code="bad-test",
        says="tests/test_double.py",
        checks=("selection.select:bad-test#2",),
    ),
    Trick(
        "a feature that needs a dependency nobody installed",
        GOOD | {"calc.py": DOUBLE["calc.py"].replace("return 2", "import numpyish; return 2")},
        code="environment",
        says="numpyish",
        checks=(
            "proving._green>refuse_third_party",
            "comparison.judge_green:not-green",
            "comparison.judge_green:not-run",
            "proving._judge_red:no-red",
        ),
    ),
    Trick(
        "a test that fails before only for want of a dependency",
        DOUBLE
        | test_double('if not hasattr(calc, "double"):', "    import numpyish", "assert calc.add(1, 1) == 2"),
        code="environment",
        says="numpyish",
        checks=("bench.refuse_third_party:environment proving._judge_red>refuse_third_party",),
    ),
]
