"""What git does in the scratch clone: a program that runs as hands (see `scratch_calls`).

Each operation gets a git folder made anew and an index the hands cannot write: whatever configuration, index
or object they left behind, none of it is met. Arguments: the operation, the git folder, the index, and the
operation's own; standard input is the concatenation of parts whose lengths are arguments; standard output is
the lengths of the answer's parts, a line each, and the parts. Imports nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence

MOST_LEFT = 8
SLASH = ord("/")
EMPTY_INDEX = 32  # the head and the sum
# Bytecode that a run of Python left behind is nobody's work, also where the project does not ignore it.
BYTECODE = (b".pyc", b".pyo")
NOBODYS_WORK = ("-x", "__pycache__/", "-x", "*.py[co]")


class Failed(Exception):  # noqa: N818 - the command said on standard error what went wrong
    """A command ended with an exit code that is not 0."""


class Scratch:
    """Git on a folder of its own and on the work tree, the current folder.

    Args:
        folder: the git folder; does not exist yet.
        whole: the index of the whole work tree, lent ("": none).
    """

    def __init__(self, folder: str, whole: str) -> None:
        self.folder = folder
        self.whole = whole
        self.tiny = f"{folder}/tiny"  # an index of a few paths
        beside = os.path.dirname(folder)
        if os.path.islink(beside):  # by the hands: what we write is not to be theirs
            os.unlink(beside)
            os.mkdir(beside, 0o700)
        left = [f"{beside}/{name}" for name in os.listdir(beside) if name.startswith("take-")]
        if len(left) >= MOST_LEFT:
            run("rm", "-rf", "--", *left)  # of operations that were ended half-way
        os.makedirs(f"{folder}/objects/info")
        os.mkdir(f"{folder}/refs")
        self.keep("HEAD", b"ref: refs/heads/none\n")

    def keep(self, name: str, data: bytes) -> str:
        """A file in the git folder."""
        path = f"{self.folder}/{name}"
        with open(path, "wb") as file:
            file.write(data)
        return path

    def begin(self, *arguments: str | bytes, index: str = "", **streams: str) -> int:
        """Start git; see `begin`."""
        argv = ("git", f"--git-dir={self.folder}", "--work-tree=.", *arguments)
        return begin(*argv, env={"GIT_INDEX_FILE": index} if index else None, **streams)

    def git(self, *arguments: str, index: str = "", feed: bytes | None = None, **streams: str) -> None:
        """Run git; `feed` is its standard input (None: this process's own)."""
        if feed is not None:
            streams["stdin"] = self.keep("input", feed)
        end(self.begin(*arguments, index=index, **streams))

    def answer(self, *names: str) -> None:
        """Write these files of the git folder to standard output."""
        parts = []
        for name in names:
            with open(f"{self.folder}/{name}", "rb") as file:
                parts.append(file.read())
        lengths = b"".join(b"%d\n" % len(one) for one in parts)
        sys.stdout.buffer.write(b"".join([lengths, *parts]))

    def close(self) -> None:
        """Remove the git folder: here that is less than a process of its own would take later."""
        for here, _, files in os.walk(self.folder, topdown=False):
            for name in files:
                os.unlink(f"{here}/{name}")
            os.rmdir(here)


# --- the operations ---------------------------------------------------------------------------------------


def write(scratch: Scratch, sizes: Sequence[str]) -> None:
    """Remove and write the given paths, and no others.

    Args:
        scratch: git.
        sizes: of paths to remove, of folders that may be empty then (the deepest first), of rows of an index,
            of a pack of their blobs.
    """
    gone, above, rows, pack = map(part, sizes)
    remove(gone.split(b"\0")[:-1])
    for folder in above.split(b"\0")[:-1]:
        with contextlib.suppress(OSError):
            while folder:
                os.rmdir(folder)
                folder = folder.rpartition(b"/")[0]  # noqa: PLW2901 - up, as long as nothing else is in it
    if rows:
        scratch.git("update-index", "-z", "--index-info", index=scratch.tiny, feed=rows)
        scratch.git("unpack-objects", "-q", feed=pack)
        scratch.git("checkout-index", "-a", "-f", "-q", index=scratch.tiny)


def scan(scratch: Scratch, options: Sequence[str], some: bytes | None, names: bytes) -> None:
    """Which files are not as the index says, and which are not in it; the two looks go on side by side.

    Args:
        scratch: git.
        options: how files that are not in the index are shown.
        some: an index of the files that may differ; None: look everywhere. (What fails else is a complaint.)
        names: what else may be there then; kept in `there`, as far as it is and is not ignored.
    """
    complaints = scratch.keep("complaints", b"")
    files = ("diff-files", "-z", "--raw")
    others = ("ls-files", "-o", "--exclude-standard", "-z", *options)
    looks: list[tuple[str, Sequence[str | bytes], str]]
    looks = [("modified", files, scratch.whole), ("untracked", others, scratch.whole)]
    if some is not None:
        there = _not_ignored(scratch, names, complaints)
        looks = [("modified", files, scratch.keep("some", some))] if len(some) > EMPTY_INDEX else []
        if there:
            looks.append(("untracked", ("--literal-pathspecs", *others, "--", *there), scratch.whole))
    scratch.keep("modified", b"")
    scratch.keep("untracked", b"")
    begun = [
        scratch.begin(*arguments, index=index, stdout=f"{scratch.folder}/{name}", complaints=complaints)
        for name, arguments, index in looks
    ]
    for pid in begun:
        try:
            end(pid)
        except Failed:
            if some is None or not os.path.getsize(complaints):
                raise


def _not_ignored(scratch: Scratch, names: bytes, complaints: str) -> list[bytes]:
    there = [name for name in names.split(b"\0")[:-1] if _may_be(name)]
    ignored = f"{scratch.folder}/ignored"
    if there:
        # Led so, no name is anything but one (":!x", ":(glob)x").
        feed = scratch.keep("input", b"".join(b"./" + name + b"\0" for name in there))
        asked = ("check-ignore", "--no-index", "-z", "--stdin")
        # What it will not look up is a complaint: then everything is looked at.
        with contextlib.suppress(Failed):
            end(scratch.begin(*asked, stdin=feed, stdout=ignored, complaints=complaints), none_found=True)
        found = set(_content(ignored).split(b"\0"))
        there = [name for name in there if b"./" + name not in found]
    scratch.keep("there", b"".join(name + b"\0" for name in there))
    return there


def _may_be(path: bytes) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # for git to say; a path can be longer than one call takes
    return True


def folders(scratch: Scratch, arguments: Sequence[str]) -> None:
    """What else is in some folders: folders and bytecode that are not ignored, and rules of what is ignored.

    (Other files that are neither in the index nor ignored there are none of: everything was looked at.)

    Args:
        scratch: git.
        arguments: the size of the folders' list.
    """
    known = part(arguments[0]).split(b"\0")[:-1]
    others, rules = [], []
    for folder in known:
        with os.scandir(folder or b".") as entries:
            for entry in entries:
                path = folder + b"/" + entry.name if folder else entry.name
                if entry.name == b".gitignore":
                    rules.append(path)
                elif entry.name.endswith(BYTECODE) or (
                    entry.name != b".git" and entry.is_dir(follow_symlinks=False)
                ):
                    others.append(path)
    strange = set(others).difference(known)
    _not_ignored(scratch, b"".join(path + b"\0" for path in strange), os.devnull)
    scratch.keep("there", _content(f"{scratch.folder}/there") + b"".join(path + b"\0" for path in rules))
    scratch.answer("there")


def write_and_scan(scratch: Scratch, arguments: Sequence[str]) -> None:
    """`write`, then `scan`; `clean`: first remove what is neither in the index nor ignored."""
    clean, *rest = arguments
    if clean:
        scratch.git("clean", "-ffdq", index=scratch.whole)
    write(scratch, rest[:4])
    scan(scratch, rest[6:], *narrowed(scratch, rest[4:6]))
    scratch.answer("modified", "untracked", "complaints", "there")


def narrowed(scratch: Scratch, sizes: Sequence[str]) -> tuple[bytes | None, bytes]:
    """The index of some files and the names, for `scan`; without a size everything is looked at."""
    scratch.keep("there", b"")
    if not sizes[0]:
        return None, b""
    return part(sizes[0]), part(sizes[1])


def look(scratch: Scratch, arguments: Sequence[str]) -> None:
    """Compare the work tree with the index, and tell what some paths hold."""
    open_up, size, *rest = arguments
    if open_up:
        open_all()
    read_paths(scratch, part(size))
    scan(scratch, NOBODYS_WORK, *narrowed(scratch, rest))
    scratch.answer("modified", "untracked", "complaints", "there", "rows")


def read_paths(scratch: Scratch, paths: bytes) -> None:
    """The content of some paths, as far as they are files."""
    rows = scratch.keep("rows", b"")
    if not paths:
        return
    add = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    try:
        scratch.git(*add, index=scratch.tiny, feed=paths, stderr=os.devnull)
    except Failed:
        # One with an obstacle on its way (a link, a folder in its place) fails them all: one after the other.
        for path in paths.split(b"\0")[:-1]:
            with contextlib.suppress(Failed):
                scratch.git(*add, index=scratch.tiny, feed=path + b"\0", stderr=os.devnull)
    scratch.git("ls-files", "-s", "-z", index=scratch.tiny, stdout=rows)


def update(scratch: Scratch, sizes: Sequence[str]) -> None:
    """The new state of some paths; sizes of the list of those to forget and of those to read."""
    gone, paths = map(part, sizes)
    whole = scratch.keep("whole", _content(scratch.whole))
    scratch.git("update-index", "--add", "--replace", "-z", "--stdin", index=scratch.tiny, feed=paths)
    rows = f"{scratch.folder}/rows"
    scratch.git("ls-files", "-s", "-z", index=scratch.tiny, stdout=rows)
    blobs = {row.split(b" ", 2)[1] for row in _content(rows).split(b"\0")[:-1]}
    wanted = b"".join(blob + b"\n" for blob in sorted(blobs))
    scratch.git("pack-objects", "--stdout", "-q", feed=wanted, stdout=f"{scratch.folder}/pack")
    scratch.git("update-index", "--force-remove", "-z", "--stdin", index=whole, feed=gone)
    scratch.git("update-index", "--add", "--replace", "-z", "--stdin", index=whole, feed=paths)
    times = [(int(os.lstat(path).st_ctime), path) for path in paths.split(b"\0")[:-1]]
    scratch.keep("times", b"".join(b"%d %s\0" % one for one in times))
    scratch.answer("rows", "pack", "times", "whole")


def fill(scratch: Scratch, arguments: Sequence[str]) -> None:
    """Write a tree over whatever there is, keeping ignored files: its id, the size of the paths to remove."""
    tree, size = arguments
    open_all()
    _fill(scratch, tree, part(size))
    scratch.git("clean", "-ffdq", index=scratch.whole)
    scratch.answer("whole")


def fill_empty(scratch: Scratch, arguments: Sequence[str]) -> None:
    """Empty the work tree and write a tree to it, with a git folder for the model: id, a folder for it."""
    tree, store = arguments
    open_all()
    run("find", ".", "-mindepth", "1", "-delete")
    _fill(scratch, tree, b"")
    # For the model's own use of git: one commit, no history, nothing of the loop's. Never read again.
    beside = os.path.dirname(store)
    run("rm", "-rf", "--", *(f"{beside}/{name}" for name in os.listdir(beside) if name.startswith("store-")))
    os.mkdir(store)
    os.rename(f"{scratch.folder}/objects", f"{store}/objects")
    run("git", "init", "-q", "--template=", "--initial-branch=work", ".")
    os.makedirs(".git/info", exist_ok=True)
    for path, data in (
        (".git/objects/info/alternates", os.fsencode(f"{store}/objects\n")),
        (".git/index", _content(scratch.whole)),
    ):
        with open(path, "wb") as file:
            file.write(data)
    person = ("-c", "user.name=base", "-c", "user.email=base@localhost")
    run("git", *person, "commit", "-q", "--no-verify", "--allow-empty", "-m", "the checkpoint")
    scratch.answer("whole")


def _fill(scratch: Scratch, tree: str, gone: bytes) -> None:
    scratch.whole = f"{scratch.folder}/whole"
    remove(gone.split(b"\0")[:-1])
    scratch.git("index-pack", "--stdin", stdout=os.devnull)
    scratch.git("read-tree", tree, index=scratch.whole)
    scratch.git("checkout-index", "-a", "-f", "-u", "-q", index=scratch.whole)


# --- processes and files ----------------------------------------------------------------------------------


def begin(*argv: str | bytes, env: dict[str, str] | None = None, **streams: str) -> int:
    """Start a command: its pid.

    Args:
        argv: the command.
        env: more of its environment.
        streams: files for `stdin`, `stdout`, `stderr`; `complaints`: a file that standard error is added to.
            This process's own where none is given.
    """
    write = os.O_WRONLY | os.O_CREAT
    ways = {
        "stdin": (0, os.O_RDONLY),
        "stdout": (1, write | os.O_TRUNC),
        "stderr": (2, write),
        "complaints": (2, write | os.O_APPEND),
    }
    given = [(fd, streams[name], flags) for name, (fd, flags) in ways.items() if name in streams]
    actions = [(os.POSIX_SPAWN_OPEN, fd, path, flags, 0o644) for fd, path, flags in given]
    return os.posix_spawnp(argv[0], argv, os.environ | (env or {}), file_actions=actions)


def end(pid: int, *, none_found: bool = False) -> None:
    """Wait for a command.

    Args:
        pid: of it.
        none_found: its exit code 1 says that, and is no fault.

    Raises:
        Failed: its exit code is not 0.
    """
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0 and not (none_found and code == 1):
        raise Failed


def run(*argv: str) -> None:
    """Run a command."""
    end(begin(*argv))


def remove(paths: Iterable[bytes]) -> None:
    """Remove files, and with `rm -rf` what is none. What lies behind a link is another file."""
    others = []
    for path in paths:
        if any(os.path.islink(path[:at]) for at, sign in enumerate(path) if sign == SLASH):
            continue
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            others.append(os.fsdecode(path))
    if others:
        run("rm", "-rf", "--", *others)


def open_all() -> None:
    """A folder the hands made unreadable or unwritable is still theirs: they can open it up again."""
    with contextlib.suppress(Failed):
        end(begin("chmod", "-R", "u+rwX", ".", stderr=os.devnull))


def part(size: str) -> bytes:
    """The next part of standard input; nothing is read beyond it."""
    left, pieces = int(size), []
    while left and (piece := os.read(0, left)):
        left -= len(piece)
        pieces.append(piece)
    return b"".join(pieces)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


OPERATIONS = {one.__name__: one for one in (write, write_and_scan, look, update, fill, fill_empty, folders)}


def main() -> int:
    """Do one operation."""
    operation, folder, whole, *arguments = sys.argv[1:]
    try:
        scratch = Scratch(folder, whole)
        OPERATIONS[operation](scratch, arguments)
        scratch.close()
    except Failed:
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
