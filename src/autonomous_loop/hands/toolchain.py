"""What another user can run on this machine: an interpreter, a browser, node."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import SandboxError

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
# Where an installed browser stands when it is on nobody's PATH.
BROWSER_PATHS = (
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
)
PLAYWRIGHT_BROWSERS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium_headless_shell-*/chrome-*/*headless?shell",
)
PROBE_S = 15.0

Run = Callable[[Sequence[str]], Awaitable[CommandResult]]


def interpreters() -> list[str]:
    """Candidates for the hands' interpreter, best first."""
    base = getattr(sys, "_base_executable", "") or sys.executable
    return list(dict.fromkeys([base, "/usr/local/bin/python3", "/usr/bin/python3", sys.executable]))


async def find_interpreter(run: Run, candidates: Sequence[str] | None = None) -> str:
    """The first interpreter that runs as hands.

    Raises:
        SandboxError: none does (one below /root, which other users cannot enter, is the usual reason).
    """
    failures = []
    for candidate in candidates if candidates is not None else interpreters():
        result = await run([candidate, "-I", "-S", "-c", "import json, stat; print('runs')"])
        if result.exit_code == 0 and result.stdout == b"runs\n":
            return candidate
        failures.append(f"{candidate}: {result.text.strip()[-200:] or f'exit code {result.exit_code}'}")
    raise SandboxError(
        "the hands cannot run any Python interpreter:\n    " + "\n    ".join(failures),
        hint="install one that every user can run (Debian: apt-get install python3); one below /root is not.",
    )


async def find_on_path(run: Run, names: Sequence[str]) -> str | None:
    """Absolute path of the first of `names` that the hands find on their PATH."""
    for name in names:
        result = await run(["/bin/sh", "-c", 'command -v "$1"', "sh", name])
        path = result.text.strip()
        if result.exit_code == 0 and path.startswith("/"):
            return path
    return None


async def find_node(run: Run) -> str | None:
    """node, where the hands have one."""
    return await find_on_path(run, ["node"])


async def find_browser(run: Run, *, playwright_cache: Path | None = None) -> str | None:
    """A Chromium or Chrome that the hands can run; an installed one first, then Playwright's own.

    Args:
        playwright_cache: where `playwright install` keeps its browsers.
    """
    found = await find_on_path(run, BROWSERS)
    for candidate in [*([found] if found else []), *BROWSER_PATHS, *_cached(playwright_cache)]:
        if (await run([candidate, "--version"])).exit_code == 0:
            return candidate
    return None


def _cached(playwright_cache: Path | None) -> list[str]:
    if playwright_cache is None:
        return []
    return [
        str(path)
        for pattern in PLAYWRIGHT_BROWSERS
        for path in sorted(playwright_cache.glob(pattern), reverse=True)
    ]
