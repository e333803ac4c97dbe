"""Finds JavaScript tests by their folder, not their name, such as `test/add.js` of mocha, tape or ava.

These runners take the files that their command or configuration names, or else a folder.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from autonomous_loop.verify.project.package_json import FILE, Package
from autonomous_loop.verify.project.runner_options import MOCHA_VALUES, values_at
from autonomous_loop.verify.project.shell_words import split

# The folders that each runner searches if nothing is named.
_FOLDERS = {
    "mocha": ("test",), "_mocha": ("test",), "tape": ("test",), "lab": ("test",), "qunit": ("test",),
    "borp": ("test",), "ava": ("test", "tests"), "tap": ("test", "tests"), "uvu": ("test", "tests"),
    "jasmine": ("spec",),
}  # fmt: skip
_CALL = re.compile(rf"(?:^|[\s;&|/])({'|'.join(_FOLDERS)})(?=\s|$)([^;&|]*)")
_NODE = re.compile(r"(?:^|\s)--test(?:\s|$)")
_CODE = re.compile(r".*\.[cm]?[jt]sx?")
# Code and data that tests share, and files that ava leaves out.
_FOR_TESTS = re.compile(
    r"/(?:[^/]*(?:fixture|helper|support|util|common|data|mock|snapshot|setup)[^/]*|_[^/]*|index)(?:/|\.[cm]?[jt]sx?$)"
)
CONFIGURATION = re.compile(r"\.mocharc\.(?:[cm]?js|jsonc?|ya?ml)")
_SPEC = re.compile(r"""\bspec['"]?\s*:[ \t]*(\[[^\]]*\]|(?:\n\s*-[^\n]*)+|[^\n]*)""")
_GIVEN = re.compile(r"[\w./@{},*?-]*[*/.][\w./@{},*?-]*")
_PIECES = re.compile(
    r"(?P<deep>\*\*/)|(?P<all>\*\*)|(?P<some>\*)|(?P<one>\?)|\{(?P<either>[^{}]*)\}|(?P<plain>.)"
)


def collected(
    paths: Sequence[str], packages: Sequence[Package], read: Callable[[str], bytes | None]
) -> frozenset[str]:
    """Return the test files of the packages that use such a runner.

    Args:
        paths: the tree's paths.
        read: returns a path's content, or None.
    """
    found = [re.compile(one) for package in packages for one in _patterns(package, paths, read)]
    return frozenset(
        path
        for path in (paths if found else ())
        if _CODE.fullmatch(path) and any(one.fullmatch(path) for one in found) and not _FOR_TESTS.search(path)
    )


def _patterns(package: Package, paths: Sequence[str], read: Callable[[str], bytes | None]) -> Iterator[str]:
    text = "\n".join(package.scripts.values())
    start = re.escape(package.path("")) if package.folder else ""
    if _NODE.search(text):
        yield rf"{start}test/.*\.[cm]?js"
    calls = _CALL.findall(text)
    used = dict.fromkeys([name for name, _ in calls] or sorted(package.dependencies & _FOLDERS.keys()))
    given = [word for _, told in calls for word in _words(told)]
    if "mocha" in used:
        given += _configured(package, paths, read)
    if given:
        for word in given:
            yield f"{start}{_expression(word)}(?:/.*)?"
    for folder in dict.fromkeys(one for name in used for one in _FOLDERS[name]) if not given else ():
        yield f"{start}{folder}/.*"


def _words(told: str) -> list[str]:
    """Return the files, folders and patterns in a call."""
    words = split(told)
    values = values_at(words, MOCHA_VALUES)
    return [
        word.removeprefix("./").rstrip("/")
        for at, word in enumerate(words)
        if at not in values and not word.startswith(("-", "!", "$")) and "(" not in word
    ]


def _configured(package: Package, paths: Sequence[str], read: Callable[[str], bytes | None]) -> list[str]:
    """Return what mocha's configuration names."""
    names = [one for one in paths if posixpath.dirname(one) == package.folder]
    files = [one for one in names if CONFIGURATION.fullmatch(posixpath.basename(one))]
    if "mocha" in package.keys:
        files.append(package.path(FILE))
    texts = [(read(one) or b"").decode("utf-8", "replace") for one in files]
    found = [word for text in texts for spec in _SPEC.findall(text) for word in _GIVEN.findall(spec)]
    return [word.removeprefix("./").rstrip("/") for word in found]


def _expression(glob: str) -> str:
    """Translate a shell pattern into a regular expression for paths."""
    made = ""
    for piece in _PIECES.finditer(glob):
        if piece["either"] is not None:
            made += f"(?:{'|'.join(_expression(one) for one in piece['either'].split(','))})"
        else:
            known = {"deep": "(?:.*/)?", "all": ".*", "some": "[^/]*", "one": "[^/]"}
            made += known.get(str(piece.lastgroup)) or re.escape(piece[0])
    return made
