"""Uses kernel watches to find where a large work tree may differ, so that not all of it must be checked.

Every file of the index and every folder above one is watched. A file that was opened or changed is compared
with the index, and a new name is looked up. All other files are known to be unchanged. Everything is checked
if there are no watches, or if they cannot tell: too many events for the kernel's queue, a folder of the tree
was created or removed, or the ignore rules changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.git.index_file import Index

# With fewer files, checking all of them costs less than watching.
FROM_FILES = 3_000
MOST_FILES = 5_000
MOST_NAMES = 500
RULES = ".gitignore"
READ_BY_GIT = frozenset({RULES, ".gitattributes"})


@dataclass(frozen=True, slots=True)
class Narrow:
    """The files and names to check.

    Attributes:
        index: an index file of the files that may differ.
        names: names that may exist and are not in the index.
    """

    index: bytes
    names: tuple[str, ...]


class Watched:
    """The watches on one work tree.

    Args:
        sandbox: its files are watched.
        from_files: see `FROM_FILES`.
    """

    def __init__(self, sandbox: Sandbox, *, from_files: int = FROM_FILES) -> None:
        self._sandbox = sandbox
        self._from_files = from_files
        self._index: Index | None = None  # None: nothing is known
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._names: set[str] = set()
        self._made: set[str] = set()
        self._given_up = False

    def forget(self) -> None:
        """Know nothing from here on, until `begin`."""
        self._index = None

    @property
    def alive(self) -> bool:
        """Whether the watches know anything."""
        return self._index is not None

    def worth(self, data: bytes) -> Index | None:
        """Parse the index file; None if watching its work tree is impossible or not worth it."""
        if self._given_up:
            return None
        try:
            index = Index(data)
        except ValueError:
            return None
        return index if len(index) >= self._from_files else None

    async def begin(self, index: Index, names: Iterable[str]) -> None:
        """Start watching a work tree that matches the index.

        Args:
            index: as returned by `worth`.
            names: other names in its folders that may come to hold files that are not ignored: folders, and
                ignore rules outside the tree.
        """
        others = set(names)
        self.forget()
        self._sandbox.touched()  # everything touched before has been checked
        if decides(name for name in others if name not in index):
            return
        if not await self._sandbox.watch([*index.paths], sorted(index.folders)):
            self._given_up = True  # no watches here, or not this many; all were requested
            return
        self._index, self._folders = index, set(index.folders)
        self._files, self._names = set(), {name for name in others if not _is_rule(name)}

    async def go_on(self, data: bytes, changed: Collection[str]) -> None:
        """Take over a new index that differs in these paths; everything touched before is settled."""
        index = Index(data)
        folders = index.folders - self._folders
        if not await self._sandbox.watch([path for path in changed if path in index], sorted(folders)):
            self.forget()
            return
        self._index = index
        self._folders |= folders
        self._files.clear()
        # A folder that no longer holds files of the tree can become anything.
        self._names = {name for name in self._names if name not in index} | (self._folders - index.folders)

    def narrow(self) -> Narrow | None:
        """Return where to look now; None: everywhere."""
        if self._index is None:
            return None
        touched = self._sandbox.touched()
        if touched is None or touched.folders & self._folders:
            self.forget()
            return None
        for path in touched.files | touched.entries | touched.folders:
            (self._files if path in self._index else self._names).add(path)
        # A folder that replaced a file holds files that are not in the index.
        self._names |= touched.folders
        others = decides(touched.entries | self._names)
        if others or len(self._files) > MOST_FILES or len(self._names) > MOST_NAMES:
            self.forget()
            return None
        # Do not ask git about names below another name: it reports a nested repository only if asked for that
        # alone.
        self._names = {name for name in self._names if not self._names.intersection(_folders(name))}
        return Narrow(self._index.only(self._files), tuple(sorted(self._names)))

    def surprised(self, written: Collection[str]) -> bool:
        """Return whether our own check and write touched something without a reason.

        Nothing ran in the sandbox meanwhile, but code there can have redirected the operation with a link.
        Then everything must be checked.

        Args:
            written: the paths it had reason to touch, besides those of `narrow`.
        """
        if self._index is None:
            return False
        by_us = self._sandbox.touched()
        if by_us is None:
            return True
        read = {path for path in by_us.files if path.rpartition("/")[2] in READ_BY_GIT}
        touched = (by_us.files - read) | by_us.entries
        # Nothing watches folders that were created or recreated. Keep other names too, whatever they are.
        self._made |= by_us.folders | {path for path in by_us.entries if path not in self._index}
        return any(path in self._index for path in touched.difference(written, self._files))

    def settle(self, there: Collection[str] | None) -> None:
        """Note that everything touched was checked, and rewritten if it was wrong.

        Args:
            there: the names that exist; None: not known.
        """
        self._files.clear()
        if there is not None:
            self._names.intersection_update(there)
        self._names |= self._made
        self._made = set()


def decides(changed: Iterable[str]) -> bool:
    """Return whether one of these paths decides which other files are ignored."""
    return any(map(_is_rule, changed))


def _is_rule(path: str) -> bool:
    return path.rpartition("/")[2] == RULES


def _folders(path: str) -> Iterator[str]:
    """Yield the folders above a path, nearest first, without the root."""
    while path := path.rpartition("/")[0]:
        yield path
