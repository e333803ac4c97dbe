# ruff: noqa: E501 - sources of tests, one a line
import pytest

from autonomous_loop.verify.syntax import asserts_nothing, weakened

OLD = "def test_a():\n    assert double(1) == 2\n    assert double(2) == 4\n"
ONE = "def test_a():\n    assert double(2) == 4\n"
METHOD = "class TestA:\n    def test_a(self):\n        assert double(2) == 4\n"
XFAIL = "@pytest.mark.xfail(reason='later')\ndef test_a():\n    assert f() is None\n    assert g() is None\n"


def is_weaker(old, new, path="tests/test_a.py"):
    return bool(weakened(path, old.encode(), new.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            ONE,
            "def check_double(x, y):\n    assert double(x) == y\n\ndef test_a():\n    check_double(2, 4)\n",
        ),
        (ONE, "def same(x, y):\n    assert x == y\n\ndef test_a():\n    same(double(2), 4)\n"),
        (ONE, "def same(x, y=4):\n    assert x == y\n\ndef test_a():\n    same(x=double(2))\n"),
        (ONE, "def same(x, y):\n    x = double(x)\n    assert x == y\n\ndef test_a():\n    same(2, 4)\n"),
        (
            ONE,
            "def same(x, y):\n    twice(x, y)\n\ndef twice(x, y):\n    assert double(x) == y\n\ndef test_a():\n    same(2, 4)\n",
        ),
        (
            METHOD,
            METHOD.replace(
                "assert double(2) == 4",
                "self.same(2, 4)\n    def same(self, x, y):\n        assert double(x) == y",
            ),
        ),
        (
            METHOD,
            METHOD.replace(
                "assert double(2) == 4",
                "self.same(2, 4)\n    @staticmethod\n    def same(x, y):\n        assert double(x) == y",
            ),
        ),
        (
            ONE,
            "async def same(x, y):\n    assert double(x) == y\n\nasync def test_a():\n    await same(2, 4)\n",
        ),
        (OLD, "def test_a():\n    for x, y in [(1, 2), (2, 4), (3, 6)]:\n        assert double(x) == y\n"),
        (
            OLD,
            "TABLE = {1: 2, 2: 4}\ndef test_a():\n    for x, y in TABLE.items():\n        assert double(x) == y\n",
        ),
        (
            OLD,
            "def test_a():\n    rows = [(1, 2), (2, 4)]\n    for x, y in rows:\n        same(x, y)\n\ndef same(x, y):\n    assert double(x) == y\n",
        ),
        (
            OLD,
            "@pytest.mark.parametrize(('x', 'y'), [(1, 2), pytest.param(2, 4)])\ndef test_a(x, y):\n    assert double(x) == y\n",
        ),
        (OLD, "def test_a():\n    assert [double(1), double(2)] == [2, 4]\n"),
        (OLD, "def test_a():\n    assert table() == {1: 2, 2: 4, 3: 6}\n"),
        (OLD, "def test_a():\n    self.assertEqual(table(), [2, 4])\n"),
        (ONE, "@respx.mock\n" + ONE),
        (ONE, "@requests_mock.Mocker()\n" + ONE),
        (XFAIL, "def test_a():\n    assert_close(f(), g())\n"),
        (XFAIL.replace("(reason='later')", ""), "def test_a():\n    assert f() is not None\n"),
    ],
)
def test_what_says_as_much_in_another_way_is_not_weaker(old, new):
    assert not is_weaker(old, new)


SAME = "\n\ndef same(x, y):\n    assert x == y\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ONE, "def check_double(x, y):\n    pass\n\ndef test_a():\n    check_double(2, 4)\n"),
        (
            ONE,
            "def check_double(x, y):\n    return\n    assert double(x) == y\n\ndef test_a():\n    check_double(2, 4)\n",
        ),
        (
            ONE,
            "def check_double(x, y):\n    yield\n    assert double(x) == y\n\ndef test_a():\n    check_double(2, 4)\n",
        ),
        (
            ONE,
            "@calm\ndef check_double(x, y):\n    assert double(x) == y\n\ndef test_a():\n    check_double(2, 4)\n",
        ),
        (ONE, "from other import check_double\n\ndef test_a():\n    check_double(2, 4)\n"),
        (
            ONE,
            "def check_double(x, y):\n    assert double(x) == y\nfrom other import check_double\n\ndef test_a():\n    check_double(2, 4)\n",
        ),
        (
            ONE,
            "def check_double(x, y):\n    assert double(x) == y\n\ndef test_a(check_double):\n    check_double(2, 4)\n",
        ),
        (
            ONE,
            "async def check_double(x, y):\n    assert double(x) == y\n\nasync def test_a():\n    check_double(2, 4)\n",
        ),
        (ONE, "def test_a():\n    double(2)\n    same(4, 4)\n" + SAME),
        (ONE, "def test_a():\n    same(double(2), double(2))\n" + SAME),
        (ONE, "def test_a():\n    same(4)\n\ndef same(x, y=4):\n    assert x == y\n"),
        (ONE, "def test_a():\n    if double(2) == 4:\n        same(double(2), 4)\n" + SAME),
        (
            ONE,
            "def test_a():\n    try:\n        same(double(2), 4)\n    except AssertionError:\n        pass\n"
            + SAME,
        ),
        (OLD, "def test_a():\n    same(double(1), 2)\n" + SAME),
        (
            "def test_a():\n    same(double(1), 2)\n" + SAME,
            "def test_a():\n    same(double(1), 2)\n" + SAME.replace("x == y", "x"),
        ),
        (
            METHOD,
            METHOD.replace(
                "assert double(2) == 4",
                "self.same(2, 4)\n\nclass TestB:\n    def same(self, x, y):\n        assert double(x) == y",
            ),
        ),
        (OLD, "def test_a():\n    for x, y in [(1, 2), (1, 2)]:\n        assert double(x) == y\n"),
        (OLD, "def test_a():\n    for x, y in [(1, 2), (0, 0)]:\n        assert double(x) == y\n"),
        (OLD, "def test_a():\n    for x, y in [(1, 2), (2, 4)]:\n        assert double(1) == 2\n"),
        (OLD, "def test_a():\n    for x, y in [(1, 2), (2, 4)]:\n        assert double(x) <= y\n"),
        (OLD, "def test_a():\n    for x, y in ROWS:\n        assert double(x) == y\n"),
        (
            OLD,
            "ROWS = [(1, 2), (2, 4)]\nROWS = []\ndef test_a():\n    for x, y in ROWS:\n        assert double(x) == y\n",
        ),
        (OLD, "def test_a():\n    assert table() == {1: 2, 2: 5}\n"),
        (OLD, "def test_a():\n    assert {1: 2, 2: 4} == {1: 2, 2: 4}\n"),
        (OLD, "def test_a():\n    assert table() != {1: 2, 2: 4}\n"),
        (ONE, "@other.mock\n" + ONE),
        (XFAIL, "def test_a():\n    f()\n    assert True\n"),
        (XFAIL.replace("reason='later'", "WINDOWS"), "def test_a():\n    assert_close(f(), g())\n"),
        (XFAIL.replace("reason='later'", "raises=KeyError"), "def test_a():\n    assert_close(f(), g())\n"),
        (XFAIL.replace("xfail", "skipif"), "def test_a():\n    assert_close(f(), g())\n"),
        (ONE, XFAIL),
    ],
)
def test_what_only_seems_to_say_as_much_is_weaker(old, new):
    assert is_weaker(old, new)


def test_a_helper_of_the_file_is_a_check_by_what_it_does():
    test = b"def test_a():\n    same(f(), 3)\n"
    assert asserts_nothing("t.py", test, "t.py::test_a")
    assert not asserts_nothing("t.py", test + SAME.encode(), "t.py::test_a")
    assert asserts_nothing("t.py", test + SAME.replace("x == y", "x == x").encode(), "t.py::test_a")


def test_helpers_that_call_each_other_come_to_an_end():
    many = "".join(f"def same{at}(x):\n" + "    same1(x)\n    same0(x)\n" * 20 for at in range(2))
    assert is_weaker(ONE, f"{many}\ndef test_a():\n    same0(double(2))\n")
