"""Older tests that can never run or fail any more, and honest changes that only look like it.

Each way is one test, or one class, of a single file, so that one run shows all of them: a way that is not
found is missing in what the refusal says.
"""

from verify.corpus.base import DOUBLE, GOOD, Honest, Trick

FILE = "tests/test_calc.py"
EQUAL = "self.assertEqual(add(1, 2), 3)"
PLAIN = f"def test_add(self):\n        {EQUAL}\n"
# What is written in place of `PLAIN` into a class of unittest.
CLASSES = {
    "Generator": f"{PLAIN}        yield\n",
    "YieldInside": f"def test_add(self):\n        for _ in (1,):\n            yield {EQUAL}\n",
    "Coroutine": f"async {PLAIN}",
    "AsyncGenerator": f"async {PLAIN}        yield\n",
    "Overridden": f"def assertEqual(self, first, second, msg=None): ...\n\n    {PLAIN}",
    "OverriddenByName": f"assertEqual = print\n\n    {PLAIN}",
    "OverriddenOnItself": f"def test_add(self):\n        self.assertEqual = print\n        {EQUAL}\n",
    "OverriddenInSetUp": f"def setUp(self):\n        self.assertEqual = print\n\n    {PLAIN}",
    "OtherFailure": f"failureException = pytest.skip.Exception\n\n    {PLAIN}",
    "OtherRun": f"def _callTestMethod(self, method): ...\n\n    {PLAIN}",
    "SetUpSkips": f"def setUp(self):\n        if add(1, 2) == 4:\n            self.skipTest('x')\n\n    {PLAIN}",
    "ForgetsItsOutcome": f"def setUp(self):\n        self.addCleanup(lambda: self._outcome)\n\n    {PLAIN}",
}
BASED = f"\n\nclass Base(unittest.TestCase):\n    OVERRIDE\n\n\nclass TestBased(Base):\n    {PLAIN}"
REPLACED = f"\n\nclass TestReplaced(unittest.TestCase):\n    {PLAIN}\n\nOVERRIDE\n"
SURE = "assert add(1, 2) == 3"
FUNCTIONS = {
    "zero": ["if 0:", f"    {SURE}"],
    "empty_text": ["if '':", f"    {SURE}"],
    "none": ["if None:", f"    {SURE}"],
    "not_true": ["if not True:", f"    {SURE}"],
    "type_checking": ["if TYPE_CHECKING:", f"    {SURE}"],
    "and_false": ["if add(1, 2) and False:", f"    {SURE}"],
    "other_constants": ["if 1 == 2:", f"    {SURE}"],
    "left_in_finally": ["for _ in (1,):", "    try:", f"        {SURE}", "    finally:", "        break"],
    "returned_in_finally": ["try:", f"    {SURE}", "finally:", "    return"],
    "kept_for_later": ["later = lambda: check(add(1, 2), 3)"],
    "called_by_itself_alone": ["def later():", f"    {SURE}", "    later()"],
    "never_iterated": ["later = (check(add(1, 2), 3) for _ in (1,))"],
    "over_nothing": ["[check(add(1, 2), 3) for _ in ()]"],
    "in_short": ["False and check(add(1, 2), 3)"],
    "calm": ["with calm():", f"    {SURE}"],
    "skips_by_a_helper": ["later()", SURE],
}
IMPORTS = """import contextlib
import unittest
from typing import TYPE_CHECKING

import pytest

from calc import add


def check(found, expected):
    assert found == expected


def later():
    if add(1, 2) == 4:
        pytest.skip("later")


@contextlib.contextmanager
def calm():
    try:
        yield
    except AssertionError:
        pass
"""


def in_classes(bodies):
    return IMPORTS + "".join(
        f"\n\nclass Test{name}(unittest.TestCase):\n    {body}" for name, body in bodies.items()
    )


def in_functions(bodies):
    return IMPORTS + "".join(
        f"\n\ndef test_{name}():\n" + "".join(f"    {line}\n" for line in lines)
        for name, lines in bodies.items()
    )


OVERRIDDEN = {
    "assertEqual = print": BASED,
    "TestReplaced.assertEqual = print": REPLACED,
    "setattr(unittest.TestCase, 'assertEqual', print)": REPLACED,
    "unittest.TestCase.failureException = KeyError": REPLACED,
}


def overridden(how, where):
    """A trick of its own: it concerns all classes of a file."""
    name = "TestBased" if where is BASED else "TestReplaced"
    return Trick(
        f"an older test whose assertions are replaced by {how}",
        GOOD | {FILE: IMPORTS + where.replace("OVERRIDE", how)},
        start={FILE: IMPORTS + where.replace("OVERRIDE", "...")},
        passing=(f"{FILE}::{name}::test_add",),
        code="weakened",
        says=f"{FILE}::{name}::test_add",
    )


TRICKS = [
    Trick(
        "older tests of unittest that never run or never fail, each in a way of its own",
        GOOD | {FILE: in_classes(CLASSES)},
        start={FILE: in_classes(dict.fromkeys(CLASSES, PLAIN))},
        passing=tuple(f"{FILE}::Test{name}::test_add" for name in CLASSES),
        code="weakened",
        says=", ".join(sorted(f"{FILE}::Test{name}::test_add" for name in CLASSES)),
    ),
    Trick(
        "older tests that never come to their checks, each in a way of its own",
        GOOD | {FILE: in_functions(FUNCTIONS)},
        start={FILE: in_functions({name: [SURE] for name in FUNCTIONS})},
        passing=tuple(f"{FILE}::test_{name}" for name in FUNCTIONS),
        code="weakened",
        says=", ".join(sorted(f"{FILE}::test_{name}" for name in FUNCTIONS)),
    ),
    *(overridden(how, where) for how, where in OVERRIDDEN.items()),
]

MORE = "\n\nclass TestDouble(unittest.TestCase):\n    def test_double(self):\n        self.assertEqual(calc.double(4), 8)\n"
OLD = f"import unittest\n\nimport calc\nfrom calc import add\n\n\nclass TestAdd(unittest.TestCase):\n    {PLAIN}"


def honest(name, new, old=OLD):
    """The feature's test stands in the file whose older test is changed."""
    return Honest(
        name,
        DOUBLE | {FILE: new + MORE},
        start={FILE: old},
        passing=(f"{FILE}::TestAdd::test_add",),
        tests=(FILE,),
        marks=("weak red",),
    )


HONEST = [
    honest(
        "an older test made asynchronous where its class runs such",
        OLD.replace("unittest.TestCase", "unittest.IsolatedAsyncioTestCase").replace("def", "async def"),
    ),
    honest(
        "an assertion of the project's own in a class of unittest",
        OLD.replace(
            "    def test",
            "    def assertThree(self, found):\n        self.assertEqual(found, 3)\n\n    def test",
        ).replace(EQUAL, f"self.assertThree(add(2, 1))\n        {EQUAL}"),
    ),
    honest(
        "an assertion of unittest that says more when it fails",
        OLD.replace(
            "    def test",
            "    def assertEqual(self, first, second, msg=None):\n"
            "        super().assertEqual(first, second, msg or 'not the same')\n\n    def test",
        ),
    ),
    honest(
        "a generator and a clean-up within an older test",
        OLD.replace(
            EQUAL,
            "def ones():\n            yield 1\n\n        self.addCleanup(print)\n"
            f"        self.assertEqual(list(ones()), [1])\n        {EQUAL}",
        ),
    ),
]
