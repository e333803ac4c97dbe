"""Git's index of a work tree, as far as it takes to make a smaller one: some of its rows, as they are.

Source: gitformat-index(5), versions 2 and 3.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from functools import cached_property

_HEAD = struct.Struct(">4sII")
_FLAGS_AT = 60  # after the times, the inode, the mode, the owner, the size and the object
_MODE_AT = 26  # the byte of the mode that holds the kind
_GITLINK = 0o160000 >> 8
_EXTENDED = 0x4000
_LENGTH = 0x0FFF


class Index:
    """The rows of an index file.

    Args:
        data: the file.

    Raises:
        ValueError: a version that is not known, or a repository inside (a gitlink).
    """

    def __init__(self, data: bytes) -> None:
        signature, version, count = _HEAD.unpack_from(data)
        if signature != b"DIRC" or version not in {2, 3}:
            raise ValueError("an index of another version")
        self._data = data
        self._version = version
        self._rows: dict[str, slice] = {}
        at = _HEAD.size
        for _ in range(count):
            if data[at + _MODE_AT] == _GITLINK:
                raise ValueError("an index with a gitlink")
            start = at + _FLAGS_AT + 2
            flags = data[start - 2] << 8 | data[start - 1]
            if flags & _EXTENDED:
                start += 2
            # A name as long as the flags can say, or longer, is ended by its zero byte alone.
            length = flags & _LENGTH
            end = start + length if length < _LENGTH else data.index(b"\0", start)
            after = end + 8 - (end - at) % 8
            self._rows[data[start:end].decode("utf-8", "surrogateescape")] = slice(at, after)
            at = after

    def __contains__(self, path: object) -> bool:
        return path in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def paths(self) -> Iterable[str]:
        """All of them, in the order of their bytes."""
        return self._rows.keys()

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder above one of them; "" is the root."""
        found = {""}
        for path in self.paths:
            folder = path.rpartition("/")[0]
            while folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    def only(self, paths: Iterable[str]) -> bytes:
        """An index file with the rows of these paths, which are in it."""
        there = sorted((path.encode("utf-8", "surrogateescape"), self._rows[path]) for path in set(paths))
        rows = [self._data[place] for _, place in there]
        made = b"".join([_HEAD.pack(b"DIRC", self._version, len(rows)), *rows])
        return made + hashlib.sha1(made, usedforsecurity=False).digest()
