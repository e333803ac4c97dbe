from autonomous_loop.domain.proof import Baseline
from autonomous_loop.verify.comparison import losses, must_still_pass, third_party
from autonomous_loop.verify.results.report import Case


def case(test_id, outcome="passed"):
    return Case(test_id, test_id.partition("::")[0], outcome)


def test_what_passed_and_fails_is_skipped_or_is_gone_is_lost():
    must = ["t.py::a", "t.py::b", "t.py::c", "t.py::d", "u.py::e"]
    now = [case("t.py::a"), case("t.py::b", "failed"), case("t.py::c", "skipped"), case("u.py", "error")]
    lost = losses(must, now)
    assert lost.failing == ("t.py::b", "u.py::e")
    assert lost.skipped == ("t.py::c",)
    assert lost.removed == ("t.py::d",)


def test_a_test_that_moved_to_another_file_is_not_lost():
    assert not losses(["t.py::K::a"], [case("u.py::K::a")]).all
    assert losses(["t.py::K::a", "u.py::K::a"], [case("u.py::K::a")]).removed == ("t.py::K::a",)
    assert losses(["t.py::a"], [case("u.py::a", "failed")]).removed == ("t.py::a",)


def test_parameters_may_change_but_not_become_fewer():
    assert not losses(["t.py::a[1]", "t.py::a[2]"], [case("t.py::a[1]"), case("t.py::a[two]")]).all
    assert losses(["t.py::a[1]", "t.py::a[2]"], [case("t.py::a[1]")]).removed == ("t.py::a[2]",)
    assert not losses(["t.py::a"], [case("t.py::a[1]"), case("t.py::a[2]", "skipped")]).all
    assert losses(["t.py::a"], [case("t.py::a[1]", "failed")]).removed == ("t.py::a",)
    assert losses(["t.py::a[1]", "t.py::a[2]"], [case("t.py::a")]).removed == ("t.py::a[1]", "t.py::a[2]")
    assert losses(["t.py::a[1]"], [], ["t.py::a[1]"]).removed == ("t.py::a[1]",)


def test_known_failing_and_flaky_tests_decide_nothing():
    baseline = Baseline(failing=("t.py::x",), flaky=("t.py::y",))
    assert must_still_pass(["t.py::a", "t.py::x", "t.py::y"], {}, baseline) == {"t.py::a"}


def test_a_missing_module_is_third_party_when_no_file_could_provide_it():
    paths = ["src/app/feed.py", "tests/helpers/__init__.py"]
    assert third_party(["app.search", "feed", "helpers.x"], paths) == []
    assert third_party(["requests.adapters", "app"], paths) == ["requests.adapters"]
