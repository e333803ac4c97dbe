"""Which tests speak for a change, by what differs."""

import json

import pytest

from autonomous_loop.domain.proof import Baseline, TestRun
from autonomous_loop.domain.work import Change
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.differing_tests import Differing, differing, named_by
from autonomous_loop.verify.project.tree_facts import TreeFacts


class TwoTrees:
    """Paths and texts of `before` and `after`."""

    def __init__(self, before, after):
        self._trees = {"before": before, "after": after}

    def paths(self, tree):
        return sorted(self._trees[tree])

    def read(self, tree, path):
        return self._trees[tree].get(path, "").encode()

    def changes(self, one, other):
        old, new = self._trees[one], self._trees[other]
        kinds = {
            path: "A" if path not in old else "D" if path not in new else "M"
            for path in sorted({*old, *new})
            if old.get(path) != new.get(path)
        }
        return [Change(path, kind, "100644", "100644") for path, kind in kinds.items()]


def candidate(before, changed):
    after = {path: text for path, text in {**before, **changed}.items() if text is not None}
    return Candidate(TreeFacts(TwoTrees(before, after)), "before", "after")


PYTHON = {
    "app.py": "1",
    "tests/test_cases.py": "open('cases/' + name)",
    "tests/unit/test_one.py": "",
    "tests/cases/a.txt": "1",
    "pkg/conftest.py": "",
    "pkg/test_it.py": "",
    "web/page.test.ts": "",
    "web/__snapshots__/page.test.ts.snap": "1",
}
BELOW = ("tests/test_cases.py", "tests/unit/test_one.py")


@pytest.mark.parametrize(
    ("changed", "tests", "data"),
    [
        ({"app.py": "2"}, (), ()),
        ({"app.py": "2", "docs/a.md": ""}, (), ()),
        ({"tests/test_cases.py": "2", "tests/cases/a.txt": "2"}, ("tests/test_cases.py",), ()),
        ({"app.py": "2", "tests/cases/a.txt": "2"}, BELOW, ("tests/cases/a.txt",)),
        ({"tests/cases/new/b.md": "2"}, BELOW, ("tests/cases/new/b.md",)),
        ({"tests/cases/a.txt": None}, BELOW, ("tests/cases/a.txt",)),
        ({"tests/unit/test_one.py": None}, BELOW[:1], ("tests/unit/test_one.py",)),
        ({"pkg/conftest.py": "2"}, ("pkg/test_it.py",), ("pkg/conftest.py",)),
        (
            {"web/__snapshots__/page.test.ts.snap": "2"},
            ("web/page.test.ts",),
            ("web/__snapshots__/page.test.ts.snap",),
        ),
        (
            {"spec/data.json": "2"},
            (*BELOW[:0], "pkg/test_it.py", *BELOW, "web/page.test.ts"),
            ("spec/data.json",),
        ),
    ],
)
def test_what_is_there_for_tests_speaks_by_the_tests_that_stand_by_it(changed, tests, data):
    assert differing(candidate(PYTHON, changed)) == Differing(tests, data)


@pytest.mark.parametrize("script", ["mocha", "tape test/*.js", "ava", "node --test"])
def test_a_test_by_where_it_stands_differs_as_any_other(script):
    before = {"package.json": json.dumps({"scripts": {"test": script}}), "test/add.js": "1", "add.js": "1"}
    assert differing(candidate(before, {"add.js": "2", "test/add.js": "2"})).tests == ("test/add.js",)
    found = differing(candidate(before, {"add.js": "2", "test/fixtures/a.json": "2"}))
    assert found == Differing(("test/add.js",), ("test/fixtures/a.json",))


def test_where_no_test_is_known_that_is_told_apart_from_nothing_that_differs():
    found = differing(candidate({"run.sh": ""}, {"tests/case.txt": "1"}))
    assert found == Differing((), ("tests/case.txt",))


def test_what_no_run_showed_does_not_speak_for_data_others_read():
    found = Differing(("tests/test_a.py", "tests/test_b.py", "tests/test_idle.py"), ("tests/x.txt",))
    run = TestRun(
        command="x", tree="0" * 40, exit_code=0, duration_s=1, passed=("tests/test_a.py::test_x",),
        failing=("tests/test_b.py::test_y",),
    )  # fmt: skip
    assert found.that_ran(Baseline(runs=(run, run))) == ("tests/test_a.py", "tests/test_b.py")
    assert found.that_ran(Baseline()) == found.tests
    assert Differing(found.tests).that_ran(Baseline(runs=(run, run))) == found.tests


def test_of_very_many_those_that_name_the_data_speak():
    work = candidate(PYTHON, {"tests/cases/a.txt": "2"})
    assert named_by(BELOW, ["tests/cases/a.txt"], work) == BELOW[:1]
