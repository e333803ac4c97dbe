import pytest
import pytest_asyncio

from autonomous_loop.config import LoopConfig
from verify.javascript import world as javascript
from verify.proof_world import World


@pytest.fixture(scope="session")
def installed():
    return javascript.packages()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox(installed):
    made = await javascript.make_sandbox(installed)
    yield made
    await made.close()


@pytest.fixture
def world(sandbox, tmp_path):
    made = World(sandbox, tmp_path / "loop", LoopConfig(test_timeout_s=120))
    yield made
    made.close()
