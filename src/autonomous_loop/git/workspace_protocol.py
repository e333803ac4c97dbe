"""What git is told to do in the scratch clone: calls of `scratch_program`, and how bytes go in and out."""

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
    # The change time of a file is what the hands cannot forge: the index is believed for it.
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
        what: for messages: the work tree cannot be so.
        operation: of the program.
        index: path of the index it is lent.
        arguments: the others.
        stdin: the parts.
    """

    what: str
    operation: str
    index: str
    arguments: tuple[str, ...]
    stdin: bytes

    def argv(self, git_dir: str) -> list[str]:
        """For the program, on a git folder that does not exist yet."""
        return ["scratch", self.operation, git_dir, self.index, *self.arguments]


@dataclass(frozen=True, slots=True)
class Writing:
    """Paths to remove and to write.

    Attributes:
        gone: paths that shall not be.
        rows: mode and blob by path, of those that shall.
        pack: the blobs.
    """

    gone: Sequence[str] = ()
    rows: Mapping[str, tuple[str, str]] | None = None
    pack: bytes = b""

    def parts(self) -> tuple[bytes, ...]:
        """For `workspace_agent.write`."""
        above = {path.rpartition("/")[0] for path in self.gone} - {""}
        rows = [f"{mode} {sha}\t{path}" for path, (mode, sha) in (self.rows or {}).items()]
        # The deepest first: a folder goes when all below it are gone.
        return joined(self.gone), joined(sorted(above, reverse=True)), joined(rows), self.pack


def write(writing: Writing) -> Call:
    """Bring some paths into their state; answers nothing."""
    return _call("switched", "write", "", writing.parts())


def write_and_scan(
    writing: Writing, index: str, *, clean: bool, folders: bool, narrow: Narrow | None
) -> Call:
    """The same, then look; answers modified (raw), untracked, complaints, the names that are there.

    Args:
        index: what the work tree is compared with.
        clean: first remove what is neither in the index nor ignored.
        folders: an untracked folder stands for what is in it, and is shown even where it is empty (or holds
            ignored files alone).
        narrow: where to look; None: everywhere.
    """
    options = ("--directory",) if folders else ()
    parts = (*writing.parts(), *_where(narrow))
    return _call("switched", "write_and_scan", index, parts, first=_said(clean), options=options)


def look(index: str, paths: Sequence[str], *, open_up: bool, narrow: Narrow | None) -> Call:
    """Compare the work tree with `index`; answers as `write_and_scan`, and rows of `paths`."""
    return _call("taken", "look", index, (joined(paths), *_where(narrow)), first=_said(open_up))


def folders(known: Sequence[str]) -> Call:
    """What else there is in these folders; answers paths of folders, and of rules of what is ignored."""
    return _call("watched", "folders", "", (joined(known),))


def update(index: str, gone: Sequence[str], paths: Sequence[str]) -> Call:
    """Read `paths` anew; answers rows, a pack of their blobs, change times (s), and the index with them."""
    return _call("taken", "update", index, (joined(gone), joined(paths)))


def fill(tree: str, pack: bytes, gone: Sequence[str]) -> Call:
    """Write all of a tree over whatever there is, keeping ignored files; answers its index."""
    removed = joined(gone)
    return Call("switched", "fill", "", (tree, str(len(removed))), removed + pack)


def fill_empty(tree: str, pack: bytes, store: str) -> Call:
    """Write a tree to an emptied work tree, with a git folder for the model; answers its index.

    Args:
        store: a folder for the model's git's objects, made here.
    """
    return Call("opened", "fill_empty", "", (tree, store), pack)


def joined(rows: Sequence[str]) -> bytes:
    """Each ended by NUL."""
    return "".join(f"{row}\0" for row in rows).encode("utf-8", "surrogateescape")


def parted(answer: bytes, count: int) -> list[bytes]:
    """The parts of an answer.

    Raises:
        ValueError: it is not one.
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
    """What NUL ended."""
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
