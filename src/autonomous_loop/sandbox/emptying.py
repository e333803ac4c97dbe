"""What the hands can write, to be emptied: their folder, shared memory, what the kernel keeps for a user."""

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
    """Where things of the hands can lie, and which of those are not theirs.

    Attributes:
        folder: the hands' own.
        writable: other files and folders they may write.
        shared: the hands' user is the loop's own: others of its programs have files and segments too.
        files: what lay in shared memory before the hands were there; the same for `objects` of System V.
    """

    folder: Path
    writable: Sequence[str]
    shared: bool
    files: frozenset[str] = frozenset()
    objects: Mapping[str, Sequence[int]] | None = None

    @classmethod
    def before(cls, folder: Path, writable: Sequence[str] | None, *, shared: bool) -> Emptying:
        """As things are before the hands have done anything.

        Args:
            writable: where Landlock lets them write; None: there is none, and their user's rights decide.
        """
        if not shared:
            return cls(folder, writable if writable is not None else ("/",), shared=False)
        objects = {kind: [one for one, _ in emptying_program.objects(kind, os.getuid())] for kind in KINDS}
        # Without a user of their own, only this can be told apart from what others of the user's make.
        return cls(folder, (SHARED,), shared=True, files=frozenset(_names(SHARED)), objects=objects)

    def request(self, *, again: bool) -> bytes:
        """For the program; `again`: the hands' folders are made anew."""
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
    """Names in shared memory that a living process has open or mapped; none of the hands' lives now."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            paths = [one.path for one in process.memory_maps(grouped=True)]
            paths += [one.path for one in process.open_files()]
            found |= {path.split("/")[3] for path in paths if path.startswith(f"{SHARED}/")}
    return found
