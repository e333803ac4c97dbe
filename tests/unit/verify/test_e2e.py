import pytest

from autonomous_loop.verify.e2e import uses_browser


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
