"""Bytes in and out of the hands' folder: a program that runs as hands (`python -I -S`).

One JSON object a line in, one out; bytes travel as base64. `argv[1]` is the hands' folder: every path is
absolute below it and is opened one component after the other without following any link, so that nothing
outside is read or written whatever the hands plant or swap meanwhile. The loop opens none of these paths.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import sys

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a FIFO would hold us until somebody opened its other end.
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Refused(Exception):  # noqa: N818 - a no, not a fault
    """What the loop is told."""


def components(root: str, path: str) -> list[str]:
    """The names from the hands' folder down to `path`."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    above = [part for part in root.split("/") if part]
    if not path.startswith("/") or parts[: len(above)] != above or ".." in parts:
        raise Refused("it is outside the hands' folder")
    return parts[len(above) :]


def open_folder(root: str, names: list[str], *, make: bool = False) -> int:
    """A descriptor of the folder `names` below `root`."""
    here = os.open(root, FOLDER)
    for name in names:
        try:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=here)
            below = os.open(name, FOLDER, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


def open_file(root: str, path: str, flags: int, *, make: bool = False) -> int:
    """A descriptor of a regular file."""
    names = components(root, path)
    if not names:
        raise Refused("it is a folder")
    folder = open_folder(root, names[:-1], make=make)
    try:
        file = os.open(names[-1], flags | FILE, 0o644, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Refused("it is not a regular file")
    return file


def read(root: str, request: dict[str, object]) -> dict[str, object]:
    """Content of a regular file of at most `most` bytes."""
    most = int(str(request["most"]))
    with os.fdopen(open_file(root, str(request["path"]), os.O_RDONLY), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Refused(f"it is larger than {most} bytes")
    return {"data": base64.b64encode(data).decode()}


def write(root: str, request: dict[str, object]) -> dict[str, object]:
    """Replace the content of a regular file; folders on the way are made."""
    data = base64.b64decode(str(request["data"]))
    with os.fdopen(open_file(root, str(request["path"]), os.O_WRONLY | os.O_CREAT, make=True), "wb") as file:
        file.truncate(0)
        file.write(data)
    return {}


def find(root: str, request: dict[str, object]) -> dict[str, object]:
    """Paths relative to the folder of regular files with one of the suffixes (none: all), sorted."""
    suffixes = tuple(map(str, request["suffixes"]))  # type: ignore[call-overload]
    most = int(str(request["most"]))
    try:
        folder = open_folder(root, components(root, str(request["path"])))
    except FileNotFoundError:
        return {"paths": []}
    found = []
    for here, folders, files, descriptor in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        folders.sort()
        for name in sorted(files):
            path = os.path.normpath(f"{here}/{name}")
            if suffixes and not name.endswith(suffixes):
                continue
            try:
                regular = stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)
                path.encode()
            except (OSError, UnicodeEncodeError):
                continue
            if regular:
                found.append(path)
        if len(found) >= most:
            break
    os.close(folder)
    return {"paths": sorted(found[:most])}


def main() -> None:
    """Answer until standard input ends."""
    root = sys.argv[1]
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            answer = {"read": read, "write": write, "find": find}[request["do"]](root, request)
        except Refused as no:
            answer = {"refused": str(no)}
        except OSError as error:
            # ELOOP and ENOTDIR are how O_NOFOLLOW and O_DIRECTORY say "a link".
            answer = {"refused": os.strerror(error.errno or 0).lower()}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
