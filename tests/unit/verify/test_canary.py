from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.results.canary import MOST, Canary, place, place_beside
from autonomous_loop.verify.results.report import Case

PATHS = ("a.py", "other/test_x.py", "tests/ui/test_b.py", "tests/unit/test_a.py", "tests/unit/test_c.py")


def test_it_stands_beside_the_tests_of_the_run_under_a_name_that_is_collected():
    canary = place(["tests/ui/test_b.py"], PATHS, PytestSettings())
    assert canary.path == f"tests/ui/test_{canary.word}.py"
    canary = place([], PATHS, PytestSettings(testpaths=("tests",)))
    assert canary.path == f"tests/unit/test_{canary.word}.py"
    assert place([], PATHS, PytestSettings(), ["other"]).path.startswith("other/")
    assert place([], PATHS, PytestSettings(testpaths=("*/ui",))).path.startswith("tests/ui/")
    assert place([], PATHS, PytestSettings(testpaths=("tests", "tests/ui"))).path.startswith("tests/ui/")
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


def test_every_folder_asked_for_has_a_canary():
    files = ["tests/a/test_a.py", "tests/a/test_b.py", "tests/b/test_c.py"]
    assert sorted(one.path.rpartition("/")[0] for one in place_beside(files, PATHS, PytestSettings())) == [
        "tests/a", "tests/b",
    ]  # fmt: skip
    many = [f"tests/{number}/test_a.py" for number in range(50)]
    assert len(place_beside(many, PATHS, PytestSettings())) == MOST
    assert len(place_beside([], PATHS, PytestSettings())) == 1
