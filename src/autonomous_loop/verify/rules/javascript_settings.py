"""Reads settings of JavaScript runners outside their own configuration files."""

from __future__ import annotations

import posixpath
import re

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.syntax.javascript_tokens import pairs, tokens

CONFIG = re.compile(
    r"(?:jest|vitest|playwright|karma|cypress)\.config\.[cm]?[jt]s(?:on)?|vitest\.workspace\.(?:[cm]?[jt]s|json)"
    r"|\.mocharc\..*"
)
_SHARED = re.compile(r"vite\.config\.[cm]?[jt]s")
_IMPORTED = re.compile(r"""(?:from|import|require\()\s*['"](\.{1,2}/[^'"]+)['"]""")
# Settings that run code in the runner's own process or decide what runs. Setup files do not count: they are
# like fixtures.
_NAMED = re.compile(
    r"""['"]?\b(?:reporters?|globalSetup|globalTeardown|transform|testEnvironment|environment|runner|resolver"""
    r"""|testSequencer|moduleNameMapper|snapshotEnvironment)\b['"]?\s*:[^\n]*?"""
    r"""['"]((?:\.{1,2}|<rootDir>)/[^'"]+)['"]"""
)
_ENDINGS = ("", ".js", ".ts", ".mjs", ".mts", ".cjs", ".cts", ".json", "/index.js", "/index.ts")


def loaded(facts: Facts) -> frozenset[str]:
    """Return project files that the runners' configuration files load, but not those files themselves."""
    found: set[str] = set()
    configure = [one for one in facts.by_name if CONFIG.fullmatch(one) or _SHARED.fullmatch(one)]
    for name, path in ((one, path) for one in configure for path in facts.by_name[one]):
        text = (facts.read(path) or b"").decode("utf-8", "replace")
        if _SHARED.fullmatch(name) and not section_for_tests(text):
            continue
        for given in (*_IMPORTED.findall(text), *_NAMED.findall(text)):
            inner = given.replace("<rootDir>", ".")
            module = posixpath.normpath(posixpath.join(posixpath.dirname(path), inner))
            found.update(f"{module}{one}" for one in _ENDINGS if f"{module}{one}" in facts.every_path)
    return frozenset(found)


def shares_settings(path: str) -> bool:
    """Return whether a file may hold vitest's settings together with vite's."""
    return bool(_SHARED.fullmatch(posixpath.basename(path)))


def section_for_tests(text: str) -> str:
    """Return vitest's part of a vite configuration as comparable text; "" if it has none."""
    try:
        found = tokens(text)
        closing = pairs(found)
    except (ValueError, RecursionError):
        return text if re.search(r"\btest\b", text) else ""
    parts = []
    for at in range(len(found) - 2):
        words = [found[at].text, found[at + 1].text]
        if found[at].kind in {"name", "string"} and words == ["test", ":"]:
            end = closing.get(at + 2, at + 2)
            parts.append(" ".join(one.text for one in found[at : end + 1]))
    return "\n".join(parts)
