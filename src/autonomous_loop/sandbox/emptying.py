"""Lists everything the sandbox can write, so that it can be removed.

This is the sandbox's folder, shared memory, and objects that the kernel keeps for a user.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from autonomous_loop.sandbox import emptying_program

PROGRAM = Path(emptying_program.__file__).read_text(encoding="utf-8")
SHARED = "/dev/shm"  # noqa: S108 - named, not used
KINDS = ("shm", "sem", "msg")


@dataclass(frozen=True, slots=True)
class Emptying:
    """The places where the sandbox can leave things, and the things there that belong to others.

    Attributes:
        folder: the sandbox's own folder.
        writable: other files and folders that the sandbox may write.
        shared: the sandbox runs as the loop's own user, so other programs of this user have files and
            segments too.
        files: names that were in shared memory before the sandbox started; `objects` is the same for System
            V.
    """

    folder: Path
    writable: Sequence[str]
    shared: bool
    files: frozenset[str] = frozenset()
    objects: Mapping[str, Sequence[int]] | None = None

    @classmethod
    def before(cls, folder: Path, writable: Sequence[str] | None, *, shared: bool) -> Emptying:
        """Record the state before the sandbox has run anything.

        Args:
            writable: the paths that Landlock lets the sandbox write; None if there is no Landlock and only
                the user's rights apply.
        """
        if not shared:
            return cls(folder, writable if writable is not None else ("/",), shared=False)
        objects = {kind: [one for one, _ in emptying_program.objects(kind, os.getuid())] for kind in KINDS}
        # If the sandbox has no user of its own, only this can be distinguished from objects that other
        # programs of the same user create.
        return cls(folder, (SHARED,), shared=True, files=frozenset(_names(SHARED)), objects=objects)

    def request(self, *, again: bool) -> bytes:
        """Return the program's input; with `again` the program recreates the sandbox's folders."""
        places: dict[str, Sequence[str]] = {}
        for path in self.writable:
            if path != str(self.folder) and Path(path).is_dir():
                places[path] = ["proc", "sys"] if path == "/" else []
        if self.shared and SHARED in places:
            places[SHARED] = sorted(self.files | _in_use())
        places[str(self.folder)] = []
        given = {
            "places": places,
            "objects": {kind: list((self.objects or {}).get(kind, ())) for kind in KINDS},
            "shared": self.shared,
            "folders": [str(self.folder / name) for name in ("work", "home", "tmp")] if again else [],
        }
        return json.dumps(given).encode("ascii")


def _names(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return [path.name for path in Path(folder).iterdir()]
    return []


def _in_use() -> set[str]:
    """Names in shared memory that a living process has open or mapped; no sandbox process lives now."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            paths = [one.path for one in process.memory_maps(grouped=True)]
            paths += [one.path for one in process.open_files()]
            found |= {path.split("/")[3] for path in paths if path.startswith(f"{SHARED}/")}
    return found
