"""Packs an artifact's zip the same way every time, and unpacks one with a limit on everything."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

MOST_ENTRIES: Final = 2_000
MOST_BYTES: Final = 200_000_000
"""Maximum unpacked bytes, all files together."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_LINK: Final = 0o120000
_KIND: Final = 0o170000


class ArchiveError(ValueError):
    """The zip is not one of ours: damaged, too large, or with a path that leads outside."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of files by path. It contains no timestamps, so the same files give the same digest.

    Raises:
        ArchiveError: a path leads outside, or a limit is exceeded.
    """
    if len(files) > MOST_ENTRIES or sum(map(len, files.values())) > MOST_BYTES:
        raise ArchiveError(f"more than {MOST_ENTRIES} files or {MOST_BYTES} bytes")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            _check_path(path)
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return made.getvalue()


def unpack(
    data: bytes, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES
) -> dict[str, bytes]:
    """Return the files of a zip from outside. Nothing is written anywhere.

    Raises:
        ArchiveError: see there. Sizes are counted while reading; the zip's own figures are not trusted.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > most_entries:
                raise ArchiveError(f"it holds {len(entries)} files; at most {most_entries} are read")
            found: dict[str, bytes] = {}
            left = most_bytes
            for entry in entries:
                _check_path(entry.filename)
                if entry.filename in found or (entry.external_attr >> 16) & _KIND == _LINK:
                    raise ArchiveError(f"{entry.filename!r} is a link, or stands in it twice")
                with archive.open(entry) as stream:
                    content = stream.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise ArchiveError(f"it unpacks to more than {most_bytes} bytes")
                found[entry.filename] = content
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ArchiveError(f"it is no sound zip ({type(error).__name__})") from None


def _check_path(path: str) -> None:
    parts = PurePosixPath(path).parts
    odd = "\\" in path or ":" in path or not path.isprintable() or len(path) > 500
    if not parts or odd or path.startswith("/") or ".." in parts:
        raise ArchiveError(f"{path[:100]!r} leads out of it, or is no plain path")
