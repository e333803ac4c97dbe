"""Requires a browser test for features with a user interface, and collects its pictures as evidence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Evidence, Reason
from autonomous_loop.engine.ports import Sandbox, Trees
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.syntax import read_source, titles

CATEGORIES = frozenset(
    {"ui", "ux", "frontend", "front-end", "browser", "web", "interface", "user interface", "e2e"}
)
PICTURES = "test-results"
MOST_PICTURES = 5
MOST_BYTES = 400_000
TRACE = "trace.zip"
MOST_TRACE_BYTES = 2_000_000
_STEPS = re.compile(r"\bin (?:a|the) browser\b|\bbrowser test\b|\bplaywright\b", re.IGNORECASE)
_PLAYWRIGHT_JS = re.compile(
    rb"""(?:from|require\()\s*['"](?:@playwright/test|playwright(?:-core)?|puppeteer)['"]"""
)
_LIBRARY = re.compile(rb"""(?:from|require\()\s*['"](?:playwright(?:-core)?|puppeteer)['"]""")
# A project may re-export Playwright's `test` with its own fixtures.
_OWN_FIXTURES = re.compile(rb"(?:import|\{)(?:.*?)\btest\b", re.DOTALL)
_TAKEN_FROM = re.compile(rb"(?:from|require\()\s*\Z")
_PNG = b"\x89PNG\r\n\x1a\n"
_ZIP = b"PK\x03\x04"


class BrowserE2ETester:
    """Decides whether a feature needs a browser test, checks that there is one, and collects its pictures.

    Args:
        sandbox: holds the pictures.
        trees: hold the text of the test files.
    """

    def __init__(self, sandbox: Sandbox, trees: Trees) -> None:
        self._sandbox = sandbox
        self._trees = trees

    def is_wanted(self, feature: Feature) -> bool:
        """Return whether the feature has a user interface, judging by its category or its steps."""
        named = feature.category.strip().lower() in CATEGORIES
        return named or any(_STEPS.search(step) for step in feature.steps)

    def browser_tests(self, tree: TreeSha, cases: Sequence[Case]) -> list[str]:
        """Return the ids of passed cases that use a browser, judging by their source in `tree`."""
        read = lru_cache(maxsize=64)(lambda path: self._trees.read(tree, path))
        passed = [case for case in cases if case.outcome == "passed" and case.file]
        # Look at each file once for all of its tests.
        drives = {
            path: driving(path, read(path) or b"")
            for path in {case.file for case in passed}
            if not path.endswith(".py") or _knows_playwright(path, read)
        }
        return [case.id for case in passed if case.file in drives and drives[case.file](case.id)]

    def judge(self, feature: Feature, browser_tests: Sequence[str]) -> Reason | None:
        """Return why the feature's tests are not enough, or None if they are."""
        if browser_tests or not self.is_wanted(feature):
            return None
        return Reason(
            code="no-browser-test",
            text=(
                f"{feature.id} has a user interface (category {feature.category!r}), and none of the"
                " submitted tests that ran uses a browser. Add a Playwright test of its steps."
            ),
        )

    async def clear(self) -> None:
        """Remove pictures of earlier runs."""
        await self._sandbox.run(["rm", "-rf", "--", PICTURES], timeout_s=60)

    async def collect(self) -> tuple[tuple[Evidence, ...], Mapping[str, bytes]]:
        """Collect the last run's pictures (at most five, PNG, 400 KB each) and one trace (zip, 2 MB)."""
        kept = await self._files(".png", _PNG, most=MOST_PICTURES, max_bytes=MOST_BYTES)
        kept |= await self._files(TRACE, _ZIP, most=1, max_bytes=MOST_TRACE_BYTES)
        evidence = tuple(
            Evidence(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for name, data in kept.items()
        )
        return evidence, kept

    async def _files(self, suffix: str, start: bytes, *, most: int, max_bytes: int) -> dict[str, bytes]:
        try:
            paths = await self._sandbox.find(PICTURES, suffixes=[suffix], most=50)
        except SandboxCallError:
            return {}
        found: dict[str, bytes] = {}
        for path in paths:
            try:
                data = await self._sandbox.read_file(path, max_bytes=max_bytes)
            except SandboxCallError:
                continue
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.removeprefix(f"{PICTURES}/"))[-100:]
            if data.startswith(start) and name not in found:
                found[name] = data
            if len(found) == most:
                break
        return found


def uses_browser(path: str, source: bytes, test_id: str) -> bool:
    """Return whether a test drives a browser, through such a fixture or by calling Playwright itself."""
    return driving(path, source)(test_id)


def driving(path: str, source: bytes) -> Callable[[str], bool]:
    """Return a function that answers this for each test id of a file."""
    if not path.endswith(".py"):
        return _javascript_driving(path, source)
    names = read_source(path, source).browser
    return lambda test_id: test_id.rsplit("::", 1)[-1].partition("[")[0] in names


def is_browser_test(path: str, read: Callable[[str], bytes | None]) -> bool:
    """Return whether a file holds a test that drives a browser.

    Args:
        read: returns the content of a path in its tree, or None.
    """
    source = read(path) or b""
    if not path.endswith(".py"):
        return _of_javascript(source)
    tests = [one for one in read_source(path, source).browser if one.startswith("test")]
    return bool(tests) and _knows_playwright(path, read)


def _knows_playwright(file: str, read: Callable[[str], bytes | None]) -> bool:
    """Return whether a `page` fixture can be a browser: a file that may define it names Playwright."""
    folders = file.split("/")[:-1]
    above = ["/".join([*folders[:depth], "conftest.py"]) for depth in range(len(folders) + 1)]
    places = (file, *above, "pyproject.toml", "requirements.txt", "requirements-dev.txt", "setup.cfg")
    return any(b"playwright" in (read(path) or b"") for path in places)


def _of_javascript(source: bytes) -> bool:
    return bool(_PLAYWRIGHT_JS.search(source)) or (_has_own_fixtures(source) and _asks_for_page(source))


def _has_own_fixtures(source: bytes) -> bool:
    """Find `import { test } from "./fixtures"`, or the same with `require`, as one plain statement."""
    pieces = re.split(rb"([;'\"])", source)
    for at in range(0, len(pieces) - 3, 2):
        quoted = pieces[at + 1] != b";" and pieces[at + 2].startswith(b".") and pieces[at + 3] != b";"
        if quoted and _TAKEN_FROM.search(pieces[at][-200:]) and _OWN_FIXTURES.match(_from_first(pieces[at])):
            return True
    return False


def _from_first(statement: bytes) -> bytes:
    """Return the statement from its first `import` or opening brace."""
    found = re.search(rb"import|\{", statement)
    return statement[found.start() :] if found else b""


def _asks_for_page(source: bytes) -> bool:
    """Find `({ page }) =>`: a name in braces as the first argument requests the fixture."""
    pieces = re.split(rb"([})])", source)
    for piece, closed in zip(pieces[::2], pieces[1::2], strict=False):
        opened = re.search(rb"\(\s*\{", piece) if closed == b"}" else None
        if opened and re.search(rb"\b(?:page|browser|context)\b", piece[opened.end() :]):
            return True
    return False


def _javascript_driving(path: str, source: bytes) -> Callable[[str], bool]:
    """With Playwright's own runner, a test requests its page, or a substitute for it, as a fixture."""
    if not _of_javascript(source):
        return lambda _: False
    if _LIBRARY.search(source):
        return lambda _: True
    written = titles(path, source)

    def asks(test_id: str) -> bool:
        used = written.fixtures(test_id.partition("::")[2].partition("[")[0])
        return used is None or bool(used - {"request"})

    return asks
