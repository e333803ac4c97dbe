"""Older tests that are got rid of: removed, not run any more, or made to check less."""

from verify.corpus.base import (
    DOUBLE,
    DOUBLE_TEST,
    GOOD,
    HALF,
    HALF_TEST,
    TEST_ADD,
    Trick,
    conftest,
)  # fmt: skip

BROKEN = {"calc.py": DOUBLE["calc.py"].replace("a + b", "a - b")}


def calc_test(text):
    return GOOD | {"tests/test_calc.py": text}


def test(name, *lines):
    return f"\n\ndef test_{name}():\n" + "".join(f"    {line}\n" for line in lines)


test.__test__ = False
IMPORTS = "import contextlib\nimport os\n\nimport pytest\n\nfrom calc import add\n"
# How `assert add(1, 2) == 3` is made to say less while the code is right; each is found by itself.
WAYS = {
    "left_before_it_checks": ["return", "assert add(1, 2) == 3"],
    "emptied": ["pass"],
    "an_order": ["assert add(1, 2) >= 3"],
    "a_membership": ["assert add(1, 2) in (3, -1)"],
    "a_truth": ["assert add(1, 2)"],
    "a_type": ["assert isinstance(add(1, 2), int)"],
    "not_none": ["assert add(1, 2) is not None"],
    "never_false": ["assert add(1, 2) == 3 or True"],
    "an_alternative": ["assert add(1, 2) == 3 or add(1, 2) == -1"],
    "compared_with_itself": ["assert add(1, 2) == add(1, 2)"],
    "constants": ["assert 3 == 3"],
    "approximate": ["assert add(1, 2) == pytest.approx(3, abs=10)"],
    "forgiving": ["try:", "    assert add(1, 2) == 3", "except AssertionError:", "    pass"],
    "suppressing": ["with contextlib.suppress(Exception):", "    assert add(1, 2) == 3"],
    "under_a_condition": ["if add(1, 2) == 3:", "    assert add(1, 2) == 3"],
    "a_loop_over_nothing": ["for total in []:", "    assert add(1, 2) == total"],
    "never_called": ["def check():", "    assert add(1, 2) == 3"],
    "may_leave_early": ["if add(1, 2) < 4:", "    return", "assert add(1, 2) == 3"],
    "skips_itself": ["if os.environ.get('LATER'):", "    pytest.skip('later')", "assert add(1, 2) == 3"],
}


PARAMETERS = """
import pytest
from calc import add


@pytest.mark.parametrize(("a", "b"), [(1, 2), (2, 1), (3, 0)])
def test_add(a, b):
    assert add(a, b) == 3
"""
THREE = tuple(f"tests/test_calc.py::test_add[{one}]" for one in ("1-2", "2-1", "3-0"))
HELPED = {
    "tests/helpers.py": "def check(found, expected):\n    assert found == expected\n",
    "tests/test_calc.py": "from calc import add\nfrom helpers import check\n\n\ndef test_add():\n    check(add(1, 2), 3)\n",
}
FIXTURE = {
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef total():\n    from calc import add\n    return add(1, 2)\n",
    "tests/test_calc.py": "def test_add(total):\n    assert total == 3\n",
}

TRICKS = [
    Trick(
        "an older test broken",
        DOUBLE_TEST | BROKEN,
        code="regression",
        says="tests/test_calc.py::test_add",
        checks=("comparison.judge_losses:regression",),
    ),
    Trick(
        "an older test deleted",
        GOOD | {"tests/test_calc.py": None},
        code="test-removed",
        says="test_add",
        checks=("comparison.judge_losses:test-removed",),
    ),
    Trick(
        "an older test renamed out of collection",
        calc_test(TEST_ADD.replace("test_add", "_test_add")),
        code="test-removed",
    ),
    Trick(
        "an older test's file renamed out of collection",
        GOOD | {"tests/test_calc.py": None, "tests/calc_checks.py": TEST_ADD},
        code="test-removed",
    ),
    Trick(
        "an older test's module taken out of collection",
        calc_test(
            "__test__ = False\n"
            + TEST_ADD.replace("def", "class T:\n  __test__ = False\ndef")
            + "test_add.__test__ = False\n"
        ),
        code="test-removed",
    ),
    Trick(
        "the suite emptied",
        GOOD | {"tests/test_calc.py": "", "tests/test_double.py": None},
        tests=("tests/test_calc.py",),
        code="no-red",
    ),
    Trick(
        "a test of the suite deleted along with its code",
        GOOD | {"tests/test_calc.py": None, "calc.py": "def double(a):\n    return 2 * a\n"},
        code="test-removed",
    ),
    Trick(
        "parameters removed",
        calc_test(PARAMETERS.replace(", (2, 1), (3, 0)", "")),
        start={"tests/test_calc.py": PARAMETERS},
        passing=THREE,
        code="test-removed",
        says="test_add[2-1]",
    ),
    Trick(
        "parameters made easier",
        calc_test(PARAMETERS.replace("(2, 1), (3, 0)", "(1, 2), (1, 2)")),
        start={"tests/test_calc.py": PARAMETERS},
        passing=THREE,
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test skipped",
        calc_test("import pytest\n\n@pytest.mark.skip\ndef test_add():\n    assert 0\n"),
        code="test-skipped",
        says="tests/test_calc.py::test_add",
        checks=(
            "comparison.judge_losses:test-skipped",
            "changed_tests._refuse_weakened:weakened",
        ),
    ),
    Trick(
        "an older test skipped on some day",
        calc_test(
            "import pytest\n" + TEST_ADD.replace("def", "@pytest.mark.skipif('sys.platform == \"x\"')\ndef")
        ),
        code="weakened",
    ),
    Trick(
        "an older test's class skipped on some day",
        calc_test(
            "import pytest\nfrom calc import add\n\n\nclass TestCalc:\n"
            "    pytestmark = pytest.mark.skipif('sys.platform == \"x\"')\n\n"
            "    def test_add(self):\n        assert add(1, 2) == 3\n"
        ),
        start={
            "tests/test_calc.py": "from calc import add\n\n\nclass TestCalc:\n"
            "    def test_add(self):\n        assert add(1, 2) == 3\n"
        },
        passing=("tests/test_calc.py::TestCalc::test_add",),
        code="weakened",
    ),
    Trick(
        "an older test expected to fail",
        calc_test("import pytest\n" + TEST_ADD.replace("def test", "@pytest.mark.xfail\ndef test")) | BROKEN,
        code="test-skipped",
    ),
    Trick(
        "an older test expected to fail while it still passes",
        calc_test("import pytest\n" + TEST_ADD.replace("def test", "@pytest.mark.xfail\ndef test")),
        code="weakened",
        checks=(
            "changed_tests._refuse_weakened:weakened changed_tests.judge_changed_tests>_refuse_weakened#2 proving._regress>judge_changed_tests",
        ),
    ),
    Trick(
        "older tests made to check less, each in a way of its own",
        GOOD | {"tests/test_calc.py": IMPORTS + "".join(test(name, *lines) for name, lines in WAYS.items())},
        start={"tests/test_calc.py": IMPORTS + "".join(test(name, "assert add(1, 2) == 3") for name in WAYS)},
        passing=tuple(f"tests/test_calc.py::test_{name}" for name in WAYS),
        code="weakened",
        says=", ".join(sorted(f"tests/test_calc.py::test_{name}" for name in WAYS)),
    ),
    Trick(
        "an older test behind a decorator that swallows",
        calc_test(
            "from calc import add\n\n\ndef calm(test):\n    def run():\n        try:\n            test()\n"
            "        except AssertionError:\n            pass\n    return run\n\n\n"
            "@calm\ndef test_add():\n    assert add(1, 2) == 3\n"
        ),
        code="weakened",
    ),
    Trick(
        "an older test loosened so that broken code gets through",
        DOUBLE_TEST | BROKEN | {"tests/test_calc.py": TEST_ADD.replace("== 3", "in (3, -1)")},
        code="weakened",
        says="loosened",
        checks=(
            "changed_tests._refuse_loosened:weakened changed_tests.judge_changed_tests>_refuse_loosened",
        ),
    ),
    Trick(
        "an older test moved and emptied",
        GOOD | {"tests/test_calc.py": None, "tests/test_more.py": "def test_add():\n    pass\n"},
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test emptied under cover of a new name of its code",
        {
            "calc.py": "def plus(a, b):\n    return a - b\n\n\ndef double(a):\n    return 2 * a\n",
            "tests/test_calc.py": "from calc import plus\n\n\ndef test_add():\n    plus\n",
        }
        | DOUBLE_TEST,
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test's helper emptied",
        DOUBLE_TEST | BROKEN | {"tests/helpers.py": "def check(found, expected):\n    pass\n"},
        start=HELPED,
        code="weakened",
        says="test_add",
    ),
    *(
        Trick(
            f"an older test's expectation in {path} made to fit broken code too",
            DOUBLE_TEST | BROKEN | {path: "3 -1\n"},
            start={
                path: "3\n",
                "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n"
                f"    assert str(add(1, 2)) in open('{path}').read().split()\n",
            },
            code="weakened",
            says="test_add",
        )
        for path in ("tests/total.txt", "tests/testdata/total.txt", "tests/cases/test/total.txt")
    ),
    Trick(
        "an older test's fixture rigged",
        DOUBLE_TEST | BROKEN | conftest("import pytest\n\n\n@pytest.fixture\ndef total():\n    return 3\n"),
        start=FIXTURE,
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test patched to pass",
        DOUBLE_TEST
        | BROKEN
        | conftest(
            "import calc, pytest\n\n\n@pytest.fixture(autouse=True)\ndef ready(monkeypatch):\n"
            '    monkeypatch.setattr("calc.add", lambda a, b: a + b)\n'
        )
        | {"tests/test_calc.py": "import calc\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n"},
        start={"tests/test_calc.py": "import calc\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n"},
        code="weakened",
        says="test_add",
    ),
    Trick(
        "a strict conftest deleted",
        GOOD | {"tests/conftest.py": None},
        start=conftest(
            """
                import gc, pytest

                @pytest.hookimpl(hookwrapper=True)
                def pytest_runtest_teardown(item):
                    yield
                    assert not gc.garbage
            """
        ),
        code="runner-keys",
        says="pytest_runtest_teardown",
        checks=("runner_guard._python:runner-keys", "test_surroundings.judge_around>_refuse"),
    ),
    Trick(
        "a selecting hook deleted",
        GOOD | {"tests/conftest.py": ""},
        start=conftest("def pytest_itemcollected(item):\n    assert item.name\n"),
        code="runner-keys",
        says="pytest_itemcollected",
    ),
    Trick(
        "the tests put behind a link",
        GOOD | {"tests/test_calc.py": None, "checks/test_calc.py": "def test_add():\n    pass\n"},
        modes={"tests": ("120000", b"checks")},
        tests=("checks/test_calc.py",),
        code="symlink",
        says="tests",
    ),
    Trick(
        "an older test that is a link now",
        GOOD | {"tests/plain.py": "def test_add():\n    pass\n"},
        by_hand="ln -sf plain.py tests/test_calc.py",
        code="symlink",
        says="tests/test_calc.py",
        checks=("runner_guard._link:symlink runner_guard.guard>_link",),
    ),
    Trick(
        "the test of a passing feature loosened",
        {
            "calc.py": DOUBLE["calc.py"].replace("2 * a", "0") + HALF,
            "tests/test_double.py": "import calc\n\ndef test_double():\n    assert calc.add(4, 4) == 8\n",
        }
        | HALF_TEST,
        earlier=GOOD,
        tests=("tests/test_half.py",),
        code="weakened",
        says="before the feature double",
        checks=("changed_tests._red_again>_refuse_loosened changed_tests.judge_changed_tests>_red_again",),
    ),
    Trick(
        "a passing feature broken",
        {"calc.py": DOUBLE["calc.py"].replace("2 * a", "a") + HALF} | HALF_TEST,
        earlier=GOOD,
        tests=("tests/test_half.py",),
        code="regression",
        says="of the features double",
    ),
    Trick(
        "the test of a passing feature deleted",
        {"calc.py": DOUBLE["calc.py"] + HALF, "tests/test_double.py": None} | HALF_TEST,
        earlier=GOOD,
        tests=("tests/test_half.py",),
        code="test-removed",
        says="test_double",
    ),
]
