from types import SimpleNamespace

import pytest

from autonomous_loop.verify import e2e
from autonomous_loop.verify.e2e import uses_browser
from autonomous_loop.verify.results.report import Case


@pytest.mark.parametrize(
    ("path", "source", "uses"),
    [
        ("t.py", "def test_x(page):\n    page.goto('/')", True),
        ("t.py", "async def test_x(server, page):\n    await page.goto('/')", True),
        ("t.py", "def test_x():\n    with sync_playwright() as p: ...", True),
        ("t.py", "def test_x(page):\n    assert True", False),
        ("t.py", "def test_y(page):\n    page.goto('/')\n\ndef test_x():\n    assert 1", False),
        ("t.py", "def test_x(server):\n    server.get('/')", False),
        ("t.py", "def (", False),
        ("t.spec.ts", "import { test } from '@playwright/test';", True),
        ("t.spec.ts", "import { test } from 'vitest';", False),
    ],
)
def test_a_browser_test_is_told_by_what_it_drives(path, source, uses):
    assert uses_browser(path, source.encode(), f"{path}::test_x[chromium]") is uses


def test_a_file_is_looked_at_once_for_all_of_its_tests(monkeypatch):
    looked = []
    real = e2e.read_source
    monkeypatch.setattr(e2e, "read_source", lambda *given: looked.append(given[0]) or real(*given))
    source = b"# playwright\n" + b"".join(b"def test_%d(page): page.x()\n" % n for n in range(50))
    trees = SimpleNamespace(read=lambda _tree, path: source if path == "tests/test_a.py" else None)
    cases = [Case(f"tests/test_a.py::test_{n}", "tests/test_a.py", "passed") for n in range(50)]
    assert len(e2e.BrowserE2ETester(None, trees).browser_tests("tree", cases)) == 50
    assert looked == ["tests/test_a.py"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("import { test } from './fixtures'; test('a', async ({ page }) => {})", True),
        ("const { test } = require('../fixtures')\ntest('a', async ({ context }) => {})", True),
        ("import { test } from 'other'; test('a', async ({ page }) => {})", False),
        ("import { test } from './fixtures'; test('a', async ({ other }) => {})", False),
        ("import { test } from './fixtures'; f({ page )", False),
        ("import { other } from './fixtures'; test('a', async ({ page }) => {})", False),
        ("import { test } from\n  \"./fixtures\"\ntest('a', async (\n{ a, page }) => {})", True),
    ],
)
def test_a_project_may_hand_its_own_fixtures_on(text, is_one):
    assert e2e.is_browser_test("a.spec.ts", lambda _: text.encode()) is is_one
