"""Reads sources, each content once: directly, or many at once in a separate process.

A content never changes, so its reading is cached (the last few thousand). A proof looks at the same files
again and again, at some of them once for each of their tests.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256

from autonomous_loop.verify.syntax.isolation import Unread, apart, attempt
from autonomous_loop.verify.syntax.source_file import SourceFile, kind, look_at

MOST_SOURCES = 10_000
SIDE_BY_SIDE = 100_000  # bytes
_NOTHING = SourceFile()
_Key = tuple[str, bytes]
_known: OrderedDict[_Key, SourceFile] = OrderedDict()


async def read_ahead(sources: Iterable[tuple[str, bytes | None]]) -> None:
    """Read untrusted sources in a separate process, so that `read_source` has them.

    A source can harm only that process, and takes no longer than the limit: see `apart`. Call this before
    anything asks for one of the sources.

    Args:
        sources: paths and contents; known contents and files that are no source cost nothing.
    """
    new = {key: source for key, source in map(_keyed, sources) if key[0] and source and key not in _known}
    if not new:
        return
    keys = list(new)
    # Starting a process costs more than reading small sources. Large ones, such as a test file before and
    # after a change, are read side by side.
    large = sum(len(source or b"") for source in new.values()) > SIDE_BY_SIDE
    parts = [keys[::2], keys[1::2]] if large and len(keys) > 1 else [keys]
    found = await asyncio.gather(*(apart([(look_at, (key[0], new[key])) for key in part]) for part in parts))
    for part, results in zip(parts, found, strict=True):
        for key, result in zip(part, results, strict=True):
            _keep(key, result)


def read_source(path: str, source: bytes | None) -> SourceFile:
    """Return what a source says; nothing if there is none or its language is unknown."""
    key, content = _keyed((path, source))
    if not key[0] or content is None:
        return _NOTHING
    if key not in _known:
        _keep(key, attempt(look_at, key[0], content))
    _known.move_to_end(key)
    return _known[key]


def forget() -> None:
    """Clear the cache, for measurements and tests."""
    _known.clear()


def _keyed(given: tuple[str, bytes | None]) -> tuple[_Key, bytes | None]:
    path, source = given
    read_as = kind(path)
    return (read_as, sha256(source).digest() if read_as and source is not None else b""), source


def _keep(key: _Key, result: SourceFile | Unread) -> None:
    _known[key] = SourceFile(unread=result.why) if isinstance(result, Unread) else result
    while len(_known) > MOST_SOURCES:
        _known.popitem(last=False)
