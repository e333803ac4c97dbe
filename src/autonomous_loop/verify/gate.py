"""The gate: the checks of a tree before any of its code runs."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import GateReport, Reason
from autonomous_loop.domain.work import Change
from autonomous_loop.engine.ports import Trees
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.verify.project.paths import PROTECTED, PathPatterns
from autonomous_loop.verify.project.selection import is_support, is_test_file, stands_in_source
from autonomous_loop.verify.project.tree_facts import Facts, TreeFacts
from autonomous_loop.verify.rules.runner_guard import guard
from autonomous_loop.verify.secret_scan import secret_kinds
from autonomous_loop.verify.syntax import is_readable, read_ahead, read_source
from autonomous_loop.verify.syntax.isolation import Unread, apart

MOST_FILES = 2_000
LINK, GITLINK, EXECUTABLE = "120000", "160000", "100755"
INSTALL_SCRIPTS = frozenset({
    "setup.py", "setup.cfg", "install.sh", "postinstall.js", "preinstall.js", "build.rs", "binding.gyp",
    "hatch_build.py", "noxfile.py", "tox.ini", "Makefile", "conftest.py",
})  # fmt: skip


class ProofGate:
    """Implements `Gate`.

    Args:
        trees: the trees to compare.
        config: protected paths, size limits, runner keys.
    """

    def __init__(self, trees: Trees, config: LoopConfig) -> None:
        self._trees = trees
        self._facts = TreeFacts(trees)
        self._config = config
        self._protected = PathPatterns(PROTECTED, ignore_case=True)
        self._also_protected = PathPatterns(config.protected_paths)

    async def check(self, before: TreeSha, after: TreeSha) -> GateReport:
        """See `Gate`.

        A change of a protected path is not refused. The report lists it as held back, and the caller leaves
        it out. The project's own commands run later, on the tree to be proved: see `gates.py`.
        """
        every = self._trees.changes(before, after)
        held_back = tuple(change.path for change in every if self._is_protected(change.path))
        # Held-back changes are not part of the tree to be proved.
        changes = [change for change in every if change.path not in set(held_back)]
        refusals = list(self._structure(changes, after))
        notices: list[str] = []
        if len(changes) > MOST_FILES:
            text = f"{len(changes):,} files differ; {MOST_FILES:,} is the most. Ignore dependencies by git."
            refusals.append(Reason(code="size", text=text))
        else:
            held = self._read_all(changes, before, after)
            secrets = await self._look_at(changes, held, self._facts.of(before))
            refusals += self._contents(changes, held, secrets, self._facts.of(before), notices)
        return GateReport(refusals=tuple(refusals), notices=tuple(notices), held_back=held_back)

    def _is_protected(self, path: str) -> bool:
        return self._protected.match(path) or self._also_protected.match(path)

    def _structure(self, changes: Sequence[Change], after: TreeSha) -> Iterator[Reason]:
        for change in changes:
            if change.mode_after == GITLINK:
                text = f"{change.path} is a repository inside the project. Remove it, or its .git folder."
                yield Reason(code="gitlink", text=text)
            if any(_is_git(part) for part in change.path.split("/")) and change.status != "D":
                yield Reason(code="git-folder", text=f"{change.path} stands in a .git folder. Remove it.")
            if change.mode_after == LINK and self._escapes(after, change.path):
                text = f"{change.path} is a link that points out of the project. Remove it."
                yield Reason(code="symlink", text=text)

    def _escapes(self, tree: TreeSha, path: str) -> bool:
        target = (self._trees.read(tree, path, max_bytes=10_000) or b"").decode("utf-8", "surrogateescape")
        reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        inside = not target.startswith("/") and reached != ".." and not reached.startswith("../")
        return not inside or any(_is_git(part) for part in reached.split("/"))

    def _read_all(self, changes: Sequence[Change], before: TreeSha, after: TreeSha) -> _Held:
        held = _Held()
        for change in changes:
            try:
                new = self._read(after, change.path, change.mode_after)
                old = self._read(before, change.path, change.mode_before)
            except SandboxCallError:
                held.large.append(change.path)
            else:
                held.new[change.path], held.old[change.path] = new, old
        return held

    async def _look_at(
        self, changes: Sequence[Change], held: _Held, checkpoint: Facts
    ) -> Mapping[str, Sequence[str] | Unread]:
        """Read the files to judge in a separate process; return the kinds of secrets that each file adds."""
        judged = _judged(changes, checkpoint)
        sources = [(path, source) for path in judged for source in (held.old.get(path), held.new.get(path))]
        added = {path: lines for path, new in held.new.items() if (lines := _added(held.old[path], new))}
        searches = apart([(secret_kinds, (lines,)) for lines in added.values()])
        found, _ = await asyncio.gather(searches, read_ahead(sources))
        return dict(zip(added, found, strict=True))

    def _contents(
        self,
        changes: Sequence[Change],
        held: _Held,
        secrets: Mapping[str, Sequence[str] | Unread],
        checkpoint: Facts,
        notices: list[str],
    ) -> Iterator[Reason]:
        limit = self._config.max_file_bytes
        for path in held.large:
            text = f"{path} is larger than {limit:,} bytes (max-file-bytes). Leave it out."
            yield Reason(code="size", text=text)
        judged = _judged(changes, checkpoint)
        unread = {path: why for path in judged if (why := read_source(path, held.new.get(path)).unread)}
        unread |= {path: kinds.why for path, kinds in secrets.items() if isinstance(kinds, Unread)}
        for path, why in unread.items():
            text = (
                f"{path} could not be read: {why}. What nobody can read cannot be judged. Write it more"
                " plainly, or in smaller files."
            )
            yield Reason(code="unreadable", text=text)
        for change in changes:
            path = change.path
            if path not in held.new:
                continue
            notices += _notices(change, held.new[path])
            kinds = secrets.get(path, ())
            if kinds and not isinstance(kinds, Unread):
                text = (
                    f"{path} adds what looks like a secret: {', '.join(kinds)}. Take it out;"
                    " a test makes such a value up at run time."
                )
                yield Reason(code="secret", text=text)
        notices += [
            text for path in judged for text in _unjudged(path, held.old.get(path), held.new.get(path))
        ]
        if not self._config.runner_keys:
            own = [one for one in (self._config.test_command, self._config.suite_command) if one]
            yield from guard(changes, held.old.get, held.new.get, checkpoint=checkpoint, commands=own)

    def _read(self, tree: TreeSha, path: str, mode: str) -> bytes | None:
        if mode in {"", GITLINK}:
            return None
        return self._trees.read(tree, path, max_bytes=self._config.max_file_bytes)


@dataclass
class _Held:
    """The content of the changed files.

    Attributes:
        old: content by path at the checkpoint; None if there was none.
        new: the same for the candidate.
        large: files that are too large to read.
    """

    old: dict[str, bytes | None] = field(default_factory=dict)
    new: dict[str, bytes | None] = field(default_factory=dict)
    large: list[str] = field(default_factory=list)


def _judged(changes: Sequence[Change], checkpoint: Facts) -> list[str]:
    """Return files to read for what they say about tests: all Python files, and tests in other languages."""
    return [
        change.path
        for change in changes
        if is_readable(change.path)
        and LINK not in {change.mode_before, change.mode_after}
        and (change.path.endswith(".py") or _may_hold_tests(change.path, checkpoint))
    ]


def _may_hold_tests(path: str, checkpoint: Facts) -> bool:
    return is_test_file(path, checkpoint.settings) or is_support(path) or stands_in_source(path)


def _unjudged(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    """Yield notices for people about files that could not be read and so cannot be compared."""
    was, now = read_source(path, old), read_source(path, new)
    if now.fault:
        yield f"not read: {path} ({now.fault})"
    if new is not None and (was.fault or was.unread):
        yield f"not read as it was before: {path} ({was.fault or was.unread})"


def _is_git(part: str) -> bool:
    # Other file systems treat ".git " and "GIT~1" as .git.
    return part.lower().rstrip(". ") in {".git", "git~1"}


def _added(old: bytes | None, new: bytes | None) -> list[str]:
    was = set((old or b"").decode("utf-8", "replace").splitlines())
    return [line for line in (new or b"").decode("utf-8", "replace").splitlines() if line not in was]


def _notices(change: Change, data: bytes | None) -> Iterator[str]:
    if change.status == "D":
        return
    if change.mode_after == LINK:
        yield f"link: {change.path} -> {(data or b'').decode('utf-8', 'replace')[:200]}"
        return
    if change.mode_after == EXECUTABLE and change.mode_before != EXECUTABLE:
        yield f"executable: {change.path}"
    if data is not None and b"\0" in data[:8_000]:
        yield f"binary: {change.path} ({len(data):,} bytes)"
    name = posixpath.basename(change.path)
    if name in INSTALL_SCRIPTS or (name == "package.json" and b"install" in (data or b"")):
        yield f"run by tools: {change.path}"
