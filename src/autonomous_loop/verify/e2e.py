"""Features with a user interface: a browser test among the tests, and its pictures as evidence."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Mapping, Sequence

from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Evidence, Reason
from autonomous_loop.errors import HandsError
from autonomous_loop.ports import Hands, Trees
from autonomous_loop.verify.report import Case

CATEGORIES = frozenset(
    {"ui", "ux", "frontend", "front-end", "browser", "web", "interface", "user interface", "e2e"}
)
PICTURES = "test-results"
MOST_PICTURES = 5
MOST_BYTES = 400_000
_STEPS = re.compile(r"\bin (?:a|the) browser\b|\bbrowser test\b|\bplaywright\b", re.IGNORECASE)
_FIXTURES = frozenset({"page", "browser", "context", "browser_context", "new_context"})
_PLAYWRIGHT_JS = re.compile(
    rb"""(?:from|require\()\s*['"](?:@playwright/test|playwright(?:-core)?|puppeteer)['"]"""
)
_PNG = b"\x89PNG\r\n\x1a\n"


class BrowserE2ETester:
    """Decides whether a feature needs a browser test, whether there is one, and collects its pictures.

    Args:
        hands: give the pictures.
        trees: give the test files' text.
    """

    def __init__(self, hands: Hands, trees: Trees) -> None:
        self._hands = hands
        self._trees = trees

    def is_wanted(self, feature: Feature) -> bool:
        """Whether the feature has a user interface, by its category or its steps."""
        named = feature.category.strip().lower() in CATEGORIES
        return named or any(_STEPS.search(step) for step in feature.steps)

    def browser_tests(self, tree: TreeSha, cases: Sequence[Case]) -> list[str]:
        """Ids of those cases that passed and use a browser, by their source in `tree`."""
        used: dict[str, bool] = {}
        found = []
        for case in cases:
            if case.outcome != "passed" or not case.file:
                continue
            source = self._trees.read(tree, case.file)
            if source is None or not uses_browser(case.file, source, case.id):
                continue
            if case.file not in used:
                used[case.file] = not case.file.endswith(".py") or self._knows_playwright(tree, case.file)
            if used[case.file]:
                found.append(case.id)
        return found

    def _knows_playwright(self, tree: TreeSha, file: str) -> bool:
        """Whether a fixture called `page` can be a browser: where it may come from names Playwright."""
        folders = file.split("/")[:-1]
        above = ["/".join([*folders[:depth], "conftest.py"]) for depth in range(len(folders) + 1)]
        for path in (file, *above, "pyproject.toml", "requirements.txt", "requirements-dev.txt", "setup.cfg"):
            if b"playwright" in (self._trees.read(tree, path) or b""):
                return True
        return False

    def judge(self, feature: Feature, browser_tests: Sequence[str]) -> Reason | None:
        """Why the feature's tests are not enough, or None."""
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
        await self._hands.run(["rm", "-rf", "--", PICTURES], timeout_s=60)

    async def collect(self) -> tuple[tuple[Evidence, ...], Mapping[str, bytes]]:
        """Pictures the last run left, at most five, each a real PNG of at most 400 KB."""
        try:
            paths = await self._hands.find(PICTURES, suffixes=[".png"], most=50)
        except HandsError:
            return (), {}
        pictures: dict[str, bytes] = {}
        for path in paths:
            try:
                data = await self._hands.read_file(path, max_bytes=MOST_BYTES)
            except HandsError:
                continue
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.removeprefix(f"{PICTURES}/"))[-100:]
            if data.startswith(_PNG) and name not in pictures:
                pictures[name] = data
            if len(pictures) == MOST_PICTURES:
                break
        evidence = tuple(
            Evidence(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for name, data in pictures.items()
        )
        return evidence, pictures


def uses_browser(path: str, source: bytes, test_id: str) -> bool:
    """Whether a test drives a browser: by a fixture of that name, or by calling Playwright itself."""
    if not path.endswith(".py"):
        return bool(_PLAYWRIGHT_JS.search(source))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    name = test_id.rsplit("::", 1)[-1].partition("[")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            arguments = {one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
            fixtures = arguments & _FIXTURES
            # A fixture that is asked for and never used shows nothing.
            used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            if fixtures & used or "playwright" in ast.unparse(node):
                return True
    return False
