"""Reads, writes and finds files in the sandbox's folder; runs inside the sandbox (`python -I -S`).

It reads one JSON object a line and writes one back; file contents are base64. `argv[1]` is the sandbox's
folder. Every path is absolute and below that folder. The program opens each path component by component and
follows no link. So it cannot read or write outside the folder, whatever other processes of the sandbox plant
or swap meanwhile. The loop itself opens none of these paths.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import sys

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a FIFO would block until somebody opened its other end.
FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Refused(Exception):  # noqa: N818 - a no, not a fault
    """The request is refused; the loop gets the reason."""


def components(root: str, path: str) -> list[str]:
    """Return the names that lead from the sandbox's folder down to `path`."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    above = [part for part in root.split("/") if part]
    if not path.startswith("/") or parts[: len(above)] != above or ".." in parts:
        raise Refused("it is outside the hands' folder")
    return parts[len(above) :]


def open_folder(root: str, names: list[str], *, make: bool = False) -> int:
    """Open the folder `names` below `root` and return its descriptor."""
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
    """Open a regular file and return its descriptor."""
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
    """Return the content of a regular file of at most `most` bytes."""
    most = int(str(request["most"]))
    with os.fdopen(open_file(root, str(request["path"]), os.O_RDONLY), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Refused(f"it is larger than {most} bytes")
    return {"data": base64.b64encode(data).decode()}


def write(root: str, request: dict[str, object]) -> dict[str, object]:
    """Replace the content of a regular file; create missing folders on the way."""
    data = base64.b64decode(str(request["data"]))
    with os.fdopen(open_file(root, str(request["path"]), os.O_WRONLY | os.O_CREAT, make=True), "wb") as file:
        file.truncate(0)
        file.write(data)
    return {}


def find(root: str, request: dict[str, object]) -> dict[str, object]:
    """Return sorted paths, relative to the folder, of regular files with one of the suffixes (none: all)."""
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
    """Answer requests until standard input ends."""
    root = sys.argv[1]
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            answer = {"read": read, "write": write, "find": find}[request["do"]](root, request)
        except Refused as no:
            answer = {"refused": str(no)}
        except OSError as error:
            # O_NOFOLLOW and O_DIRECTORY report a link as ELOOP or ENOTDIR.
            answer = {"refused": os.strerror(error.errno or 0).lower()}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
