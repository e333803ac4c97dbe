"""Paths and test settings of trees, read once: a tree never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.ports import Trees
from autonomous_loop.verify.package_json import Package, node_tests, read_packages
from autonomous_loop.verify.pytest_settings import CONFIG_NAMES, PytestSettings, read_settings
from autonomous_loop.verify.tests_of import is_test_file, stands_in_source

MOST_TREES = 8
MOST_FILES = 512


@dataclass(frozen=True)
class Facts:
    """What a tree holds.

    Attributes:
        paths: all of them, sorted.
        settings: what it says to pytest.
        test_files: by name and settings.
        read: content of a path, or None.
        packages: of JavaScript, the outer before the inner.
    """

    paths: Sequence[str]
    settings: PytestSettings
    test_files: tuple[str, ...]
    read: Callable[[str], bytes | None]
    packages: tuple[Package, ...] = ()

    @cached_property
    def every_path(self) -> frozenset[str]:
        """The paths, to look one up."""
        return frozenset(self.paths)

    def read_if_there(self, path: str) -> bytes | None:
        """Content of a path that may not be in the tree."""
        return self.read(path) if path in self.every_path else None

    @cached_property
    def has_suite(self) -> bool:
        """There are tests, or may be: those inside a source are not told by its name."""
        return bool(self.test_files) or any(stands_in_source(path) for path in self.paths)


class TreeFacts:
    """Remembers the last few trees.

    Args:
        trees: where they are read.
    """

    def __init__(self, trees: Trees) -> None:
        self.trees = trees
        self._known: OrderedDict[TreeSha, Facts] = OrderedDict()

    def of(self, tree: TreeSha) -> Facts:
        """The facts of a tree."""
        if tree not in self._known:
            self._known[tree] = self._read(tree)
            while len(self._known) > MOST_TREES:
                self._known.popitem(last=False)
        return self._known[tree]

    def _read(self, tree: TreeSha) -> Facts:
        paths = self.trees.paths(tree)
        there = set(CONFIG_NAMES).intersection(paths)
        settings = read_settings(lambda name: self.trees.read(tree, name) if name in there else None)
        # Runners look into the same few files again and again.
        read = lru_cache(MOST_FILES)(lambda path: self.trees.read(tree, path))
        packages = read_packages(paths, read)
        others = set(node_tests(paths, packages))
        files = tuple(path for path in paths if path in others or is_test_file(path, settings))
        return Facts(paths, settings, files, read, packages)
