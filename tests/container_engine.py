"""The container engine of a test run, and the image built from this checkout."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tests" / "container.sh"
IMAGE = "autonomous-loop:test"
KEEP = "AUTONOMOUS_LOOP_TEST_ENGINE"
"""Names a folder whose engine outlives the tests: building the image again and again takes minutes."""


@dataclass(frozen=True)
class Engine:
    """A container engine of the tests' own.

    Args:
        folder: all of its state.
    """

    folder: Path

    @property
    def address(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.folder}/docker.sock"

    @property
    def action(self) -> Path:
        """What a checkout of this action holds, and the image was built from."""
        return self.folder / "action"

    def start(self, *args: object, **more: object) -> subprocess.Popen[str]:
        """`docker ARGS`, not waited for."""
        return subprocess.Popen(
            ["docker", *map(str, args)], env=self._env(), text=True, **more,  # type: ignore[call-overload]
        )  # fmt: skip

    def docker(self, *args: object, check: bool = False) -> subprocess.CompletedProcess[str]:
        """`docker ARGS`, to its end."""
        done = subprocess.run(
            ["docker", *map(str, args)], env=self._env(), capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "DOCKER_HOST": self.address}


@contextmanager
def built_engine() -> Iterator[Engine]:
    """An engine with the image; it ends with the block, unless a folder is named to keep it in."""
    kept = os.environ.get(KEEP)
    folder = Path(kept or tempfile.mkdtemp(prefix="autonomous-loop-engine-"))
    done = subprocess.run(
        [str(SCRIPT), str(folder), IMAGE], cwd=ROOT, capture_output=True, text=True, timeout=800, check=False
    )
    try:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        yield Engine(folder)
    finally:
        if not kept:
            subprocess.run([str(SCRIPT), "--stop", str(folder)], check=True, timeout=60)
            shutil.rmtree(folder, ignore_errors=True)
