"""Git operations in the scratch clone; runs inside the sandbox (see `workspace_protocol`).

Each operation uses a fresh git folder and an index that the sandbox cannot write. So no configuration, index
or object that other code left behind has an effect. Arguments: the operation, the git folder, the index, and
the operation's own arguments. Standard input is a concatenation of parts; their lengths are among the
arguments. Standard output is the length of each answer part, one a line, and then the parts. The program
imports nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence

MOST_LEFT = 8
SLASH = ord("/")
EMPTY_INDEX = 32  # the header and the checksum
# Bytecode from a Python run is no one's work, even if the project does not ignore it.
BYTECODE = (b".pyc", b".pyo")
NOBODYS_WORK = ("-x", "__pycache__/", "-x", "*.py[co]")


class Failed(Exception):  # noqa: N818 - the command said on standard error what went wrong
    """A command exited with a code other than 0."""


class Scratch:
    """Runs git on its own git folder and on the work tree, which is the current folder.

    Args:
        folder: the git folder; it does not exist yet.
        whole: the index of the whole work tree, which the loop provides ("": none).
    """

    def __init__(self, folder: str, whole: str) -> None:
        self.folder = folder
        self.whole = whole
        self.tiny = f"{folder}/tiny"  # an index of a few paths
        beside = os.path.dirname(folder)
        if os.path.islink(beside):  # made by sandboxed code; never write through it
            os.unlink(beside)
            os.mkdir(beside, 0o700)
        left = [f"{beside}/{name}" for name in os.listdir(beside) if name.startswith("take-")]
        if len(left) >= MOST_LEFT:
            run("rm", "-rf", "--", *left)  # left by operations that were interrupted
        os.makedirs(f"{folder}/objects/info")
        os.mkdir(f"{folder}/refs")
        self.keep("HEAD", b"ref: refs/heads/none\n")

    def keep(self, name: str, data: bytes) -> str:
        """Write a file into the git folder and return its path."""
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
        """Remove the git folder here; a separate process later would cost more."""
        for here, _, files in os.walk(self.folder, topdown=False):
            for name in files:
                os.unlink(f"{here}/{name}")
            os.rmdir(here)


# --- the operations ---------------------------------------------------------------------------------------


def write(scratch: Scratch, sizes: Sequence[str]) -> None:
    """Remove and write exactly the given paths.

    Args:
        scratch: runs git.
        sizes: the sizes of four parts: paths to remove, folders that may be empty afterwards (the deepest
            first), index rows, and a pack of their blobs.
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
    """Find files that differ from the index and files that are not in it; both searches run in parallel.

    Args:
        scratch: runs git.
        options: how to list files that are not in the index.
        some: an index of the files that may differ; None: check everywhere. (With it, a failure is only a
            complaint.)
        names: other names that may exist then; those that exist and are not ignored go to `there`.
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
        # With this prefix git takes every name literally (":!x", ":(glob)x").
        feed = scratch.keep("input", b"".join(b"./" + name + b"\0" for name in there))
        asked = ("check-ignore", "--no-index", "-z", "--stdin")
        # If git refuses to check a name, that is a complaint, and then everything is checked.
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
        return True  # let git report it; a path can be too long for one call
    return True


def folders(scratch: Scratch, arguments: Sequence[str]) -> None:
    """Find what else is in some folders: folders and bytecode that are not ignored, and ignore rules.

    (There are no other files that are neither in the index nor ignored, because everything was just checked.)

    Args:
        scratch: runs git.
        arguments: the size of the list of folders.
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
    """Run `write`, then `scan`; with `clean`, first remove files neither in the index nor ignored."""
    clean, *rest = arguments
    if clean:
        scratch.git("clean", "-ffdq", index=scratch.whole)
    write(scratch, rest[:4])
    scan(scratch, rest[6:], *narrowed(scratch, rest[4:6]))
    scratch.answer("modified", "untracked", "complaints", "there")


def narrowed(scratch: Scratch, sizes: Sequence[str]) -> tuple[bytes | None, bytes]:
    """Return the index of some files and the names for `scan`; without a size, check everything."""
    scratch.keep("there", b"")
    if not sizes[0]:
        return None, b""
    return part(sizes[0]), part(sizes[1])


def look(scratch: Scratch, arguments: Sequence[str]) -> None:
    """Compare the work tree with the index, and report the content of some paths."""
    open_up, size, *rest = arguments
    if open_up:
        open_all()
    read_paths(scratch, part(size))
    scan(scratch, NOBODYS_WORK, *narrowed(scratch, rest))
    scratch.answer("modified", "untracked", "complaints", "there", "rows")


def read_paths(scratch: Scratch, paths: bytes) -> None:
    """Record the content of those paths that are files."""
    rows = scratch.keep("rows", b"")
    if not paths:
        return
    add = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    try:
        scratch.git(*add, index=scratch.tiny, feed=paths, stderr=os.devnull)
    except Failed:
        # One path with an obstacle (a link, a folder in its place) makes the whole call fail: add each alone.
        for path in paths.split(b"\0")[:-1]:
            with contextlib.suppress(Failed):
                scratch.git(*add, index=scratch.tiny, feed=path + b"\0", stderr=os.devnull)
    scratch.git("ls-files", "-s", "-z", index=scratch.tiny, stdout=rows)


def update(scratch: Scratch, sizes: Sequence[str]) -> None:
    """Report the new state of some paths; the sizes are of the list to forget and the list to read."""
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
    """Write a tree over existing files but keep ignored ones; arguments: its id, the size of the removals."""
    tree, size = arguments
    open_all()
    _fill(scratch, tree, part(size))
    scratch.git("clean", "-ffdq", index=scratch.whole)
    scratch.answer("whole")


def fill_empty(scratch: Scratch, arguments: Sequence[str]) -> None:
    """Empty the work tree, write a tree and a git folder for the model; arguments: tree id, object folder."""
    tree, store = arguments
    open_all()
    run("find", ".", "-mindepth", "1", "-delete")
    _fill(scratch, tree, b"")
    # The model may use this git folder: one commit, no history, nothing of the loop's. Never read again.
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
    """Start a command and return its pid.

    Args:
        argv: the command.
        env: more environment variables.
        streams: files for `stdin`, `stdout`, `stderr`; standard error is appended to `complaints`. A stream
            that is not given is this process's own.
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
        pid: its process id.
        none_found: exit code 1 means that nothing was found, and is no failure.

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
    """Remove files, and anything else with `rm -rf`; skip paths behind a link, which are other files."""
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
    """Make all folders accessible again; the sandbox owns them, whatever mode its code gave them."""
    with contextlib.suppress(Failed):
        end(begin("chmod", "-R", "u+rwX", ".", stderr=os.devnull))


def part(size: str) -> bytes:
    """Read the next part of standard input, and nothing beyond it."""
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
    """Perform one operation."""
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
