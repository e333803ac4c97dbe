"""Puts watches of the kernel's on files and folders: a program that runs as hands (see `watch`).

Arguments: the number of a descriptor (inotify), a folder to try it out in. Standard input: paths, each ended
by a zero byte and led by what it is, `f` or `d`. Standard output: the number of the watch on the trial file,
then of each path's; a negative one is an error's. Imports nothing but the standard library.

Sources: inotify(7), the kernel's include/uapi/linux/inotify.h.
"""

from __future__ import annotations

import array
import ctypes
import mmap
import os
import sys

MODIFY, ATTRIB, OPEN, MOVED, CREATE, DELETE = 0x2, 0x4, 0x20, 0xC0, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
ONLY_FOLDERS, NO_LINKS = 0x0100_0000, 0x0200_0000
# Whoever changes a file's content opens it first, or truncates it by its path. That it was opened must do:
# what is written through memory shows in no other way, not even when the process that did it has ended.
OF_FILES = OPEN | MODIFY | ATTRIB | DELETE_SELF | MOVE_SELF | NO_LINKS
OF_FOLDERS = CREATE | DELETE | MOVED | ATTRIB | DELETE_SELF | MOVE_SELF | NO_LINKS | ONLY_FOLDERS


def watch(descriptor: int, path: bytes, mask: int) -> int:
    """Add a watch; its number, or an error's."""
    number = int(_LIBC.inotify_add_watch(descriptor, path, mask))
    return number if number >= 0 else -ctypes.get_errno()


def trial(descriptor: int, folder: str) -> int:
    """Write to a watched file by another name of it and through memory: the kernel must tell even that."""
    mine = f"{folder}/watch-{os.urandom(16).hex()}"
    os.mkdir(mine, 0o700)  # by no name that anybody could have planted
    file, other = f"{mine}/file", f"{mine}/other"
    with open(file, "xb") as made:
        made.write(b"before")
    os.link(file, other)
    number = watch(descriptor, os.fsencode(file), OF_FILES)
    with open(other, "r+b") as opened, mmap.mmap(opened.fileno(), 0) as memory:
        memory[:] = b"after "
    os.unlink(file)
    os.unlink(other)
    os.rmdir(mine)
    return number


def main() -> None:
    """Add all watches asked for."""
    descriptor, folder = int(sys.argv[1]), sys.argv[2]
    numbers = array.array("i", [trial(descriptor, folder)])
    for asked in sys.stdin.buffer.read().split(b"\0")[:-1]:
        numbers.append(watch(descriptor, asked[1:], OF_FILES if asked[:1] == b"f" else OF_FOLDERS))
    sys.stdout.buffer.write(numbers.tobytes())


_LIBC = ctypes.CDLL(None, use_errno=True)

if __name__ == "__main__":
    main()
