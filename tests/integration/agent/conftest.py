import tempfile
from pathlib import Path

import pytest_asyncio

from autonomous_loop.sandbox.sandbox import ProcessSandbox
from integration.agent.agent_world import World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made_sandbox():
    made = await ProcessSandbox.create(
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
async def sandbox(made_sandbox):
    """The module's made_sandbox, its work tree empty and its shell fresh."""
    await made_sandbox.restart_shell()
    await made_sandbox.run(["find", made_sandbox.work, "-mindepth", "1", "-delete"], timeout_s=10)
    return made_sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def world(sandbox):
    """Makes the world of a script; every one is taken down at the end."""
    made: list[World] = []

    def make(script, *, other_sandbox=None):
        made.append(World(script, other_sandbox or sandbox))
        return made[-1]

    yield make
    for one in made:
        await one.close()
