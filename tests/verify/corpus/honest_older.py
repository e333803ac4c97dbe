"""Honest work beside older tests: what failed before, what is renamed, what goes with its code."""

from verify.corpus.base import DOUBLE, HALF, HALF_TEST, START, Honest

DOUBLES = "\n\ndef test_double():\n    import calc\n\n    assert hasattr(calc, 'double')\n    assert calc.double(4) == 8\n"
TOOL = 'import subprocess\nfrom calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_needs_a_tool():\n    assert subprocess.run(["no-such-tool-here"]).returncode == 0\n'
FAILING = {"tests/test_calc.py": TOOL}
FAILS = "tests/test_calc.py::test_needs_a_tool"
ROWS = "import pytest\nfrom calc import add\n\n\n@pytest.mark.parametrize('b', [2, 5{more}])\ndef test_add(b):\n    assert add(1, b) == 3\n"
ABSENT = "import no_such_package_here\n\n\ndef test_other():\n    assert no_such_package_here\n"
# Passes on every other run, told by a file outside the project.
BY_TURNS = """
import os, pathlib
from calc import add


def test_add():
    assert add(1, 2) == 3


def test_by_turns():
    seen = pathlib.Path(os.environ["TMPDIR"]) / "turn-of-an-older-test"
    count = int(seen.read_text()) if seen.exists() else 0
    seen.write_text(str(count + 1))
    assert count % 2
"""

FAILED_BEFORE = [
    Honest(
        "an older test in the same file that always fails",
        DOUBLE | {"tests/test_calc.py": TOOL + DOUBLES},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        notices=(FAILS,),
    ),
    Honest(
        "an older test that always fails in a file that is submitted by its folder",
        DOUBLE | {"tests/test_double.py": DOUBLES.lstrip()},
        start={"tests/test_tool.py": TOOL.partition("def test_add")[0] + TOOL.partition("3\n\n\n")[2]},
        tests=("tests",),
        baseline=True,
        notices=("tests/test_tool.py::test_needs_a_tool",),
    ),
    Honest(
        "an older file that cannot be collected in a folder that is submitted",
        DOUBLE | {"tests/test_double.py": DOUBLES.lstrip()},
        start={"tests/test_other.py": ABSENT},
        tests=("tests",),
        baseline=True,
        notices=("tests/test_other.py",),
    ),
    Honest(
        "a file that differs and cannot be collected before and after",
        DOUBLE | {"tests/test_double.py": DOUBLES.lstrip(), "tests/test_other.py": f"# Of old.\n{ABSENT}"},
        start={"tests/test_other.py": ABSENT},
        tests=("tests/test_double.py", "tests/test_other.py"),
        baseline=True,
        notices=("tests/test_other.py",),
    ),
    Honest(
        "an older row of parameters that always fails beside a new one",
        DOUBLE | {"tests/test_calc.py": ROWS.format(more=", 2") + DOUBLES},
        start={"tests/test_calc.py": ROWS.format(more="")},
        tests=("tests/test_calc.py",),
        baseline=True,
        notices=("tests/test_calc.py::test_add[5]",),
    ),
    Honest(
        "an older test in the same file that is flaky",
        DOUBLE | {"tests/test_calc.py": BY_TURNS + DOUBLES},
        start={"tests/test_calc.py": BY_TURNS},
        tests=("tests/test_calc.py",),
        baseline=True,
        by_hand='rm -f "$TMPDIR/turn-of-an-older-test"',
        marks=("flaky",),
    ),
    Honest(
        "an older test that always failed and is gone",
        DOUBLE | {"tests/test_calc.py": START["tests/test_calc.py"] + DOUBLES},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
    ),
    Honest(
        "a mend that turns an older test green which nobody touched",
        {"calc.py": START["calc.py"] + HALF},
        start=HALF_TEST
        | {"calc.py": START["calc.py"] + HALF.replace("a / 2", "a"), "tests/test_tool.py": TOOL},
        tests=("tests",),
        baseline=True,
        notices=("tests/test_tool.py::test_needs_a_tool",),
    ),
    Honest(
        "a refactor beside an older test that always fails",
        {"calc.py": "from sums import add  # noqa\n", "sums.py": START["calc.py"]},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        options={"kind": "refactor"},
        marks=("no red",),
        notices=(FAILS,),
    ),
    Honest(
        "an older test that always fails, in the clean room too",
        DOUBLE | {"tests/test_calc.py": TOOL + DOUBLES},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        clean_room=True,
        notices=(FAILS,),
    ),
]

PRIVATE = {
    "calc.py": START["calc.py"] + '\n\ndef _key():\n    return "k"\n',
    "tests/test_calc.py": "from calc import _key, add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    'def test_key():\n    assert _key() == "k"\n',
}
MOVED = {
    "calc.py": START["calc.py"],
    "keys.py": 'def key():\n    return "k"\n',
    "tests/test_calc.py": START["tests/test_calc.py"]
    + '\n\ndef test_key():\n    import keys\n\n    assert keys.key() == "k"\n',
}
BOTH = ("tests/test_calc.py::test_add", "tests/test_calc.py::test_key")
IN_A_CLASS = """
from calc import {names}


class TestCalc:
    total = 3

    def test_add(self):
        assert self.sum(1, 2) == self.total

    def sum(self, a, b):
        return add(a, b)

    def test_key(self):
        {imports}
        assert {key}() == "k"
"""

IMPORTS_GONE = [
    Honest(
        "a private name that moved so that the old test file cannot be imported",
        MOVED,
        start=PRIVATE,
        passing=BOTH,
        tests=("tests/test_calc.py",),
        marks=("weak red",),
    ),
    Honest(
        "a private name that moved beside an untouched test of a class",
        MOVED | {"tests/test_calc.py": IN_A_CLASS.format(names="add", imports="import keys", key="keys.key")},
        start=PRIVATE
        | {"tests/test_calc.py": IN_A_CLASS.format(names="_key, add", imports="pass", key="_key")},
        passing=("tests/test_calc.py::TestCalc::test_add", "tests/test_calc.py::TestCalc::test_key"),
        tests=("tests/test_calc.py",),
        marks=("weak red",),
    ),
    Honest(
        "a private name that got another name while a module is imported besides",
        MOVED
        | {
            "calc.py": PRIVATE["calc.py"].replace("_key", "key"),
            "tests/test_calc.py": MOVED["tests/test_calc.py"]
            .replace("from calc", "import json\n\nfrom calc")
            .replace("import keys", "import calc as keys")
            .replace("assert keys.key()", "assert json.loads('1')\n    assert keys.key()"),
        },
        start=PRIVATE,
        passing=BOTH,
        tests=("tests/test_calc.py",),
        marks=("weak red",),
    ),
]

REWRITTEN = {
    "into_a_helper": ["check_sum(1, 2, 3)"],
    "into_a_helper_of_any_name": ["same(add(1, 2), 3)"],
    "into_a_loop": ["for a, b, total in [(1, 2, 3), (2, 2, 4)]:", "    assert add(a, b) == total"],
    "into_a_list": ["assert [add(1, 2), add(2, 2)] == [3, 4]"],
    "into_a_dict": ["assert {one: add(one, 2) for one in (1, 2, 3)} == {1: 3, 2: 4, 3: 5}"],
}
HELPERS = "\n\ndef check_sum(a, b, total):\n    same(add(a, b), total)\n    assert add(2, 2) == 4\n"
HELPERS += "\n\ndef same(found, wanted):\n    assert found == wanted\n"
XFAIL = "@pytest.mark.xfail(reason='not yet')\ndef test_add():\n    assert add(1, 2) is 3\n    assert add(0, 0) is 0\n"


def tests_of(bodies):
    """A test for each, by its name."""
    return "".join(
        f"\n\ndef test_{name}():\n" + "".join(f"    {line}\n" for line in lines)
        for name, lines in bodies.items()
    )


IN_OTHER_WORDS = [
    Honest(
        "older tests whose checks are written in another way",
        DOUBLE | {"tests/test_calc.py": "from calc import add\n" + HELPERS + tests_of(REWRITTEN) + DOUBLES},
        start={
            "tests/test_calc.py": "from calc import add\n"
            + tests_of(
                {
                    name: [
                        "assert add(1, 2) == 3",
                        *(["assert add(2, 2) == 4"] if name[-4:] != "name" else []),
                    ]
                    for name in REWRITTEN
                }
            )
        },
        passing=tuple(f"tests/test_calc.py::test_{name}" for name in REWRITTEN),
        tests=("tests/test_calc.py",),
    ),
    Honest(
        "an older test that is expected to fail no more, and checks by a helper from elsewhere",
        DOUBLE
        | {
            "tests/sums.py": "def check(found, wanted):\n    assert found == wanted\n",
            "tests/test_calc.py": "from calc import add\nfrom sums import check\n\n\ndef test_add():\n"
            "    check(add(1, 2), 3)\n" + DOUBLES,
        },
        start={"tests/test_calc.py": "import pytest\nfrom calc import add\n\n\n" + XFAIL},
        tests=("tests/test_calc.py",),
    ),
    Honest(
        "an older test that becomes rows of parameters",
        DOUBLE | {"tests/test_calc.py": ROWS.format(more="").replace("2, 5", "2, 2 + 0") + DOUBLES},
        tests=("tests/test_calc.py",),
    ),
]

ADDS = "\n\ndef test_adds():\n    'It adds.'\n    assert add(1, 2) == 3\n    assert add(0, 0) == 0\n"
SUMS = "import pytest\nfrom calc import add\n\n\n@pytest.mark.parametrize('b', [{rows}])\ndef test_{name}(b):\n    assert add(3 - b, b) == 3\n"
UNDER_A_NEW_NAME = [
    Honest(
        "an older test under a new name that checks more",
        DOUBLE | {"tests/test_calc.py": "from calc import add\n" + ADDS + DOUBLES},
        tests=("tests/test_calc.py",),
    ),
    Honest(
        "an older test under a new name in a new class of another file",
        DOUBLE
        | {
            "tests/test_calc.py": None,
            "tests/test_sums.py": "from calc import add\n\n\nclass TestAdd:\n    def test_small_numbers(self):\n"
            "        assert add(1, 2) == 3\n" + DOUBLES,
        },
        tests=("tests/test_sums.py",),
    ),
    Honest(
        "an older test with parameters under a new name",
        DOUBLE | {"tests/test_calc.py": SUMS.format(name="adds", rows="1, 2, 3") + DOUBLES},
        start={"tests/test_calc.py": SUMS.format(name="add", rows="1, 2")},
        passing=("tests/test_calc.py::test_add[1]", "tests/test_calc.py::test_add[2]"),
        tests=("tests/test_calc.py",),
    ),
    Honest(
        "an older test under a new name, in the clean room too",
        DOUBLE | {"tests/test_calc.py": "from calc import add\n" + ADDS + DOUBLES},
        tests=("tests/test_calc.py",),
        baseline=True,
        clean_room=True,
    ),
    Honest(
        "an older test under a new name, in the clean room after a suite that ran long ago",
        DOUBLE | {"tests/test_calc.py": "from calc import add\n" + ADDS + DOUBLES},
        tests=("tests/test_calc.py",),
        config={"regression": "end"},
        baseline=True,
        clean_room=True,
    ),
    Honest(
        "the test of a passing feature under a new name, in another file",
        {
            "calc.py": DOUBLE["calc.py"] + HALF,
            "tests/test_double.py": None,
            "tests/test_twice.py": DOUBLES.replace("test_double", "test_twice").lstrip(),
        }
        | HALF_TEST,
        earlier=DOUBLE | {"tests/test_double.py": DOUBLES.lstrip()},
        tests=("tests/test_half.py",),
        marks=("weak red",),
    ),
]

HONEST = [*UNDER_A_NEW_NAME, *IN_OTHER_WORDS, *IMPORTS_GONE, *FAILED_BEFORE]
