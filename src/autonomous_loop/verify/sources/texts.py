"""The words of tests by their language: which nobody touched, and which one became another."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from functools import lru_cache

from autonomous_loop.verify.sources import go, java, javascript, python_texts

_LANGUAGES: Mapping[str, Callable[[bytes], Mapping[str, tuple[str, ...]]]] = {
    ".py": python_texts.texts,
    ".go": go.texts,
    ".java": java.texts,
    **{f".{kind}": javascript.texts for kind in javascript.KINDS},
}


@lru_cache(16)
def texts(path: str, source: bytes | None) -> Mapping[str, tuple[str, ...]]:
    """Tests of a file by what follows it in their ids: the head without the name, then the body's lines.

    Empty where its language is not read that closely.
    """
    read = _LANGUAGES.get(posixpath.splitext(path)[1])
    return read(source) if read and source else {}
