"""The pytest versions that projects bring, each in a virtual environment of its own outside the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autonomous_loop.sandbox.sandbox import ProcessSandbox
from verify.proof_world import SYSTEM_PATH

LOCKS = {path.stem.removeprefix("pytest-"): path for path in sorted(Path(__file__).parent.glob("*.lock"))}
_DEADLINE_S = 300


def python_with(version: str) -> Path:
    """An interpreter with this pytest and nothing else, installed when it is not there.

    Raises:
        RuntimeError: pip could not bring it.
    """
    lock = LOCKS[version]
    home = Path(
        "/var/cache" if os.geteuid() == 0 else os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    )
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = home / "autonomous-loop" / f"pytest-{version}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "pytest.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _install(folder, lock)
    return folder / "bin" / "python"


def _install(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        str(lock),
    ]
    for command in ([sys.executable, "-m", "venv", str(folder)], [str(folder / "bin" / "python"), *pip]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
        if done.returncode:
            raise RuntimeError(f"{lock.name} could not be installed: {done.stderr[-2000:]}")
    subprocess.run(["chmod", "-R", "go+rX", str(folder)], check=True)
    (folder / "done").touch()


async def make_sandbox(*pythons: Path) -> ProcessSandbox:
    """Hands that may read these virtual environments."""
    return await ProcessSandbox.create(
        base=Path(tempfile.gettempdir()),
        path=[str(Path(sys.executable).parent), *SYSTEM_PATH],
        env={},
        read_paths=[sys.prefix, sys.base_prefix, *(str(one.parent.parent) for one in pythons)],
        unsandboxed=False,
        chrome_path=None,
        browser_python=None,
    )
