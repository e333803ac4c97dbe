"""Reads cargo settings that decide which tests run and what their outcome is."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from autonomous_loop.verify.project.pytest_settings import parse_toml, table_of

MANIFEST = "Cargo.toml"
_CONFIGURATION = re.compile(r"(?:.*/)?\.cargo/config(?:\.toml)?")
# Keys of a target; `required-features` leaves it out of a plain run.
_OF_TARGET = ("test", "doctest", "harness", "required-features")
# Programs that run between cargo and a test, and sources of more configuration.
_PROGRAMS = frozenset({
    "runner", "rustc", "rustc-wrapper", "rustc-workspace-wrapper", "rustdoc", "env", "include",
})  # fmt: skip


def concerns_cargo(path: str) -> bool:
    """Return whether a file is a manifest or cargo's configuration."""
    return posixpath.basename(path) == MANIFEST or bool(_CONFIGURATION.fullmatch(path))


def cargo_keys(path: str, data: bytes | None, *, new: bool = False) -> Mapping[str, str]:
    """Return the keys of such a file that a candidate may not change, as comparable text.

    Args:
        new: whether the candidate added the file: a new crate may leave tests out, but not bring its own
            harness.
    """
    document = parse_toml((data or b"").decode("utf-8", "replace"))
    if posixpath.basename(path) != MANIFEST:
        found = _programs(document, "")
    else:
        found = (one for one in _of_manifest(document) if not new or one[0].endswith(".harness"))
    return {key: json.dumps(value, sort_keys=True, default=str) for key, value in found}


def _of_manifest(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    package = table_of(document, "package")
    if "autotests" in package:
        yield "package.autotests", package["autotests"]
    for kind in ("lib", "bin", "test", "example", "bench"):
        listed = document.get(kind, [])
        for target in listed if isinstance(listed, list) else [listed]:
            if isinstance(target, dict):
                name = f"{kind} {target['name']}" if "name" in target else kind
                yield from ((f"{name}.{key}", target[key]) for key in _OF_TARGET if key in target)


def _programs(table: Mapping[str, Any], place: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if key in _PROGRAMS:
            yield f"{place}{key}", value
        elif isinstance(value, dict):
            yield from _programs(value, f"{place}{key}.")
