"""Facts of a tree that hardly differs from its neighbour are those of the whole tree."""

from hypothesis import given
from hypothesis import strategies as st

from autonomous_loop.domain.work import Change
from autonomous_loop.verify.comparison import third_party
from autonomous_loop.verify.project.tree_facts import TreeFacts

NAMES = st.sampled_from(["a.py", "test_a.py", "b.py", "c.txt", "conftest.py"])
FOLDERS = st.sampled_from(["", "src/", "src/deep/er/", "tests/", "docs/"])
PATHS = st.sets(st.builds(lambda folder, name: folder + name, FOLDERS, NAMES), max_size=12)


class TwoTrees:
    """Paths by tree."""

    def __init__(self, **trees):
        self._trees = trees

    def paths(self, tree):
        return sorted(self._trees[tree])

    def read(self, tree, path):
        return b"" if path in self._trees[tree] else None

    def changes(self, before, after):
        old, new = self._trees[before], self._trees[after]
        added = [Change(path, "A", "", "100644") for path in sorted(new - old)]
        return [*added, *(Change(path, "D", "100644", "") for path in sorted(old - new))]


@given(PATHS, PATHS)
def test_what_is_derived_from_a_neighbour_is_what_the_whole_tree_says(before, after):
    trees = TwoTrees(before=before, after=after)
    derived = TreeFacts(trees)
    derived.of("before")
    found, whole = derived.of("after"), TreeFacts(trees).of("after")
    for name in ("paths", "test_files", "every_path", "python_folders", "by_name", "has_suite"):
        assert getattr(found, name) == getattr(whole, name), name


@given(PATHS, st.sampled_from(["", "src", "src/deep", "src/deep/er", "sr", "docs", "docs/a.py", "a.py", "z"]))
def test_a_folder_is_told_by_what_lies_in_it(paths, asked):
    folders = {one.rsplit("/", depth)[0] for one in paths for depth in range(1, one.count("/") + 1)}
    assert TreeFacts(TwoTrees(tree=paths)).of("tree").has_folder(asked) == (asked in folders)


def test_a_module_is_the_projects_own_by_any_part_of_any_path():
    paths = ["src/guestbook/app.py", "crates/core.rs", "tests/test_app.py"]
    assert third_party(["guestbook", "app.pages", "core", "@team/guestbook"], paths) == []
    assert third_party(["guest", "requests.adapters", "py"], paths) == ["guest", "py", "requests.adapters"]
    assert third_party([], paths) == []
