"""The scratch clone: packs carry bytes in and out, and git runs in the sandbox on a fresh git folder.

An index of the work tree makes it fast: git's record of each file's change time, number, size and mode. The
loop holds the index where the sandbox cannot write. Code in the sandbox can reset a file's modification time,
but not its change time. So one status check finds the files that differ, and only those are read or written.
If no process has run in the sandbox since the last check, no check is needed.
"""

from __future__ import annotations

import asyncio
import posixpath
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.errors import DeadlineError, SandboxCallError
from autonomous_loop.git import workspace_protocol as calls
from autonomous_loop.git.repository import PACK_LIMIT, Differences, Repository
from autonomous_loop.git.tree_edit import Entry
from autonomous_loop.git.workspace_protocol import Call, Writing
from autonomous_loop.git.workspace_watch import Narrow, Watched, decides

TIMEOUT_S = 180.0
# Older kernels record a file's change time in ticks of up to 10 ms.
TICKS_S = 0.025
# git compares change times by the second. Up to this many files are compared by content instead. For more
# files it is cheaper to wait until the second is over.
MOST_RECENT = 50
ROUNDS = 4
MOST_REPAIRED = 1_000
GITLINK = "160000"
# This file's rules change how other files are written. If it differs, write all files again.
ATTRIBUTES = ".gitattributes"


class _Unusual(SandboxCallError):  # noqa: N818 - a way, not a fault
    """The work tree is in a state that only a complete rewrite repairs."""


@dataclass(frozen=True, slots=True)
class _Found:
    """How the work tree differs from its index.

    Attributes:
        modified: changed paths, with their current mode ("": the file is gone).
        untracked: paths that are not in the index; a repository ends with a slash.
        complaints: git's messages about what it could not check.
        rows: the index rows that were requested.
        there: the requested names that exist.
    """

    modified: Mapping[str, str]
    untracked: frozenset[str]
    complaints: str
    rows: Mapping[str, Entry]
    there: Sequence[str]

    @classmethod
    def of(
        cls, modified: bytes, untracked: bytes, complaints: bytes, there: bytes, rows: bytes = b""
    ) -> _Found:
        fields = calls.split(modified)
        modes = {path: head.split(" ")[1] for head, path in zip(fields[::2], fields[1::2], strict=True)}
        return cls(
            {path: "" if mode == "000000" else mode for path, mode in modes.items()},
            frozenset(calls.split(untracked)),
            complaints.decode("utf-8", "replace").strip()[:500],
            _entries(rows),
            calls.split(there),
        )


@dataclass(slots=True)
class _State:
    """The known state of the work tree.

    Attributes:
        tree: the tree that `index` describes.
        index: path of git's index, made while nothing ran in the sandbox; the sandbox can read it.
        here: the tree that was written last. The work tree holds it as long as nothing runs in the sandbox.
        touched: paths written since the index was made, or in the same second; the index cannot tell whether
            they are unchanged. Each has its entry in `tree`.
        started: `Sandbox.started` when the work tree was last known to hold `here`. After one more process
            the work tree may hold anything.
    """

    tree: TreeSha
    index: str
    here: TreeSha
    started: int
    touched: dict[str, Entry | None]


class ScratchWorkspace:
    """Implements `Workspace`.

    Args:
        sandbox: runs every command.
        repository: the loop's own repository; takes what is proved.
        watched: knows which parts of a large work tree may differ.
    """

    def __init__(self, sandbox: Sandbox, repository: Repository, *, watched: Watched | None = None) -> None:
        self._sandbox = sandbox
        self._watched = watched or Watched(sandbox)
        self._repository = repository
        self._state: _State | None = None
        self._started = 0  # the process count, if only our own have started since all were ended

    async def open(self, commit: CommitSha) -> None:
        """See `Workspace`."""
        self._state = None
        self._watched.forget()
        await self._end_all()
        tree = self._repository.tree_of(commit)
        store = posixpath.join(self._sandbox.temporary, f"store-{secrets.token_hex(8)}.git")
        (index,) = await self._run(calls.fill_empty(tree, self._repository.pack([tree], []), store), 1)
        await self._remember(tree, index)

    async def take(self) -> TreeSha:
        """See `Workspace`."""
        state = self._opened()
        if await self._quiet(state):
            return state.here
        found = await self._look(state)
        # Compare paths that were written since the index was made by content.
        by_content = any(found.rows.get(path) != entry for path, entry in state.touched.items())
        by_status = (found.modified.keys() | found.untracked) - state.touched.keys()
        if not by_content and not by_status:
            self._settle(state, state.tree, found)
            return state.tree
        return await self._update(state, found)

    async def switch(self, tree: TreeSha) -> None:
        """See `Workspace`."""
        state = self._opened()
        try:
            if await self._quiet(state):
                await self._write(state, tree)
            else:
                await self._restore(state, tree)
        except DeadlineError:
            raise
        except SandboxCallError:
            await self._end_all()
            await self._refill(state, tree)

    # --- taking -------------------------------------------------------------------------------------------

    async def _look(self, state: _State) -> _Found:
        if narrow := self._watched.narrow():
            call = calls.look(state.index, list(state.touched), open_up=False, narrow=narrow)
            found = _Found.of(*await self._run(call, 5))
            changed = found.modified.keys() - state.touched.keys()
            changed |= {path for path, entry in state.touched.items() if found.rows.get(path) != entry}
            wide = found.complaints or decides(changed) or self._watched.surprised(state.touched)
            if not wide:
                return found
            self._watched.forget()
        for open_up in (False, True):
            call = calls.look(state.index, list(state.touched), open_up=open_up, narrow=None)
            found = _Found.of(*await self._run(call, 5))
            if not found.complaints:
                return found
        raise SandboxCallError(f"the work tree cannot be taken: {found.complaints}")

    async def _update(self, state: _State, found: _Found) -> TreeSha:
        nested = [path for path in found.untracked if path.endswith("/")]
        nested += [path for path, mode in found.modified.items() if mode == GITLINK]
        if nested:
            raise SandboxCallError(
                f"{nested[0].rstrip('/')} is a repository inside the work tree;"
                " it would be taken as a gitlink",
                hint="remove its .git folder, or the folder.",
            )
        there = {path for path, mode in found.modified.items() if mode} | found.untracked | found.rows.keys()
        gone = (found.modified.keys() | state.touched.keys()) - there
        answer = await self._run(calls.update(state.index, sorted(gone), sorted(there)), 4)
        rows, pack, times, index = answer
        entries: dict[str, Entry | None] = dict.fromkeys(gone)
        entries |= _entries(rows)
        if entries.keys() != gone | there:
            raise SandboxCallError("the work tree cannot be taken: git did not read what it was asked to")
        if there:
            self._repository.unpack(pack)
        tree = self._repository.graft(state.tree, entries)
        changed = {path: int(when) for when, _, path in (row.partition(" ") for row in calls.split(times))}
        await self._remember(tree, index, {path: (entries[path], when) for path, when in changed.items()})
        return tree

    # --- switching ----------------------------------------------------------------------------------------

    async def _write(self, state: _State, tree: TreeSha) -> None:
        """Write only the differences between the two trees; nothing ran in the sandbox since."""
        if changes := self._changes(state.here, tree):
            for path, (before, _) in changes.items():
                state.touched.setdefault(path, before)
            wanted = {path: new for path, (_, new) in changes.items()}
            await self._run(calls.write(self._writing(wanted)), 0)
            if self._watched.surprised(wanted):
                self._watched.forget()
        self._settle(state, tree, None)

    async def _restore(self, state: _State, tree: TreeSha) -> None:
        """Write the differences and check everything, until nothing else differs; the sandbox ran."""
        changes = self._changes(state.tree, tree)
        for path, (before, _) in changes.items():
            state.touched.setdefault(path, before)
        wanted = state.touched | {path: new for path, (_, new) in changes.items()}
        narrow = self._watched.narrow()
        if not await self._bring(state, tree, wanted, narrow):
            self._watched.forget()
            await self._bring(state, tree, wanted, None)

    async def _bring(
        self, state: _State, tree: TreeSha, wanted: dict[str, Entry | None], narrow: Narrow | None
    ) -> bool:
        """Return False if the findings require a check of everything."""
        added = {path for path, entry in wanted.items() if entry and not state.touched[path]}
        # git lists an untracked folder even if it is empty, but not next to paths that the index lacks.
        clean = bool(added)
        for turn in range(ROUNDS):
            folders = turn == 0 and not added
            call = calls.write_and_scan(
                self._writing(wanted), state.index, clean=clean, folders=folders, narrow=narrow
            )
            found = _Found.of(*await self._run(call, 4))
            strange = [path for path in found.modified if path not in wanted]
            if narrow and (decides(strange) or self._watched.surprised(wanted)):
                return False
            if found.complaints or len(strange) > MOST_REPAIRED or ATTRIBUTES in _names(strange):
                raise _Unusual(found.complaints)
            clean = not added.issuperset(found.untracked)
            if not strange and not clean:
                self._settle(state, tree, found)
                return True
            for path, entry in self._repository.look_up(tree, strange).items():
                wanted[path] = state.touched[path] = entry
        raise _Unusual("it does not come to rest")

    async def _refill(self, state: _State, tree: TreeSha) -> None:
        """Write the whole tree again, because the work tree is in an unusual state."""
        self._watched.forget()
        gone = {
            path
            for before in {state.tree, state.here}
            for path, (_, new) in self._repository.differences(before, tree).items()
            if new is None
        }
        call = calls.fill(tree, self._repository.pack([tree], []), sorted(gone))
        (index,) = await self._run(call, 1)
        await self._remember(tree, index)

    def _changes(self, before: TreeSha, after: TreeSha) -> Differences:
        changes = self._repository.differences(before, after) if before != after else {}
        modes = {entry.mode for sides in changes.values() for entry in sides if entry}
        if GITLINK in modes or ATTRIBUTES in _names(changes):
            raise _Unusual("attributes or submodules differ")
        if decides(changes):
            self._watched.forget()
        return changes

    def _writing(self, wanted: Mapping[str, Entry | None]) -> Writing:
        there = _existing(wanted)
        blobs = [entry.sha for entry in there.values()]
        pack = self._repository.pack_objects(blobs) if blobs else b""
        return Writing([path for path, entry in wanted.items() if entry is None], there, pack)

    # --- both ---------------------------------------------------------------------------------------------

    async def _quiet(self, state: _State) -> bool:
        """End all processes, then return whether nothing ran in the sandbox since the work tree was known."""
        await self._end_all()
        return self._started == state.started

    async def _end_all(self) -> None:
        await self._sandbox.end_all()
        self._started = self._sandbox.started

    async def _remember(
        self, tree: TreeSha, index: bytes, changed: Mapping[str, tuple[Entry | None, int]] | None = None
    ) -> None:
        """Keep a new index, and the paths for which it cannot be trusted.

        Args:
            tree: the tree that the index describes.
            index: made a moment ago.
            changed: the files that may have changed recently, each with its entry and its change time in
                seconds; None: all files.
        """
        # Until the current second is over, the sandbox could change a file again and git would see the same
        # change time. (Subtract some ticks, because the kernel's timestamps lag behind the clock.)
        now = time.time()
        second = int(now - TICKS_S)
        if changed is None:
            few = islice(self._repository.entries(tree), MOST_RECENT + 1)
            changed = {path: (Entry(mode, sha), second) for mode, sha, path in few if mode != GITLINK}
        recent = {path: entry for path, (entry, when) in changed.items() if when >= second}
        if len(recent) > MOST_RECENT:
            recent = {}
            await asyncio.sleep(int(now) + 1 - time.time())
        await asyncio.sleep(TICKS_S)
        lent = self._sandbox.lend(index)
        await self._watch(index, changed)
        self._state = _State(tree, lent, tree, self._started, recent)

    async def _watch(self, index: bytes, changed: Collection[str]) -> None:
        """From now on, have the kernel report every touched file of a large tree."""
        if self._watched.alive:
            before = self._sandbox.started
            await self._watched.go_on(index, changed)
        elif (rows := self._watched.worth(index)) is not None:
            try:
                (names,) = await self._run(calls.folders(sorted(rows.folders)), 1)
            except SandboxCallError:
                return  # without watches, everything is checked
            before = self._sandbox.started
            await self._watched.begin(rows, calls.split(names))
        else:
            return
        self._started += min(1, self._sandbox.started - before)  # the process that adds the watches

    def _settle(self, state: _State, tree: TreeSha, found: _Found | None) -> None:
        self._watched.settle(found.there if found else None)
        state.here, state.started = tree, self._started

    async def _run(self, call: Call, parts: int) -> list[bytes]:
        """Run one operation in the sandbox, with no other process alive there; return the answer's parts."""
        self._started += 1
        git_dir = posixpath.join(self._sandbox.temporary, f"take-{secrets.token_hex(8)}.git")
        done = await self._sandbox.run(
            call.argv(git_dir),
            program=calls.PROGRAM,
            timeout_s=TIMEOUT_S,
            env=calls.ENV,
            stdin=call.stdin,
            cwd=self._sandbox.work,
            max_output=PACK_LIMIT,
            merge_stderr=False,
        )
        if done.exit_code is None:
            raise DeadlineError(f"the work tree was not {call.what} within {TIMEOUT_S:.0f} s")
        said = done.stderr.decode("utf-8", "replace").strip()[:500]
        if done.exit_code != 0:
            raise SandboxCallError(f"the work tree cannot be {call.what}: {said}")
        try:
            return calls.parted(done.stdout, parts) if parts else []
        except ValueError:
            raise SandboxCallError(f"the work tree cannot be {call.what}: git gave no answer") from None

    def _opened(self) -> _State:
        if self._state is None:
            raise SandboxCallError("the scratch clone is not open")
        return self._state


def _names(paths: Iterable[str]) -> set[str]:
    return {path.rpartition("/")[2] for path in paths}


def _existing(entries: Mapping[str, Entry | None]) -> dict[str, Entry]:
    return {path: entry for path, entry in entries.items() if entry is not None}


def _entries(rows: bytes) -> dict[str, Entry]:
    """Parse rows of `git ls-files -s`."""
    found = {}
    for row in calls.split(rows):
        head, _, path = row.partition("\t")
        mode, sha, _ = head.split(" ")
        found[path] = Entry(mode, sha)
    return found
