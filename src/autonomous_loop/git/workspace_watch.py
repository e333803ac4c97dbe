"""Where in a large work tree something may differ, by the kernel's word; so that not all of it is looked at.

Every file of the index and every folder above one is watched. A file that was opened or changed is compared
with the index, a name that appeared is looked up; of all others it is known that they are as they were. What
the watches cannot tell is told by looking at everything, as where there are none: more happened than the
kernel keeps, a folder of the tree's came or went, or the rules changed by which files are ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.git.index_file import Index

# Below so many files a look at all of them costs less than watching pays.
FROM_FILES = 3_000
MOST_FILES = 5_000
MOST_NAMES = 500
RULES = ".gitignore"
READ_BY_GIT = frozenset({RULES, ".gitattributes"})


@dataclass(frozen=True, slots=True)
class Narrow:
    """What is to be looked at.

    Attributes:
        index: of the files that may differ; an index file.
        names: what may be there and is not in the index.
    """

    index: bytes
    names: tuple[str, ...]


class Watched:
    """The watches on one work tree.

    Args:
        hands: their files are watched.
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
        """Nothing is known any more, until `begin`."""
        self._index = None

    @property
    def alive(self) -> bool:
        """Something is known."""
        return self._index is not None

    def worth(self, data: bytes) -> Index | None:
        """The index, of this file; None: to watch its work tree is not worth it, or not possible."""
        if self._given_up:
            return None
        try:
            index = Index(data)
        except ValueError:
            return None
        return index if len(index) >= self._from_files else None

    async def begin(self, index: Index, names: Iterable[str]) -> None:
        """Watch a work tree that is as the index says.

        Args:
            index: as `worth` gave it.
            names: what else is in its folders and may come to hold what is not ignored: folders, and rules
                that are not the tree's.
        """
        others = set(names)
        self.forget()
        self._sandbox.touched()  # what was touched before was looked at
        if decides(name for name in others if name not in index):
            return
        if not await self._sandbox.watch([*index.paths], sorted(index.folders)):
            self._given_up = True  # the kernel tells nothing, or not of so many: it was asked for all of them
            return
        self._index, self._folders = index, set(index.folders)
        self._files, self._names = set(), {name for name in others if not _is_rule(name)}

    async def go_on(self, data: bytes, changed: Collection[str]) -> None:
        """The index is another now, by these paths; what was touched before is settled."""
        index = Index(data)
        folders = index.folders - self._folders
        if not await self._sandbox.watch([path for path in changed if path in index], sorted(folders)):
            self.forget()
            return
        self._index = index
        self._folders |= folders
        self._files.clear()
        # A folder that holds nothing of the tree any more can come to be anything.
        self._names = {name for name in self._names if name not in index} | (self._folders - index.folders)

    def narrow(self) -> Narrow | None:
        """Where to look now; None: everywhere."""
        if self._index is None:
            return None
        touched = self._sandbox.touched()
        if touched is None or touched.folders & self._folders:
            self.forget()
            return None
        for path in touched.files | touched.entries | touched.folders:
            (self._files if path in self._index else self._names).add(path)
        # What is a folder now where a file was holds files that are not in the index.
        self._names |= touched.folders
        others = decides(touched.entries | self._names)
        if others or len(self._files) > MOST_FILES or len(self._names) > MOST_NAMES:
            self.forget()
            return None
        # Below one of them git is not asked: it shows a repository inside only where that is asked for alone.
        self._names = {name for name in self._names if not self._names.intersection(_folders(name))}
        return Narrow(self._index.only(self._files), tuple(sorted(self._names)))

    def surprised(self, written: Collection[str]) -> bool:
        """Whether what looked and wrote, no hands running, touched what it had no reason to.

        The hands can have led it elsewhere, by a link; then everything is to be looked at.

        Args:
            written: what it had reason to touch, besides what `narrow` told of.
        """
        if self._index is None:
            return False
        by_us = self._sandbox.touched()
        if by_us is None:
            return True
        read = {path for path in by_us.files if path.rpartition("/")[2] in READ_BY_GIT}
        touched = (by_us.files - read) | by_us.entries
        # Folders made or made anew: nothing watches them. Other names: whatever they are.
        self._made |= by_us.folders | {path for path in by_us.entries if path not in self._index}
        return any(path in self._index for path in touched.difference(written, self._files))

    def settle(self, there: Collection[str] | None) -> None:
        """What was touched was looked at, and written where it was wrong.

        Args:
            there: of the names, those that are there; None: not known.
        """
        self._files.clear()
        if there is not None:
            self._names.intersection_update(there)
        self._names |= self._made
        self._made = set()


def decides(changed: Iterable[str]) -> bool:
    """Whether one of these says which other files are ignored."""
    return any(map(_is_rule, changed))


def _is_rule(path: str) -> bool:
    return path.rpartition("/")[2] == RULES


def _folders(path: str) -> Iterator[str]:
    """The folders above, from the nearest on, without the root."""
    while path := path.rpartition("/")[0]:
        yield path
