import pytest

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.project.selection import is_support, is_test_file, select
from autonomous_loop.verify.syntax import asserts_nothing, weakened

PLAIN = PytestSettings()
PATHS = ("calc.py", "tests/conftest.py", "tests/data.json", "tests/test_a.py", "tests/ui/test_b.py")
TESTS = tuple(path for path in PATHS if is_test_file(path, PLAIN))


@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "a_test.py", "app/tests.py", "web/a.test.ts", "a.spec.js", "x_test.go"]
)
def test_test_files_are_told_by_their_names(path):
    assert is_test_file(path, PLAIN)


@pytest.mark.parametrize(
    "path", ["calc.py", "tests/conftest.py", "tests/data.json", "contest.py", "latest.py"]
)
def test_others_are_not_test_files(path):
    assert not is_test_file(path, PLAIN)


def test_data_and_fixtures_of_tests_are_support():
    assert is_support("tests/data.json")
    assert is_support("conftest.py")
    assert is_support("a/testdata/x")
    assert not is_support("src/calc.py")


def test_folders_become_their_test_files_and_ids_stay():
    chosen = select(["./tests/ui/", "tests/test_a.py::test_x"], PATHS, TESTS)
    assert chosen.tests == ("tests/ui/test_b.py", "tests/test_a.py::test_x")
    assert chosen.files == ("tests/test_a.py", "tests/ui/test_b.py")
    assert chosen.covers("tests/ui/test_b.py::TestK::test_m")
    assert chosen.covers("tests/test_a.py::test_x[1]")
    assert not chosen.covers("tests/test_a.py::test_xy")
    assert chosen.untouched(["tests/test_a.py::test_x[1]"]) == ["tests/ui/test_b.py"]


def test_a_folder_stands_for_files_that_are_tests_by_where_they_stand():
    paths = ("test/add.js", "test/data.json")
    assert select(["test"], paths, ["test/add.js"]).files == ("test/add.js",)


@pytest.mark.parametrize(
    "given", ["", "/etc/passwd", "../x.py", "-k", "tests/none.py", "none", "docs", "a\nb", "tests/ui::x"]
)
def test_what_is_no_test_of_the_tree_is_refused(given):
    refused = select([given], PATHS, TESTS)
    assert isinstance(refused, Reason)
    assert refused.code == "bad-test"


OLD = b"""
import pytest

class TestK:
    def test_m(self):
        assert f() == 1
        assert g() == 2

def test_n():
    with pytest.raises(ValueError):
        f(-1)
"""


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ((b"", b""), []),
        ((b"        assert g() == 2\n", b""), ["TestK::test_m"]),
        ((b"assert g() == 2", b"assert True"), ["TestK::test_m"]),
        ((b"with pytest.raises(ValueError):", b"if 1:"), ["test_n"]),
        ((b"def test_n", b"@pytest.mark.xfail\ndef test_n"), ["test_n"]),
        ((b"class TestK", b"@pytest.mark.skipif(True)\nclass TestK"), ["TestK::test_m"]),
        ((b"import pytest", b"import pytest\npytestmark = pytest.mark.skip"), ["TestK::test_m", "test_n"]),
        ((b"assert f() == 1", b"assert f() == 2"), []),
    ],
)
def test_a_test_that_checks_less_is_seen(change, names):
    assert weakened("t.py", OLD, OLD.replace(*change, 1)) == names


@pytest.mark.parametrize(
    ("body", "nothing"),
    [
        ("pass", True),
        ("calc.double", True),
        ("x = calc.double(2)", True),
        ("assert True", True),
        ("assert calc.double(2) == 4", False),
        ("self.assertEqual(1, 1)", True),
        ("self.assertEqual(calc.double(1), 2)", False),
        ("expect(page).to_have_text('4')", False),
        ("check_double(2)", False),
        ("with pytest.raises(ValueError): calc.double('x')", False),
    ],
)
def test_a_test_without_any_check_is_told(body, nothing):
    assert asserts_nothing("t.py", f"def test_x():\n    {body}\n".encode(), "t.py::test_x[1]") is nothing


def test_what_cannot_be_parsed_gets_the_benefit_of_the_doubt():
    assert not asserts_nothing("t.py", b"def (", "t.py::test_x")
    assert weakened("t.py", b"def (", b"x = 1") == []
