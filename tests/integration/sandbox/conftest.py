import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio

from autonomous_loop.sandbox.sandbox import ProcessSandbox


@pytest.fixture
def public():
    """A folder of the loop's user that everybody can enter and read (pytest's own are root's alone)."""
    folder = Path(tempfile.mkdtemp(prefix="hands-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


DEFAULTS = {
    "base": None,
    "path": [],
    "env": {},
    "read_paths": [],
    "unsandboxed": False,
    "chrome_path": None,
    "browser_python": None,
}


@pytest.fixture
async def make(public):
    """Makes sandboxes; each is closed at the end."""
    made: list[ProcessSandbox] = []

    async def sandbox(**given) -> ProcessSandbox:
        made.append(await ProcessSandbox.create(**DEFAULTS | {"read_paths": [str(public)]} | given))
        return made[-1]

    yield sandbox
    for one in made:
        await one.close()


@pytest.fixture
async def sandbox(make):
    return await make()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared():
    """One sandbox for all tests of a module that leave no trace in it."""
    sandbox = await ProcessSandbox.create(**DEFAULTS)
    yield sandbox
    await sandbox.close()


@pytest.fixture
def stand_in():
    """A process of the loop's user that holds a secret in its environment and its memory."""
    program = "import os, sys; held = os.environ['KEY'] * 2; print('up', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", program],
        env={"KEY": "planted-secret"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"up\n"
    yield process.pid
    process.communicate()
