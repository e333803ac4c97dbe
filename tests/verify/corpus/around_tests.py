"""What older tests rest on, loosened: helpers, fixtures, makers of tests; and honest changes of the same."""

from verify.corpus.base import DOUBLE, GOOD, TEST_ADD, Honest, Trick
from verify.corpus.unreadable import NUMBER

FILE = "tests/test_calc.py"
HELPED = """from calc import add


def check(found, expected):
    assert found == expected


def test_add():
    check(add(1, 2), 3)
"""
FIXTURE = """import pytest

from calc import add


@pytest.fixture
def three():
    assert add(1, 2) == 3
    return 3


def test_add(three):
    assert three
"""
MADE = """from calc import add


def adding(a, b, total):
    def test():
        assert add(a, b) == total

    return test


test_add = adding(1, 2, 3)
"""
EXPANDED = """import pytest

from calc import add


class Sums:
    def test_add(self):
        assert add(1, 2) == 3


for name in ("TestOne", "TestTwo"):
    globals()[name] = type(name, (Sums,), {})
"""
BESIDE = {
    "tests/helpers.py": "def check(found, expected):\n    assert found == expected\n",
    FILE: "from calc import add\nfrom helpers import check\n\n\ndef test_add():\n    check(add(1, 2), 3)\n",
}
LAYER = (
    "test_surroundings.judge_around>_refuse changed_tests.judge_changed_tests>judge_around#2"
    " test_surroundings._refuse:weakened"
)


def loosened(name, old, said, instead, *, passing="test_add", **more):
    return Trick(
        f"an older test's {name} loosened while the code is right",
        GOOD | {FILE: old.replace(said, instead)},
        start={FILE: old},
        passing=(f"{FILE}::{passing}",),
        code="weakened",
        says=f"{FILE}:",
        **more,
    )


TRICKS = [
    loosened("helper", HELPED, "found == expected", "found"),
    loosened("fixture", FIXTURE, "== 3", "> 0", checks=(LAYER,)),
    Trick(
        "an older test's fixture loosened while the test gets another name",
        GOOD | {FILE: FIXTURE.replace("== 3", "> 0").replace("test_add", "test_adds")},
        start={FILE: FIXTURE},
        code="weakened",
        says=f"{FILE}:",
    ),
    Trick(
        "an older test's fixture loosened while both move to another file",
        GOOD | {FILE: None, "tests/test_sums.py": FIXTURE.replace("== 3", "> 0")},
        start={FILE: FIXTURE},
        code="weakened",
        says=f"{FILE}:",
    ),
    loosened("maker", MADE, "== total", "is not None"),
    loosened(
        "class that others are made of",
        EXPANDED,
        "== 3",
        "> 0",
        passing="TestOne::test_add",
        checks=("test_surroundings.judge_around>_refuse#2",),
    ),
    Trick(
        "an older test's helper in another file emptied while the code is right",
        GOOD | {"tests/helpers.py": "def check(found, expected):\n    pass\n"},
        start=BESIDE,
        code="weakened",
        says="tests/helpers.py:",
    ),
]

UNKNOWN = "from calc import add\nfrom cases import Case\n\n\nclass TestAdd(Case):\n    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"
CASES = {"tests/cases.py": "import unittest\n\n\nclass Case(unittest.IsolatedAsyncioTestCase): ...\n"}


def honest(name, old, new, *, marks=(), passing="test_add", beside=None):
    return Honest(
        name,
        GOOD | {FILE: new},
        start={FILE: old, **(beside or {})},
        passing=(f"{FILE}::{passing}",),
        marks=marks,
    )


HONEST = [
    honest(
        "a helper that checks more",
        HELPED,
        HELPED.replace("== expected", "== expected\n    assert found"),
    ),
    honest(
        "a helper put into the test that used it",
        HELPED,
        TEST_ADD,
        marks=("not read",),
    ),
    honest(
        "a helper that nobody used, deleted", HELPED + "\n\ndef other():\n    assert add(0, 0) == 0\n", HELPED
    ),
    honest(
        "one more test made by a maker", MADE, MADE + "test_zero = adding(0, 0, 0)\n", marks=("not read",)
    ),
    honest("a new test beside made ones", MADE, MADE + "\n\ndef test_zero():\n    assert add(0, 0) == 0\n"),
    honest(
        "an older test made asynchronous in a class of the project's own",
        UNKNOWN,
        UNKNOWN.replace("def test", "async def test"),
        marks=("not read",),
        passing="TestAdd::test_add",
        beside=CASES,
    ),
    *(
        Honest(
            f"a helper beside the tests that was {name}, and can be read now",
            GOOD | {"tests/helpers.py": BESIDE["tests/helpers.py"]},
            start={"tests/helpers.py": source},
            marks=("not read",),
        )
        for name, source in (("more than its reader bears", NUMBER), ("no Python", "def check(:\n"))
    ),
    Honest(
        "a helper beside the tests that was empty",
        GOOD | {"tests/helpers.py": BESIDE["tests/helpers.py"]},
        start={"tests/helpers.py": ""},
    ),
    Honest(
        "a helper that moves to another file for tests",
        DOUBLE
        | {
            "tests/helpers.py": None,
            "tests/support.py": BESIDE["tests/helpers.py"],
            FILE: BESIDE[FILE].replace("helpers", "support")
            + "\n\ndef test_double():\n    import calc\n\n    check(calc.double(4), 8)\n",
        },
        start=BESIDE,
        tests=(FILE,),
        marks=("weak red", "not read"),
    ),
    Honest(
        "an older test and its fixture that move to another file",
        GOOD | {FILE: None, "tests/test_sums.py": FIXTURE},
        start={FILE: FIXTURE},
        marks=("not read",),
    ),
]
