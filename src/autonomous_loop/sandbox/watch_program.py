"""Adds inotify watches on files and folders; runs inside the sandbox (see `watch`).

Arguments: the number of an inotify descriptor, and a folder for a trial. Standard input: paths, each prefixed
with its kind (`f` or `d`) and ended by a zero byte. Standard output: the number of the watch on the trial
file, then the number for each path; a negative number is an error. The program imports nothing but the
standard library.

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
# A process opens a file before it changes the content, or truncates it by its path. The open event must
# suffice: a write through memory causes no other event, not even when the process that did it ends.
OF_FILES = OPEN | MODIFY | ATTRIB | DELETE_SELF | MOVE_SELF | NO_LINKS
OF_FOLDERS = CREATE | DELETE | MOVED | ATTRIB | DELETE_SELF | MOVE_SELF | NO_LINKS | ONLY_FOLDERS


def watch(descriptor: int, path: bytes, mask: int) -> int:
    """Add a watch; return its number, or a negative error number."""
    number = int(_LIBC.inotify_add_watch(descriptor, path, mask))
    return number if number >= 0 else -ctypes.get_errno()


def trial(descriptor: int, folder: str) -> int:
    """Write to a watched file by another name and through memory: the kernel must report even that."""
    mine = f"{folder}/watch-{os.urandom(16).hex()}"
    os.mkdir(mine, 0o700)  # a name that nobody could have planted before
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
    """Add all requested watches."""
    descriptor, folder = int(sys.argv[1]), sys.argv[2]
    numbers = array.array("i", [trial(descriptor, folder)])
    for asked in sys.stdin.buffer.read().split(b"\0")[:-1]:
        numbers.append(watch(descriptor, asked[1:], OF_FILES if asked[:1] == b"f" else OF_FOLDERS))
    sys.stdout.buffer.write(numbers.tobytes())


_LIBC = ctypes.CDLL(None, use_errno=True)

if __name__ == "__main__":
    main()
