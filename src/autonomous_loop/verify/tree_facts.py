"""Paths and test settings of trees, read once: a tree never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.ports import Trees
from autonomous_loop.verify.pytest_settings import CONFIG_NAMES, PytestSettings, read_settings
from autonomous_loop.verify.tests_of import is_test_file

MOST_TREES = 8


@dataclass(frozen=True)
class Facts:
    """What a tree holds.

    Attributes:
        paths: all of them, sorted.
        settings: what it says to pytest.
        test_files: by name and settings.
        read: content of a path, or None.
    """

    paths: Sequence[str]
    settings: PytestSettings
    test_files: tuple[str, ...]
    read: Callable[[str], bytes | None]

    @cached_property
    def every_path(self) -> frozenset[str]:
        """The paths, to look one up."""
        return frozenset(self.paths)


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
        files = tuple(path for path in paths if is_test_file(path, settings))
        return Facts(paths, settings, files, lambda path: self.trees.read(tree, path))
