"""Which new test an older one became, in two small trees."""

from dataclasses import dataclass

import pytest

from autonomous_loop.domain.work import Change
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.execution.renamed_tests import renamed
from autonomous_loop.verify.project.tree_facts import TreeFacts


@dataclass(frozen=True)
class Trees:
    """By the name of a tree: its files."""

    files: dict[str, dict[str, str]]

    def paths(self, tree):
        return sorted(self.files[tree])

    def read(self, tree, path, *, max_bytes=None):
        return self.files[tree][path].encode() if path in self.files[tree] else None

    def changes(self, before, after):
        old, new = self.files[before], self.files[after]
        status = {path: "A" if path not in old else "D" if path not in new else "M" for path in {*old, *new}}
        return [
            Change(path, status[path], "100644", "100644")
            for path in sorted(status)
            if old.get(path) != new.get(path)
        ]


def became(path, old, new):
    facts = TreeFacts(Trees({"before": {path: old}, "after": {path: new}}))
    return renamed(Candidate(facts, "before", "after"), [f"{path}::{NAMES[path]}"]).get(
        f"{path}::{NAMES[path]}"
    )


NAMES = {"test_a.py": "test_a", "a_test.go": "TestA", "ATest.java": "a", "a.test.js": "a"}
OLD = {
    "test_a.py": "def test_a():\n    assert f() == 3\n",
    "a_test.go": "func TestA(t *testing.T) {\n\tassert.Equal(t, f(), 3)\n}\n",
    "ATest.java": "class ATest {\n  @Test void a() {\n    assertEquals(3, f());\n  }\n}\n",
    "a.test.js": 'test("a", () => {\n  expect(f()).toBe(3);\n})\n',
}
NEW = {
    "test_a.py": ("test_a(", "test_b("),
    "a_test.go": ("TestA(", "TestB("),
    "ATest.java": (" a()", " b()"),
    "a.test.js": ('"a"', '"b"'),
}
MORE = {
    "test_a.py": ("== 3\n", "== 3\n    assert g() == 4\n"),
    "a_test.go": ("3)\n", "3)\n\tassert.Equal(t, g(), 4)\n"),
    "ATest.java": ("f());\n", "f());\n    assertEquals(4, g());\n"),
    "a.test.js": ("toBe(3);\n", "toBe(3);\n  expect(g()).toBe(4);\n"),
}
LESS = {
    "test_a.py": [("assert f() == 3", "return\n    assert f() == 3"), ("== 3", "> 2")],
    "a_test.go": [("assert", "if later {\n\t\treturn\n\t}\n\tassert"), ("Equal", "NotEqual")],
    "ATest.java": [
        ("assert", "if (later) return;\n    assert"),
        ("assertEquals(3,", "assertNotNull("),
    ],
    "a.test.js": [("expect", "if (later) return;\n  expect"), ("toBe(3)", "toBeDefined()")],
}


@pytest.mark.parametrize("path", OLD)
def test_a_new_name_is_found_where_all_that_was_there_is_there(path):
    alone = OLD[path].replace(*NEW[path])
    assert became(path, OLD[path], alone) is not None
    assert became(path, OLD[path], alone.replace(*MORE[path])) == became(path, OLD[path], alone)


@pytest.mark.parametrize(("path", "less"), [(path, less) for path in LESS for less in LESS[path]])
def test_it_is_not_where_something_is_missing_or_comes_before(path, less):
    assert became(path, OLD[path], OLD[path].replace(*NEW[path]).replace(*less)) is None


@pytest.mark.parametrize("path", OLD)
def test_a_test_that_was_there_before_did_not_become_another(path):
    other = OLD[path].replace(*NEW[path])
    assert became(path, OLD[path] + other, other) is None


def test_an_empty_test_becomes_none():
    assert became("test_a.py", 'def test_a():\n    "It is so."\n', 'def test_b():\n    "It is so."\n') is None
