"""Finds programs that another user can run on this machine: an interpreter, a browser, node."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import SandboxError

# Headless shells come first: they start in half the time, and nobody looks at the sandbox's windows.
BROWSERS = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)
PLAYWRIGHT_BROWSERS = (
    "chromium_headless_shell-*/chrome-*/*headless?shell",
    "chromium-*/chrome-linux*/chrome",
)
PROBE_S = 15.0

Run = Callable[[Sequence[str]], Awaitable[CommandResult]]


def interpreters() -> list[str]:
    """Return candidates for the sandbox's interpreter, best first."""
    base = getattr(sys, "_base_executable", "") or sys.executable
    return list(dict.fromkeys([base, "/usr/local/bin/python3", "/usr/bin/python3", sys.executable]))


async def find_interpreter(run: Run, candidates: Sequence[str] | None = None) -> str:
    """Return the first interpreter that runs in the sandbox.

    Raises:
        SandboxError: none runs (usually because it is below /root, which other users cannot enter).
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
    """Return the absolute path of the first of `names` on the sandbox's PATH."""
    for name in names:
        result = await run(["/bin/sh", "-c", 'command -v "$1"', "sh", name])
        path = result.text.strip()
        if result.exit_code == 0 and path.startswith("/"):
            return path
    return None


async def find_node(run: Run) -> str | None:
    """Return the path of node, or None if the sandbox has none."""
    return await find_on_path(run, ["node"])


def find_browser(path: str, cache: Path | None = None) -> str | None:
    """Return an installed Chromium or Chrome, or else Playwright's own browser.

    Args:
        path: folders, as in PATH.
        cache: the folder where `playwright install` keeps its browsers.
    """
    for name in BROWSERS:
        if found := shutil.which(name, path=path):
            return found
    if cache is not None and cache.is_dir():
        for pattern in PLAYWRIGHT_BROWSERS:
            if made := sorted(cache.glob(pattern), reverse=True):
                return str(made[0])
    return None
