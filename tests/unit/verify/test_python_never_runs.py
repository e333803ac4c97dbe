# ruff: noqa: E501 - sources of tests, one a line
"""Python tests that never run or never fail, though nothing marks them."""

import time

import pytest

from autonomous_loop.verify.syntax import bodies, weakened

CASE = "from unittest import TestCase\n\nclass TestA({base}):\n    {inside}\n    def test_a(self):\n        self.assertEqual(f(), 3)\n"


def is_weaker(old, new, name="TestA::test_a"):
    return name in weakened("t.py", old.encode(), new.encode())


@pytest.mark.parametrize(
    "inside",
    [
        "def assertEqual(self, a, b): return super().assertEqual(a, a)",
        "def assertEqual(self, first, second): return first == second",
        "def run(self, result=None): pass",
        "def __getattribute__(self, name): return print",
        "def setUp(self): self.assertEqual = print",
        "def setUp(self): setattr(self, 'assertEqual', print)",
        "def setUp(self):\n        if x: raise SkipTest",
        "@pytest.fixture(autouse=True)\n    def ready(self): pytest.skip('x')",
        "def tearDown(self): self._outcome.success = True",
        "failureException = KeyError",
    ],
)
def test_a_class_that_decides_for_itself_excuses_its_tests(inside):
    old = CASE.format(base="TestCase", inside="")
    assert is_weaker(old, CASE.format(base="TestCase", inside=inside))


@pytest.mark.parametrize(
    "inside",
    [
        "def assertDouble(self, a): self.assertEqual(a, 3)",
        "def assertEqual(self, a, b, msg=None): super().assertEqual(a, b, msg)",
        "def setUp(self): self.run = self.debug = 1",
        "def setUp(self): self.addCleanup(f)",
        "maxDiff = None",
    ],
)
def test_what_a_class_may_have_is_no_excuse(inside):
    old = CASE.format(base="TestCase", inside="")
    assert not is_weaker(old, CASE.format(base="TestCase", inside=inside))


@pytest.mark.parametrize(
    ("base", "weaker", "unsure"),
    [
        ("TestCase", True, False),
        ("unittest.case.TestCase", True, False),
        ("Mine", True, False),
        ("IsolatedAsyncioTestCase", False, False),
        ("django.test.TestCase", False, False),
        ("", False, False),
        ("ProjectCase", False, True),
    ],
)
def test_a_coroutine_is_run_by_some_classes_alone(base, weaker, unsure):
    old = "from tests.base import ProjectCase\nimport unittest.case, django.test\nfrom unittest import IsolatedAsyncioTestCase\n"
    old += "class Mine(unittest.TestCase): ...\n" + CASE.format(base=base, inside="")
    new = old.replace("def test", "async def test")
    assert is_weaker(old, new) is weaker
    assert bodies("t.py", new.encode())["TestA::test_a"].unsure is unsure


def test_a_class_whose_base_runs_coroutines_no_more():
    old = "import unittest\n" + CASE.format(base="unittest.IsolatedAsyncioTestCase", inside="")
    old = old.replace("def test", "async def test")
    assert is_weaker(old, old.replace("IsolatedAsyncio", ""))


@pytest.mark.parametrize(
    ("decorator", "weaker"), [("", True), ("@pytest.mark.asyncio\n", True), ("@inlineCallbacks\n", False)]
)
def test_a_generator_is_run_by_some_decorators_alone(decorator, weaker):
    old = f"{decorator}def test_a():\n    assert f() == 3\n"
    assert is_weaker(old, old + "    yield\n", "test_a") is weaker
    assert not is_weaker(old, old + "    def g():\n        yield\n", "test_a")


def test_a_test_that_two_classes_inherit_is_compared_in_each():
    old = "class Base:\n    def test_a(self): assert f() == 3\n\nclass TestA(Base): ...\nclass TestB(TestA): ...\n"
    found = weakened("t.py", old.encode(), old.replace("== 3", "> 3").encode())
    assert found == ["Base::test_a", "TestA::test_a", "TestB::test_a"]


@pytest.mark.parametrize(
    "around",
    [
        "def setUpModule(): pytest.skip('x')\n",
        "@pytest.fixture(autouse=True)\ndef ready(): pytest.skip('x')\n",
        "pytest.raises = print\n",
        "import unittest\nunittest.TestCase.run = print\n",
        "def ready():\n    import unittest as u\n    u.TestCase.assertEqual = print\n",
    ],
)
def test_what_a_file_changes_for_all_its_tests_excuses_each(around):
    old = "import pytest\n" + CASE.format(base="TestCase", inside="")
    assert is_weaker(old, old + around)


def test_mocks_of_other_things_excuse_nothing():
    old = "import app\nfrom unittest import mock\n" + CASE.format(base="TestCase", inside="")
    assert not is_weaker(old, old + "app.run = mock.Mock()\nmock.sentinel.x = 1\n")


def test_a_long_file_is_read_in_time_that_grows_with_its_length():
    one = (
        "class TestA{0}(Base):\n    def test_a(self):\n        x = f({0})\n        assert x == [1, 2, {0}]\n"
    )
    text = "class Base(TestCase):\n    def test_b(self): assert f() == 3\n" + "".join(
        map(one.format, range(2_000))
    )
    began = time.process_time()
    assert len(bodies("t.py", text.encode())) == 4_001
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "source", [b"x = " + b"not " * 30_000 + b"1", b"def test_a(): f" + b"(f" * 90 + b")" * 90]
)
def test_what_is_nested_deeply_breaks_nothing(source):
    bodies("t.py", source)
