import os

import pytest
import pytest_asyncio

from autonomous_loop.config import LoopConfig
from autonomous_loop.sandbox.toolchain import find_browser
from verify.proof_world import World, make_sandbox


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox():
    made = await make_sandbox(find_browser(os.environ["PATH"]))
    yield made
    await made.close()


@pytest.fixture
def world(sandbox, tmp_path):
    made = World(sandbox, tmp_path / "loop", LoopConfig(test_timeout_s=20))
    yield made
    made.close()


@pytest.fixture
def patient(configured):
    """For what a first run must compile: some toolchains bring no standard library that is compiled."""
    configured(test_timeout_s=120)


@pytest.fixture
def configured(world):
    """Configure the loop anew."""

    def configure(**options):
        world.configure(LoopConfig(**{"test_timeout_s": 20, **options}))

    return configure
