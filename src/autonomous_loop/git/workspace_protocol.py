"""The calls of `workspace_agent`, which runs git in the scratch clone, and the encoding of their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autonomous_loop.git import workspace_agent
from autonomous_loop.git.workspace_watch import Narrow

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.autocrlf": "false",
    "core.bare": "false",
    "core.fileMode": "true",
    "core.symlinks": "true",
    # The sandbox cannot forge a file's change time, so git may trust the index by it.
    "core.trustctime": "true",
    "core.checkStat": "default",
    "core.excludesFile": "/dev/null",
    "core.attributesFile": "/dev/null",
}
ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_SETTINGS.values())},
}
PROGRAM = Path(workspace_agent.__file__).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its arguments and its standard input.

    Attributes:
        what: a participle for messages, as in "the work tree cannot be ...".
        operation: the program's operation.
        index: path of the index that the program may read.
        arguments: the other arguments.
        stdin: the concatenated parts.
    """

    what: str
    operation: str
    index: str
    arguments: tuple[str, ...]
    stdin: bytes

    def argv(self, git_dir: str) -> list[str]:
        """Return the program's arguments; the git folder must not exist yet."""
        return ["scratch", self.operation, git_dir, self.index, *self.arguments]


@dataclass(frozen=True, slots=True)
class Writing:
    """Paths to remove and to write.

    Attributes:
        gone: paths to remove.
        rows: mode and blob of each path to write.
        pack: the blobs.
    """

    gone: Sequence[str] = ()
    rows: Mapping[str, tuple[str, str]] | None = None
    pack: bytes = b""

    def parts(self) -> tuple[bytes, ...]:
        """Return the parts for `workspace_agent.write`."""
        above = {path.rpartition("/")[0] for path in self.gone} - {""}
        rows = [f"{mode} {sha}\t{path}" for path, (mode, sha) in (self.rows or {}).items()]
        # The deepest first: a folder can be removed when everything below it is gone.
        return joined(self.gone), joined(sorted(above, reverse=True)), joined(rows), self.pack


def write(writing: Writing) -> Call:
    """Write and remove some paths; there is no answer."""
    return _call("switched", "write", "", writing.parts())


def write_and_scan(
    writing: Writing, index: str, *, clean: bool, folders: bool, narrow: Narrow | None
) -> Call:
    """Write, then check; the answer is modified (raw), untracked, complaints, existing names.

    Args:
        index: the index to compare the work tree with.
        clean: first remove what is neither in the index nor ignored.
        folders: list an untracked folder instead of its content, even if it is empty (or holds only ignored
            files).
        narrow: where to look; None: everywhere.
    """
    options = ("--directory",) if folders else ()
    parts = (*writing.parts(), *_where(narrow))
    return _call("switched", "write_and_scan", index, parts, first=_said(clean), options=options)


def look(index: str, paths: Sequence[str], *, open_up: bool, narrow: Narrow | None) -> Call:
    """Compare the work tree with `index`; answers like `write_and_scan`, plus rows of `paths`."""
    return _call("taken", "look", index, (joined(paths), *_where(narrow)), first=_said(open_up))


def folders(known: Sequence[str]) -> Call:
    """Find what else is in these folders; the answer is paths of folders and of ignore rules."""
    return _call("watched", "folders", "", (joined(known),))


def update(index: str, gone: Sequence[str], paths: Sequence[str]) -> Call:
    """Read `paths` again; the answer is rows, a pack of blobs, change times (s), and the updated index."""
    return _call("taken", "update", index, (joined(gone), joined(paths)))


def fill(tree: str, pack: bytes, gone: Sequence[str]) -> Call:
    """Write a whole tree over the existing files, but keep ignored ones; the answer is its index."""
    removed = joined(gone)
    return Call("switched", "fill", "", (tree, str(len(removed))), removed + pack)


def fill_empty(tree: str, pack: bytes, store: str) -> Call:
    """Write a tree to an emptied work tree, with a git folder for the model; the answer is its index.

    Args:
        store: a folder, created here, for the objects of the model's git.
    """
    return Call("opened", "fill_empty", "", (tree, store), pack)


def joined(rows: Sequence[str]) -> bytes:
    """Join the rows, each ended by NUL."""
    return "".join(f"{row}\0" for row in rows).encode("utf-8", "surrogateescape")


def parted(answer: bytes, count: int) -> list[bytes]:
    """Split an answer into its parts.

    Raises:
        ValueError: the answer is malformed.
    """
    *lengths, rest = answer.split(b"\n", count)
    parts = []
    for length in map(int, lengths):
        parts.append(rest[:length])
        rest = rest[length:]
    if rest or len(parts) != count:
        raise ValueError("the parts are not as long as they say")
    return parts


def split(data: bytes) -> list[str]:
    """Split data into its NUL-terminated strings."""
    return data.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _call(
    what: str,
    operation: str,
    index: str,
    parts: Sequence[bytes | None],
    *,
    first: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Call:
    sizes = ["" if part is None else str(len(part)) for part in parts]
    return Call(what, operation, index, (*first, *sizes, *options), b"".join(part or b"" for part in parts))


def _where(narrow: Narrow | None) -> tuple[bytes | None, bytes]:
    return (narrow.index, joined(narrow.names)) if narrow else (None, b"")


def _said(yes: bool) -> tuple[str]:  # noqa: FBT001 - an argument as text
    return ("yes" if yes else "",)
