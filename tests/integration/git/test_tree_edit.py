"""Grafted trees are the trees git itself would make."""

import random

import pytest

from autonomous_loop.errors import SandboxCallError
from autonomous_loop.git.tree_edit import Entry


def by_git(repository, base, changes):
    """The same through an index, which reads and writes all of the tree."""
    gone = [f"0 {'0' * 40}\t{path}\0" for path, entry in changes.items() if entry is None]
    rows = [f"{entry.mode} {entry.sha}\t{path}\0" for path, entry in changes.items() if entry]
    with repository._index(base) as env:
        return repository._write_index([*gone, *rows], env)


@pytest.fixture
def blob(repository, base):
    return repository.look_up(repository.tree_of(base), ["app.py"])["app.py"]


@pytest.fixture
def tree(repository, base, blob):
    paths = ("a", "a.b", "a0", "b/a/c/d", "b/a/e", "b/f", "b.x/f", "é/ü ö", "x/y/z")
    return repository.write_files(repository.tree_of(base), dict.fromkeys(paths, b"text\n"))


CHANGES = {
    "a file changes": {"b/a/e": 1},
    "a file comes, far down": {"new/er/still/x": 1},
    "a folder goes with its last file": {"b/a/c/d": 0},
    "several folders go": {"b/a/c/d": 0, "b/a/e": 0, "b/f": 0, "x/y/z": 0},
    "a folder in place of a file": {"a": 0, "a/b": 1, "a/c/d": 1},
    "a file in place of a folder": {"b/a/c/d": 0, "b/a/e": 0, "b/f": 0, "b": 1},
    "what is not there goes": {"nowhere": 0, "x/nothing": 0, "a/b": 0},
    "names beside each other": {"a-": 1, "a/": 0, "a.": 1, "é/x": 1} | {"a/": 0},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_graft_is_the_tree_that_git_would_make(repository, tree, blob, change):
    changes = {path: blob if there else None for path, there in CHANGES[change].items() if path[-1] != "/"}
    assert repository.graft(tree, changes) == by_git(repository, tree, changes)


def test_any_number_of_grafts_is_the_tree_that_git_would_make(repository, tree, blob):
    chance = random.Random(7)
    names = ["a", "b", "a.b", "a0", "é"]
    for _ in range(40):
        there = set(repository.paths(tree))
        gone = {path: None for path in there if chance.random() < 0.3}
        kept = there - gone.keys()
        changes = dict(gone)
        for _ in range(4):
            path = "/".join(chance.choices(names, k=chance.randint(1, 3)))
            # Two things cannot be at one place.
            taken = kept | {one for one, entry in changes.items() if entry}
            if not any(f"{one}/".startswith(f"{path}/") or f"{path}/".startswith(f"{one}/") for one in taken):
                changes[path] = Entry("100755", blob.sha)
        grafted = repository.graft(tree, changes)
        assert grafted == by_git(repository, tree, changes)
        tree = grafted


def test_paths_are_looked_up_as_git_lists_them(repository, tree, base):
    listed = {path: Entry(mode, sha) for mode, sha, path in repository.entries(tree)}
    assert repository.look_up(tree, listed) == listed
    assert set(repository.look_up(tree, ["b", "b/a", "nowhere", "a/b"]).values()) == {None}
    assert repository.read(base, "app.py") == b"x = 1\n"  # a commit's
    assert [repository.read(tree, path) for path in ("b/f", "b", "nowhere")] == [b"text\n", None, None]
    with pytest.raises(SandboxCallError, match="larger than 3 bytes"):
        repository.read(tree, "b/f", max_bytes=3)


@pytest.mark.parametrize("path", [".git/config", "a/.GIT/x", "../x", "x/./y", "x//y", "", "git~1/config"])
def test_a_path_that_no_project_may_have_is_refused(repository, tree, blob, path):
    with pytest.raises(SandboxCallError):
        repository.graft(tree, {path: blob})


def test_an_object_that_is_missing_is_refused(repository, tree):
    with pytest.raises(SandboxCallError, match="refused"):
        repository.graft(tree, {"x": Entry("100644", "1" * 40)})


def test_a_patch_is_made_only_where_every_file_is_small_enough(repository, base):
    before = repository.tree_of(base)
    after = repository.write_files(before, {"small.txt": b"small\n", "large.log": b"line\n" * 2_000})
    assert repository.patch(before, after, max_file=9_999) is None
    assert repository.patch(after, before, max_file=9_999) is None
    patch = repository.patch(before, after, max_file=10_000)
    assert patch == repository.patch(before, after)
    assert repository.apply(before, patch) == after
