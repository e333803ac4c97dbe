"""Reads a tree's pytest settings: the keys that decide which tests run and how their outcomes count."""

from __future__ import annotations

import configparser
import json
import posixpath
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

DEFAULT_FILES = ("test_*.py", "*_test.py")
CONFIG_NAMES = (
    "pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg",
)  # fmt: skip
# The choice of another file is itself a choice of keys, even if the file is empty.
SHADOWING = frozenset({"pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"})
KEYS = frozenset({
    "addopts", "testpaths", "python_files", "python_classes", "python_functions", "norecursedirs",
    "collect_imported_tests", "confcutdir", "usefixtures", "xfail_strict", "strict_xfail",
    "empty_parameter_set_mark", "required_plugins", "doctest_optionflags",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class PytestSettings:
    """The settings that matter for finding tests.

    Attributes:
        configured: whether there is a section for pytest.
        testpaths: where a run without arguments looks; empty: everywhere.
        python_files: patterns of a test file's name.
    """

    configured: bool = False
    testpaths: tuple[str, ...] = ()
    python_files: tuple[str, ...] = DEFAULT_FILES

    def is_test_file(self, path: str) -> bool:
        """Return whether a run without arguments would collect a file, judging by its name."""
        name = posixpath.basename(path)
        return any(fnmatchcase(path if "/" in one else name, one) for one in self.python_files)


def read_settings(read: Callable[[str], bytes | None]) -> PytestSettings:
    """Read the settings at the tree's root; pytest takes the first file with a section for it.

    Args:
        read: returns the content of a path in the tree, or None.
    """
    name = settings_file(read)
    if not name:
        return PytestSettings()
    table = section(name, read(name) or b"") or {}
    return PytestSettings(
        configured=True,
        testpaths=_words(table.get("testpaths")),
        python_files=_words(table.get("python_files")) or DEFAULT_FILES,
    )


def settings_file(read: Callable[[str], bytes | None]) -> str:
    """Return the file at the tree's root that pytest takes its settings from; "" if there is none."""
    found = ((name, read(name)) for name in CONFIG_NAMES)
    return next((name for name, data in found if data is not None and section(name, data) is not None), "")


def runner_keys(name: str, data: bytes | None) -> Mapping[str, str]:
    """Return the keys of a configuration file that a candidate may not change, as comparable text."""
    table = None if data is None else section(posixpath.basename(name), data)
    if table is None:
        return {}
    return {key: json.dumps(table[key], default=str) for key in sorted(KEYS & set(table))}


def section(name: str, data: bytes) -> Mapping[str, Any] | None:
    """Return a configuration file's section for pytest; None if there is none or it is unreadable."""
    text = data.decode("utf-8", "replace")
    return _of_toml(name, text) if name.endswith(".toml") else _of_ini(name, text)


def _of_toml(name: str, text: str) -> Mapping[str, Any] | None:
    found = parse_toml(text)
    if name != "pyproject.toml":
        return table_of(found, "pytest")
    table = table_of(found, "tool", "pytest")
    return {**table, **table_of(table, "ini_options")} or None


def parse_toml(text: str) -> Mapping[str, Any]:
    """Parse the document; empty if it is invalid."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def table_of(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table by its path; empty if there is none."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _of_ini(name: str, text: str) -> Mapping[str, Any] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    title = "tool:pytest" if name == "setup.cfg" else "pytest"
    if parser.has_section(title):
        return dict(parser.items(title))
    return {} if name in SHADOWING else None


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(shlex.split(value))
    if isinstance(value, Sequence):
        return tuple(str(one) for one in value)
    return ()
