# ruff: noqa: E501 - sources of tests, one a line
import pytest

from autonomous_loop.verify.syntax import asserts_nothing, bodies, stand_ins


def checks(*lines, imports=""):
    source = f"{imports}\ndef test_a():\n" + "".join(f"    {line}\n" for line in lines)
    return bodies("t.py", source.encode())["test_a"].strengths


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("assert f() == 3", "assert f() in (3, 4)"),
        ("assert f() == 3", "assert f() != 4"),
        ("assert f() is None", "assert f() is not 3"),
        ("assert f() == 3", "assert f() == pytest.approx(3)"),
        ("assert f() == approx(3)", "assert f() == approx(3, abs=1)"),
        ("assert f() == approx(3, abs=0.1)", "assert f() == approx(3, abs=1)"),
        ("assert f() > 2", "assert f()"),
        ("assert f()", "assert f() or True"),
        ("assert f() and g()", "assert f()"),
        ("assert (f(), g()) == (1, 2)", "assert f() == 1"),
        ("self.assertEqual(f(), 3)", "self.assertTrue(f())"),
        ("self.assertEqual(f(), 3)", "self.assertEqual(f(), f())"),
        ("self.assertTrue(f() == 3)", "self.assertTrue(f())"),
        ("pytest.raises(KeyError, f, match='x')", "pytest.raises(KeyError, f)"),
        ("pytest.raises(KeyError, f)", "pytest.raises(Exception, f)"),
        ("mock.assert_called_once_with(1)", "mock.assert_called_once()"),
        ("assert all(x == 1 for x in f())", "assert any(x == 1 for x in f())"),
    ],
)
def test_a_looser_check_says_less(stronger, weaker):
    assert sorted(checks(stronger), reverse=True) > sorted(checks(weaker), reverse=True)


@pytest.mark.parametrize(
    "lines",
    [
        ["return", "assert f() == 3"],
        ["raise SkipTest", "assert f() == 3"],
        ["pytest.skip('x')", "assert f() == 3"],
        ["if False:", "    assert f() == 3"],
        ["while 0:", "    assert f() == 3"],
        ["for x in range(0):", "    assert f() == 3"],
        ["for x in {}:", "    assert f() == 3"],
        ["try:", "    assert f() == 3", "except:", "    pass"],
        ["with suppress(AssertionError):", "    assert f() == 3"],
        ["with pytest.raises(Exception):", "    assert f() == 3"],
        ["def check():", "    assert f() == 3"],
        ["assert (f() == 3, 'a tuple')"],
    ],
)
def test_a_check_that_is_not_reached_or_cannot_fail_says_nothing(lines):
    assert max(checks(*lines)) <= 1
    assert checks("assert f() == 3") == (4.0,)


@pytest.mark.parametrize(
    "lines",
    [
        ["try:", "    assert f() == 3", "finally:", "    close()"],
        ["try:", "    assert f() == 3", "except ValueError:", "    raise"],
        ["for x in (1, 2):", "    assert f() == 3"],
        ["with open(x) as y:", "    assert f() == 3"],
        ["async def check():", "    assert f() == 3", "run(check())"],
        ["if True:", "    assert f() == 3"],
    ],
)
def test_a_check_that_is_reached_counts_in_full(lines):
    assert 4.0 in checks(*lines)


def test_a_failure_under_a_condition_is_a_check():
    assert checks("if f() != 3:", "    pytest.fail('no')") == (2.0,)


@pytest.mark.parametrize(
    ("decorator", "excuses"),
    [
        ("@pytest.mark.slow", 0),
        ("@pytest.mark.parametrize('a', [1])", 0),
        ("@mock.patch('a.b')", 0),
        ("@pytest.mark.skipif(True)", 1),
        ("@pytest.mark.flaky(reruns=3)", 1),
        ("@unittest.expectedFailure", 1),
        ("@calm", 1),
    ],
)
def test_what_may_swallow_an_outcome_is_an_excuse(decorator, excuses):
    source = f"{decorator}\ndef test_a(): assert f() == 3"
    assert bodies("t.py", source.encode())["test_a"].excuses == excuses


def test_marks_of_a_module_and_a_class_excuse_what_is_in_them():
    source = b"pytestmark = pytest.mark.skip\nclass TestA:\n    pytestmark = [pytest.mark.xfail]\n    def test_a(self): ..."
    assert bodies("t.py", source)["TestA::test_a"].excuses == 2


def rows(values):
    source = f"@pytest.mark.parametrize('a', {values})\ndef test_a(a): assert f(a)"
    return bodies("t.py", source.encode())["test_a"]


def test_parameters_may_grow_and_not_be_replaced():
    old = rows("[(1, 2), (3, 4)]")
    assert not rows("[(3, 4, 5), (1, 2, 6), (7, 8, 9)]").is_weaker_than(old)
    assert not rows("[pytest.param(1, 2, id='x'), (3, 4)]").is_weaker_than(old)
    assert not rows("DATA").is_weaker_than(old)
    assert rows("[(1, 2), (1, 2)]").is_weaker_than(old)


REPLACED = "calc.double"


@pytest.mark.parametrize(
    "test",
    [
        "import calc\ndef test_a(monkeypatch):\n    monkeypatch.setattr(calc, 'double', f)\n    assert calc.double(1)",
        "import calc\ndef test_a(mocker):\n    mocker.patch('app.calc.double')\n    assert calc.double(1)",
        "from app import calc as c\ndef test_a():\n    c.double = f\n    assert c.double(1)",
        "import calc\n@patch.object(calc, 'double')\ndef test_a(m):\n    assert calc.double(1)",
        "import calc\n@pytest.fixture\ndef x():\n    calc.double = f\n\ndef test_a(x):\n    assert calc.double(1)",
    ],
)
def test_a_test_that_checks_what_it_put_there_is_seen(test):
    assert stand_ins("t.py", test.encode(), "t.py::test_a") == [REPLACED]


def test_a_conftest_that_replaces_counts_for_the_test():
    test = b"import calc\ndef test_a(): assert calc.double(1)"
    other = b"import pytest\n@pytest.fixture(autouse=True)\ndef x(monkeypatch): monkeypatch.setattr('calc.double', f)"
    assert stand_ins("t.py", test, "t.py::test_a", [other]) == [REPLACED]
    assert stand_ins("t.py", test, "t.py::test_a") == []


@pytest.mark.parametrize(
    "test",
    [
        "import calc\ndef test_a(monkeypatch):\n    monkeypatch.setattr(calc, 'ask', f)\n    assert calc.double(1)",
        "import calc\ndef test_a():\n    with patch('calc.double') as m:\n        calc.run()\n    m.assert_called_once()",
        "import calc\ndef test_a():\n    with patch('calc.double', wraps=calc.other):\n        calc.double(1)",
        "import requests\ndef test_a(client, mocker):\n    mocker.patch('requests.get')\n    assert client.get('/')",
    ],
)
def test_a_mock_of_what_the_code_uses_is_honest(test):
    assert stand_ins("t.py", test.encode(), "t.py::test_a") == []


def test_a_test_without_a_check_that_can_fail_asserts_nothing():
    assert asserts_nothing("t.py", b"def test_a():\n    f()\n    assert 1 == 1", "t.py::test_a[x]")
    assert not asserts_nothing("t.py", b"def test_a():\n    check(f())", "t.py::test_a")
