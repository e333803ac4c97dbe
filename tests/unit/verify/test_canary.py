from autonomous_loop.verify.canary import Canary, place
from autonomous_loop.verify.pytest_settings import PytestSettings
from autonomous_loop.verify.report import Case

PATHS = ("a.py", "other/test_x.py", "tests/ui/test_b.py", "tests/unit/test_a.py", "tests/unit/test_c.py")


def test_it_stands_beside_the_tests_of_the_run_under_a_name_that_is_collected():
    canary = place(["tests/ui/test_b.py"], PATHS, PytestSettings())
    assert canary.path == f"tests/ui/test_{canary.word}.py"
    canary = place([], PATHS, PytestSettings(testpaths=("tests",)))
    assert canary.path == f"tests/unit/test_{canary.word}.py"
    assert place([], PATHS, PytestSettings(), ["other"]).path.startswith("other/")
    own = PytestSettings(python_files=("check_*.py",))
    assert place([], ("x/check_a.py",), own).path.startswith("x/check_")
    assert place([], (), PytestSettings()).path.startswith("test_")


def test_no_two_are_alike():
    assert place([], PATHS, PytestSettings()).word != place([], PATHS, PytestSettings()).word


def test_only_a_canary_that_is_reported_and_fails_sings():
    canary = Canary("abc", "tests/test_abc.py", b"")
    mine = "tests/test_abc.py::Testabc::test_abc"
    other = Case("tests/test_a.py::test_a", "tests/test_a.py", "failed")
    assert canary.sings([other, Case(mine, "tests/test_abc.py", "failed")])
    assert not canary.sings([other])
    assert not canary.sings([Case(mine, "tests/test_abc.py", "passed")])
    assert not canary.sings([Case(mine, "tests/test_abc.py", "skipped")])
    assert not canary.sings([Case(mine, "", "failed"), Case(f"{mine}[2]", "", "passed")])
