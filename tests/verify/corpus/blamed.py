"""Tests that failed before and are no excuse: touched, new, named by their ids, or all there is."""

from verify.corpus.base import DOUBLE, GOOD, START, Trick
from verify.corpus.honest_older import ABSENT, BY_TURNS, DOUBLES, FAILING, FAILS, TOOL

LATER = "\n\ndef test_later():\n    import pytest, ready\n    if not ready.READY:\n        pytest.skip('later')\n    assert 0\n"

TRICKS = [
    Trick(
        "a new test that fails beside an older one that always did",
        DOUBLE | {"tests/test_calc.py": TOOL + DOUBLES + "\n\ndef test_more():\n    assert add(1, 1) == 3\n"},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        code="not-green",
        says="test_more",
    ),
    Trick(
        "a failing test that is changed and still fails",
        DOUBLE | {"tests/test_calc.py": TOOL.replace('"no-such-tool-here"', '"no-such-tool", "x"') + DOUBLES},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        code="not-green",
        says=FAILS,
        checks=("comparison.judge_green:not-green",),
    ),
    Trick(
        "a failing test under a new name",
        DOUBLE | {"tests/test_calc.py": TOOL.replace("test_needs_a_tool", "test_needs") + DOUBLES},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        code="not-green",
        says="test_needs",
    ),
    Trick(
        "a failing test that is submitted by its id",
        DOUBLE | {"tests/test_calc.py": TOOL + DOUBLES},
        start=FAILING,
        tests=("tests/test_calc.py", FAILS),
        baseline=True,
        code="not-green",
        says=FAILS,
    ),
    Trick(
        "nothing but a test that always failed",
        DOUBLE | {"tests/test_calc.py": TOOL + "# more\n"},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        code="no-red",
        checks=("proving.run>refuse_unless_confirmed",),
    ),
    Trick(
        "an empty test of a new name beside one that always failed",
        DOUBLE
        | {"tests/test_calc.py": TOOL + "\n\ndef test_double():\n    import calc\n\n    calc.double(4)\n"},
        start=FAILING,
        tests=("tests/test_calc.py",),
        baseline=True,
        code="asserts-nothing",
        says="test_double",
    ),
    Trick(
        "a test that was skipped before and fails now",
        DOUBLE
        | {"tests/test_calc.py": START["tests/test_calc.py"] + LATER + DOUBLES}
        | {"ready.py": "READY = True\n"},
        start={"tests/test_calc.py": START["tests/test_calc.py"] + LATER, "ready.py": "READY = False\n"},
        tests=("tests/test_calc.py",),
        baseline=True,
        code="not-green",
        says="test_later",
    ),
    Trick(
        "a new test in a file that cannot be collected before and after",
        GOOD | {"tests/test_other.py": ABSENT + "\n\ndef test_new():\n    assert False\n"},
        start={"tests/test_other.py": ABSENT},
        tests=("tests/test_double.py", "tests/test_other.py"),
        baseline=True,
        code="environment",
        says="no_such_package_here",
    ),
    Trick(
        "nothing but a flaky test that nobody touched",
        DOUBLE | {"tests/test_calc.py": BY_TURNS + "# more\n"},
        start={"tests/test_calc.py": BY_TURNS},
        tests=("tests/test_calc.py",),
        baseline=True,
        by_hand='rm -f "$TMPDIR/turn-of-an-older-test"',
        code="no-red",
    ),
]
