"""Reads git's index of a work tree, just enough to make a smaller index with some of its rows unchanged.

Source: gitformat-index(5), versions 2 and 3.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from functools import cached_property

_HEAD = struct.Struct(">4sII")
_FLAGS_AT = 60  # after the times, inode, mode, owner, size and object id
_MODE_AT = 26  # the byte of the mode that holds the file type
_GITLINK = 0o160000 >> 8
_EXTENDED = 0x4000
_LENGTH = 0x0FFF


class Index:
    """The rows of an index file.

    Args:
        data: the file's content.

    Raises:
        ValueError: the version is unknown, or the index has a nested repository (a gitlink).
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
            # If a name is as long as the flags can express, or longer, only its zero byte ends it.
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
        """All paths, in byte order."""
        return self._rows.keys()

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder above one of the paths; "" is the root."""
        found = {""}
        for path in self.paths:
            folder = path.rpartition("/")[0]
            while folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    def only(self, paths: Iterable[str]) -> bytes:
        """Return an index file with the rows of these paths; the index must hold all of them."""
        there = sorted((path.encode("utf-8", "surrogateescape"), self._rows[path]) for path in set(paths))
        rows = [self._data[place] for _, place in there]
        made = b"".join([_HEAD.pack(b"DIRC", self._version, len(rows)), *rows])
        return made + hashlib.sha1(made, usedforsecurity=False).digest()
