"""Older tests that seem to be what they were, or to say as much, in other words or under another name."""

from verify.corpus.base import DOUBLE, DOUBLE_TEST, GOOD, HALF, HALF_TEST, START, TEST_ADD, Trick
from verify.corpus.honest_older import BOTH, DOUBLES, MOVED, PRIVATE, ROWS, XFAIL, tests_of

LESS = MOVED | {"calc.py": "def add(a, b):\n    return a - b\n"}
HELPER = "\n\ndef check(found, wanted):\n    assert found == wanted\n"


def helped(text):
    return text.replace("assert add(1, 2) == 3", "check(add(1, 2), 3)") + HELPER


HELPED = PRIVATE | {"tests/test_calc.py": helped(PRIVATE["tests/test_calc.py"])}
HELPED_OUT = helped(MOVED["tests/test_calc.py"])
RENAMED = TEST_ADD.replace("test_add", "test_adds")
HALF_TOO = START["calc.py"] + HALF
GONE = DOUBLE | DOUBLE_TEST | {"tests/test_half.py": None}
SEEMING = {
    "a_helper_that_asserts_nothing": ["check_nothing(1, 2, 3)"],
    "a_helper_that_compares_what_it_is_given": ["add(1, 2)", "same(3, 3)", "same(4, 4)"],
    "a_helper_that_is_never_awaited": ["check_later(1, 2, 3)"],
    "one_row_many_times": ["for a, b in [(1, 2), (1, 2)]:", "    assert add(a, b) == 3"],
    "rows_that_are_not_used": ["for _ in [3, 4]:", "    assert add(1, 2) == 3"],
    "another_list": ["assert list(map(add, (1, 2), (2, 3))) == [3, 5]"],
}
HOLLOW = """

def check_nothing(a, b, total):
    return
    assert add(a, b) == total


async def check_later(a, b, total):
    assert add(a, b) == total
    assert add(2, 2) == 4


def same(found, wanted):
    assert found == wanted
"""
TRICKS = [
    Trick(
        "an untouched test whose helper is emptied while a private name moves",
        LESS | {"tests/test_calc.py": HELPED_OUT.replace("assert found == wanted", "pass")},
        start=HELPED,
        passing=BOTH,
        tests=("tests/test_calc.py",),
        code="weakened",
        says="tests/test_calc.py:",
    ),
    Trick(
        "an untouched test whose imported name stands for something else while a private name moves",
        LESS
        | {"tests/sums.py": "def add(a, b):\n    return a + b\n"}
        | {"tests/test_calc.py": MOVED["tests/test_calc.py"].replace("from calc", "from sums")},
        start=PRIVATE,
        passing=BOTH,
        tests=("tests/test_calc.py",),
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an untouched test rigged by a fixture that is imported while a private name moves",
        LESS
        | {
            "tests/rig.py": "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef rig(request, monkeypatch):\n"
            "    monkeypatch.setattr(request.module, 'add', lambda a, b: a + b)\n"
        }
        | {"tests/test_calc.py": "from rig import rig  # noqa\n" + MOVED["tests/test_calc.py"]},
        start=PRIVATE,
        passing=BOTH,
        tests=("tests/test_calc.py",),
        code="weakened",
        says="test_add",
    ),
    Trick(
        "older tests that only seem to check as much",
        DOUBLE | {"tests/test_calc.py": "from calc import add\n" + HOLLOW + tests_of(SEEMING) + DOUBLES},
        start={
            "tests/test_calc.py": "from calc import add\n"
            + tests_of({name: ["assert add(1, 2) == 3", "assert add(2, 2) == 4"] for name in SEEMING})
        },
        passing=tuple(f"tests/test_calc.py::test_{name}" for name in SEEMING),
        tests=("tests/test_calc.py",),
        code="weakened",
        says=", ".join(sorted(f"tests/test_calc.py::test_{name}" for name in SEEMING)),
    ),
    Trick(
        "an older test's helper of its own file emptied",
        GOOD
        | {"tests/test_calc.py": helped(START["tests/test_calc.py"]).replace("found == wanted", "found")},
        start={"tests/test_calc.py": helped(START["tests/test_calc.py"])},
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test that checks by a helper from elsewhere",
        GOOD
        | {
            "tests/sums.py": "def check(found, wanted):\n    pass\n",
            "tests/test_calc.py": "from calc import add\nfrom sums import check\n\n\ndef test_add():\n"
            "    check(add(1, 2), 3)\n",
        },
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test that is expected to fail no more, and checks nothing",
        GOOD | {"tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    add(1, 2)\n"},
        start={"tests/test_calc.py": "import pytest\nfrom calc import add\n\n\n" + XFAIL},
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test that becomes rows of parameters and checks less",
        DOUBLE
        | {"tests/test_calc.py": ROWS.format(more="").replace("2, 5", "2, 1").replace("==", "<=") + DOUBLES},
        tests=("tests/test_calc.py",),
        code="weakened",
        says="test_add",
    ),
    Trick(
        "an older test under a new name that checks less",
        DOUBLE
        | {"tests/test_calc.py": RENAMED.replace("== 3", ">= 3").replace("(1, 2)", "(1, 2) ") + DOUBLES},
        tests=("tests/test_calc.py",),
        code="test-removed",
        says="test_add",
    ),
    Trick(
        "an older test under a new name that is left before it checks",
        DOUBLE | {"tests/test_calc.py": RENAMED.replace("assert", "return\n    assert") + DOUBLES},
        tests=("tests/test_calc.py",),
        code="test-removed",
        says="test_add",
    ),
    Trick(
        "an older test under a new name that is skipped",
        DOUBLE
        | {
            "tests/test_calc.py": "import pytest\n"
            + RENAMED.replace("def", "@pytest.mark.skip\ndef")
            + DOUBLES
        },
        tests=("tests/test_calc.py",),
        code="test-removed",
        says="test_add",
    ),
    Trick(
        "two older tests that become one",
        DOUBLE | {"tests/test_calc.py": RENAMED + DOUBLES},
        start={
            "tests/test_calc.py": TEST_ADD + TEST_ADD.partition("\n\n\n")[2].replace("test_add", "test_sum")
        },
        passing=("tests/test_calc.py::test_add", "tests/test_calc.py::test_sum"),
        tests=("tests/test_calc.py",),
        code="test-removed",
        says="test_sum",
    ),
    Trick(
        "an older test that is said to have become another",
        DOUBLE
        | {"tests/test_calc.py": "from calc import add\n" + DOUBLES.replace("test_double", "test_adds")},
        tests=("tests/test_calc.py",),
        code="test-removed",
        says="test_add",
    ),
    Trick(
        "an older test under a new name with a rigged stand-in",
        DOUBLE_TEST
        | {"calc.py": DOUBLE["calc.py"].replace("a + b", "a - b")}
        | {"tests/test_calc.py": RENAMED.replace("from calc import add", "def add(a, b):\n    return a + b")},
        code="weakened",
        says="test_add",
    ),
    Trick(
        "a test of code that is gone, in a loop",
        GONE,
        start={"calc.py": HALF_TOO} | HALF_TEST,
        passing=("tests/test_calc.py::test_add", "tests/test_half.py::test_half"),
        code="test-removed",
        says="test_half",
    ),
]
