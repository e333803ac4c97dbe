"""Reads a tree's `package.json` files: their scripts, dependencies and workspaces."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autonomous_loop.verify.project.paths import PathPatterns

FILE = "package.json"
# A package below one of these folders belongs to a test or an example, not to the project.
_NOT_OURS = frozenset({
    "node_modules", "fixtures", "__fixtures__", "testdata", "examples", "example", "templates", "template",
    "vendor", "third_party", "dist", "build",
})  # fmt: skip
_DEPENDENCIES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
MOST_PACKAGES = 200


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the tree.

    Attributes:
        folder: its folder; "" is the root.
        scripts: shell text by name.
        dependencies: names of all kinds of dependencies.
        keys: the names of its other keys (such as `jest`).
        is_module: whether its `.js` files are ES modules.
        is_member: whether it is a workspace of a package above it.
    """

    folder: str
    name: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)
    dependencies: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    is_module: bool = False
    is_member: bool = False

    def path(self, inner: str) -> str:
        """Turn a path in the package into a path in the tree."""
        return posixpath.join(self.folder, inner)


def read_packages(paths: Iterable[str], read: Callable[[str], bytes | None]) -> tuple[Package, ...]:
    """Return the project's packages, outer before inner.

    If a root names its workspaces, only they count. Otherwise every `package.json` counts that is not data.

    Args:
        paths: the tree's paths.
        read: returns a path's content, or None.
    """
    # Compare the suffix first: a tree may have tens of thousands of paths, and few of these.
    found = [path for path in paths if path.endswith(FILE) and posixpath.basename(path) == FILE]
    folders = [posixpath.dirname(path) for path in found]
    folders = sorted(
        (one for one in folders if not _NOT_OURS.intersection(one.split("/"))),
        key=lambda folder: (folder.count("/") + bool(folder), folder),
    )[:MOST_PACKAGES]
    documents = {folder: _document(read(posixpath.join(folder, FILE))) for folder in folders}
    root = documents.get("", {})
    globs = _workspaces(root, read) if "" in documents else ()
    members = PathPatterns([_pattern(one) for one in globs]) if globs else None
    return tuple(_packages(documents, members))


def _packages(documents: Mapping[str, Mapping[str, Any]], members: PathPatterns | None) -> Iterator[Package]:
    for folder, document in documents.items():
        member = bool(folder) and members is not None and members.match(f"{folder}/{FILE}")
        if folder and members is not None and not member:
            continue
        yield Package(
            folder=folder,
            name=str(document.get("name") or ""),
            scripts={
                key: value for key, value in _table(document, "scripts").items() if isinstance(value, str)
            },
            dependencies=frozenset(name for sort in _DEPENDENCIES for name in _table(document, sort)),
            keys=frozenset(document),
            is_module=document.get("type") == "module",
            is_member=member,
        )


def _pattern(glob: str) -> str:
    inner = glob.removeprefix("!").removeprefix("./").strip("/")
    return f"{'!' if glob.startswith('!') else ''}/{inner}/"


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def _document(data: bytes | None) -> Mapping[str, Any]:
    try:
        document = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _workspaces(root: Mapping[str, Any], read: Callable[[str], bytes | None]) -> Sequence[str]:
    """Return workspace globs from npm's and Yarn's key or pnpm's file (a YAML list of plain strings)."""
    named = root.get("workspaces")
    globs = named.get("packages") if isinstance(named, dict) else named
    if isinstance(globs, list):
        return [str(one) for one in globs]
    text = (read("pnpm-workspace.yaml") or b"").decode("utf-8", "replace")
    found: list[str] = []
    listing = False
    for line in text.splitlines():
        item = line.strip().partition(" #")[0].strip()
        if item and not line.startswith((" ", "-", "#")):
            listing = item == "packages:"
        elif listing and item.startswith("-"):
            found.append(item[1:].strip().strip("'\""))
    return found
