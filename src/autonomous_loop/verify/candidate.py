"""A candidate and its checkpoint: which tests each one has, and which were submitted."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.work import Change
from autonomous_loop.engine.ports import Trees
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.verify.project.selection import Selection, is_support, select, stands_in_source
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.syntax import SourceFile, read_ahead, read_source

MOST_BYTES = 20_000_000
_LARGE = f"it is larger than {MOST_BYTES:,} bytes"
_MANIFESTS = frozenset({"go.mod", "Cargo.toml"})


@dataclass(frozen=True)
class Candidate:
    """Two trees and the test-related differences between them.

    Attributes:
        facts: facts about any tree.
        before: the checkpoint's tree.
        after: the candidate's tree.
    """

    facts: TreeFacts
    before: TreeSha
    after: TreeSha

    @property
    def trees(self) -> Trees:
        """The reader of both trees."""
        return self.facts.trees

    @cached_property
    def changes(self) -> Sequence[Change]:
        """The paths that differ."""
        return self.trees.changes(self.before, self.after)

    @property
    def paths(self) -> Sequence[str]:
        """The candidate's paths."""
        return self.facts.of(self.after).paths

    @property
    def every_path(self) -> frozenset[str]:
        """The paths of both trees."""
        return frozenset({*self.paths, *self.facts.of(self.before).paths})

    @property
    def had_suite(self) -> bool:
        """Whether the checkpoint has tests to run."""
        return self.facts.of(self.before).has_suite

    @property
    def has_suite(self) -> bool:
        """Whether the candidate has tests to run."""
        return self.facts.of(self.after).has_suite

    @property
    def adds_dependencies(self) -> bool:
        """Whether a manifest in the tree that declares importable modules differs."""
        return any(posixpath.basename(one.path) in _MANIFESTS for one in self.changes)

    @property
    def old_test_files(self) -> tuple[str, ...]:
        """The checkpoint's test files."""
        return self.facts.of(self.before).test_files

    @property
    def new_test_files(self) -> tuple[str, ...]:
        """The candidate's test files."""
        return self.facts.of(self.after).test_files

    @cached_property
    def test_paths(self) -> tuple[str, ...]:
        """Changed test files and support data; the red run lays them over the checkpoint's code."""
        known = {*self.old_test_files, *self.new_test_files}
        return tuple(one.path for one in self.changes if one.path in known or is_support(one.path))

    @cached_property
    def changed_test_files(self) -> tuple[str, ...]:
        """Changed test files that exist in both trees."""
        old = set(self.old_test_files)
        return tuple(one.path for one in self.changes if one.path in old and one.status != "D")

    @cached_property
    def changed_sources(self) -> frozenset[str]:
        """Changed source files that exist in both trees and may hold tests."""
        return frozenset(one.path for one in self.changes if one.status == "M" and stands_in_source(one.path))

    async def read_ahead(self, paths: Iterable[str]) -> None:
        """Read sources of both trees in a separate process, before `source` is called for them."""
        await read_ahead(
            (path, self._content(tree, path)) for path in set(paths) for tree in (self.before, self.after)
        )

    def source(self, tree: TreeSha, path: str) -> SourceFile:
        """Return what a file of either tree says; empty if the tree has no such file."""
        if (tree, path) not in self._sources:
            content = self._content(tree, path)
            large = content is None and path in self.facts.of(tree).every_path
            self._sources[tree, path] = SourceFile(unread=_LARGE) if large else read_source(path, content)
        return self._sources[tree, path]

    def _content(self, tree: TreeSha, path: str) -> bytes | None:
        if path not in self.facts.of(tree).every_path:
            return None
        try:
            return self.trees.read(tree, path, max_bytes=MOST_BYTES)
        except SandboxCallError:
            return None

    @cached_property
    def _sources(self) -> dict[tuple[TreeSha, str], SourceFile]:
        return {}

    def select(self, tests: Sequence[str]) -> Selection:
        """Check the submitted tests and return them.

        Raises:
            Refused: one of them is not a test of the candidate.
        """
        chosen = select(tests, self.paths, self.new_test_files)
        if isinstance(chosen, Reason):
            raise Refused(chosen)
        return chosen

    def red_tree(self, code: TreeSha, submitted: Sequence[str]) -> TreeSha:
        """Lay the candidate's changed tests and the submitted ones over other code."""
        return self.trees.overlay(code, self.after, sorted({*self.test_paths, *submitted}))
