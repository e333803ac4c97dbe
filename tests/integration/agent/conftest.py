import tempfile
from pathlib import Path

import pytest_asyncio

from autonomous_loop.sandbox.sandbox import Sandbox
from integration.agent.agent_world import World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox():
    made = await Sandbox.create(
        base=Path(tempfile.gettempdir()),
        path=[],
        env={},
        read_paths=[],
        unsandboxed=False,
        chrome_path=None,
        browser_python=None,
    )
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def hands(sandbox):
    """The module's sandbox, its work tree empty and its shell fresh."""
    await sandbox.restart_shell()
    await sandbox.run(["find", sandbox.work, "-mindepth", "1", "-delete"], timeout_s=10)
    return sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def world(hands):
    """Makes the world of a script; every one is taken down at the end."""
    made: list[World] = []

    def make(script, *, other_hands=None):
        made.append(World(script, other_hands or hands))
        return made[-1]

    yield make
    for one in made:
        await one.close()
