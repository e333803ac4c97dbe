"""Changes a few paths of a tree; the cost depends on these paths, not on the size of the tree."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.errors import SandboxCallError

_TREE = "40000"
_TREE_IN_A_PACK = 2


class Entry(NamedTuple):
    """A tree's entry for a path: git's mode and the object's id."""

    mode: str
    sha: str


Read = Callable[[str], bytes]  # returns the content of a tree object


@dataclass(slots=True)
class _Node:
    """The changes at one name: the file itself, and everything below it."""

    changed: bool = False
    entry: Entry | None = None
    below: dict[str, _Node] = field(default_factory=dict)


def look_up(read: Read, tree: TreeSha, paths: Iterable[str]) -> dict[str, Entry | None]:
    """Return the entry of each path in `tree`; None if it is absent or a folder."""
    known: dict[str, dict[str, Entry]] = {"": _parsed(read, tree)}

    def folder(path: str) -> dict[str, Entry]:
        if path not in known:
            above, _, name = path.rpartition("/")
            entry = folder(above).get(name)
            known[path] = _parsed(read, entry.sha) if entry is not None and entry.mode == _TREE else {}
        return known[path]

    found: dict[str, Entry | None] = {}
    for path in paths:
        above, _, name = path.rpartition("/")
        entry = folder(above).get(name)
        found[path] = entry if entry is not None and entry.mode != _TREE else None
    return found


def graft(
    read: Read, base: TreeSha, changes: Mapping[str, Entry | None]
) -> tuple[TreeSha, Mapping[str, bytes]]:
    """Put these files into `base` (None removes one); create and remove folders as needed.

    Returns:
        The tree, and by id the tree objects that it needs besides those of `base`.

    Raises:
        SandboxCallError: no tree may hold one of the paths.
    """
    root = _Node()
    for path, entry in changes.items():
        node = root
        for name in path.split("/"):
            if name in {"", ".", ".."} or name.lower() == ".git":
                raise SandboxCallError(f"the work tree cannot be taken: {path!r} is no path of a project.")
            node = node.below.setdefault(name, _Node())
        node.changed, node.entry = True, entry
    made: dict[str, bytes] = {}
    return TreeSha(_build(read, base, root, made) or _make({}, made)), made


def pack_of(trees: Mapping[str, bytes]) -> bytes:
    """Return a pack of tree objects (gitformat-pack(5), version 2)."""
    pack = bytearray(struct.pack(">4sII", b"PACK", 2, len(trees)))
    for data in trees.values():
        size = len(data)
        byte = _TREE_IN_A_PACK << 4 | size & 0x0F
        size >>= 4
        while size:
            pack.append(byte | 0x80)
            byte = size & 0x7F
            size >>= 7
        pack.append(byte)
        pack += zlib.compress(data, 1)
    return bytes(pack + hashlib.sha1(pack, usedforsecurity=False).digest())


def _build(read: Read, base: str | None, node: _Node, made: dict[str, bytes]) -> str | None:
    """Return the id of the new tree, or None if the tree is empty."""
    entries = _parsed(read, base) if base is not None else {}
    for name, change in node.below.items():
        was = entries.get(name)
        is_folder = was is not None and was.mode == _TREE
        if change.changed and not is_folder:
            entries.pop(name, None)
        if change.below:
            below = _build(read, was.sha if was is not None and is_folder else None, change, made)
            if below is not None:
                entries[name] = Entry(_TREE, below)
            elif is_folder:
                del entries[name]
        if change.entry is not None:
            entries[name] = change.entry
    return _make(entries, made) if entries else None


def _parsed(read: Read, tree: str) -> dict[str, Entry]:
    data = read(tree)
    length = len(tree) // 2
    entries: dict[str, Entry] = {}
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + length
        sha = data[end + 1 : at].hex()
        entries[name.decode("utf-8", "surrogateescape")] = Entry(mode.decode("ascii"), sha)
    return entries


def _make(entries: Mapping[str, Entry], made: dict[str, bytes]) -> str:
    rows = [
        (name.encode("utf-8", "surrogateescape"), entry.mode.lstrip("0").encode(), bytes.fromhex(entry.sha))
        for name, entry in entries.items()
    ]
    # git sorts a folder as if its name ended with a slash.
    rows.sort(key=lambda row: row[0] + b"/" if row[1] == _TREE.encode() else row[0])
    data = b"".join(b"%s %s\0%s" % (mode, name, sha) for name, mode, sha in rows)
    sha = hashlib.sha1(b"tree %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()
    made[sha] = data
    return sha
