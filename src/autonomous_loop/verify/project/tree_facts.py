"""Reads paths and test settings of trees; each tree is read once, because it never changes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice, takewhile

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.engine.ports import Trees
from autonomous_loop.verify.project.collected_tests import CONFIGURATION, collected
from autonomous_loop.verify.project.package_json import Package, read_packages
from autonomous_loop.verify.project.pytest_settings import CONFIG_NAMES, PytestSettings, read_settings
from autonomous_loop.verify.project.selection import is_test_file, stands_in_source

Reader = Callable[[str], bytes | None]
MOST_TREES = 8
MOST_FILES = 512
MOST_CHANGES = 500


@dataclass(frozen=True)
class Facts:
    """The content of a tree, as far as tests are concerned.

    Attributes:
        paths: all paths, sorted.
        settings: its pytest settings.
        test_files: judged by name and settings.
        read: returns a path's content, or None.
        packages: its JavaScript packages, outer before inner.
    """

    paths: Sequence[str]
    settings: PytestSettings
    test_files: tuple[str, ...]
    read: Reader
    packages: tuple[Package, ...] = ()

    @cached_property
    def every_path(self) -> frozenset[str]:
        """All paths as a set."""
        return frozenset(self.paths)

    def read_if_there(self, path: str) -> bytes | None:
        """Return the content of a path that may not be in the tree."""
        return self.read(path) if path in self.every_path else None

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[str]]:
        """The paths by base name."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def has_folder(self, path: str) -> bool:
        """Return whether there is something below `path`."""
        at = bisect_left(self.paths, f"{path}/")
        return bool(path) and at < len(self.paths) and self.paths[at].startswith(f"{path}/")

    @cached_property
    def python_folders(self) -> frozenset[str]:
        """Folders that hold Python files; "" is the root."""
        return frozenset(_python_folders_of(self.paths))

    def with_content(self, read: Reader) -> Facts:
        """Return the same paths with other content."""
        made = replace(self, read=read)
        for name in ("every_path", "by_name", "python_folders", "has_suite"):
            if name in self.__dict__:
                made.__dict__[name] = self.__dict__[name]
        return made

    def with_paths(
        self, added: Sequence[str], gone: Sequence[str], *, tests: Sequence[str], read: Reader
    ) -> Facts:
        """Return these facts with some paths added and some removed.

        Args:
            tests: those of `added` that are test files.
        """
        made = replace(
            self,
            paths=_merged(self.paths, added, gone),
            test_files=tuple(_merged(self.test_files, tests, gone)),
            read=read,
        )
        # Update derived sets instead of computing them again from very many paths.
        made.__dict__["every_path"] = self.every_path.difference(gone).union(added)
        emptied = {one for one in _python_folders_of(gone) if not _holds_python(made.paths, one)}
        folders = self.python_folders.union(_python_folders_of(added))
        made.__dict__["python_folders"] = folders - emptied
        return made

    @cached_property
    def has_suite(self) -> bool:
        """Whether there are, or may be, tests; a name does not show tests inside a source file."""
        return bool(self.test_files) or any(stands_in_source(path) for path in self.paths)


class TreeFacts:
    """Caches the facts of the last few trees.

    Args:
        trees: reads the trees.
    """

    def __init__(self, trees: Trees) -> None:
        self.trees = trees
        self._known: OrderedDict[TreeSha, Facts] = OrderedDict()

    def of(self, tree: TreeSha) -> Facts:
        """Return the facts of a tree."""
        if tree not in self._known:
            self._known[tree] = self._read(tree)
            while len(self._known) > MOST_TREES:
                self._known.popitem(last=False)
        return self._known[tree]

    def _read(self, tree: TreeSha) -> Facts:
        return self._from_another(tree) or self._whole(tree)

    def _from_another(self, tree: TreeSha) -> Facts | None:
        """Derive the facts from the last tree asked for, if the two trees hardly differ."""
        if not self._known:
            return None
        near, facts = next(reversed(self._known.items()))
        changes = self.trees.changes(near, tree)
        if len(changes) > MOST_CHANGES or any(_decides(one.path) for one in changes):
            return None
        added = [one.path for one in changes if one.status == "A"]
        gone = [one.path for one in changes if one.status == "D"]
        if facts.packages and (added or gone):
            return None  # all files together decide which ones node or mocha runs
        read = lru_cache(MOST_FILES)(lambda path: self.trees.read(tree, path))
        if not added and not gone:
            # Keep the sets derived from the paths, too.
            return facts.with_content(read)
        tests = [path for path in added if is_test_file(path, facts.settings)]
        return facts.with_paths(added, gone, tests=tests, read=read)

    def _whole(self, tree: TreeSha) -> Facts:
        paths = self.trees.paths(tree)
        there = set(CONFIG_NAMES).intersection(paths)
        settings = read_settings(lambda name: self.trees.read(tree, name) if name in there else None)
        # Cache reads, because runners look into the same few files again and again.
        read = lru_cache(MOST_FILES)(lambda path: self.trees.read(tree, path))
        packages = read_packages(paths, read)
        others = collected(paths, packages, read)
        files = tuple(path for path in paths if path in others or is_test_file(path, settings))
        return Facts(paths, settings, files, read, packages)


def _python_folders_of(paths: Iterable[str]) -> set[str]:
    return {path.rpartition("/")[0] for path in paths if path.endswith(".py")}


def _holds_python(paths: Sequence[str], folder: str) -> bool:
    """Return whether a Python file is directly in the folder; `paths` are sorted."""
    start = f"{folder}/" if folder else ""
    below = takewhile(lambda path: path.startswith(start), islice(paths, bisect_left(paths, start), None))
    return any(path.endswith(".py") and "/" not in path[len(start) :] for path in below)


def _decides(path: str) -> bool:
    """Return whether a file's content decides which other files are tests."""
    name = path.rpartition("/")[2]
    return path in CONFIG_NAMES or name == "package.json" or bool(CONFIGURATION.fullmatch(name))


def _merged(paths: Sequence[str], added: Sequence[str], gone: Sequence[str]) -> list[str]:
    left = set(gone)
    kept = [path for path in paths if path not in left] if left else list(paths)
    for path in added:
        insort(kept, path)
    return kept
