import pytest
import pytest_asyncio

from verify.pytests.world import LOCKS, make_sandbox, python_with


@pytest.fixture(scope="session", params=LOCKS)
def python(request):
    return python_with(request.param)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox():
    made = await make_sandbox(*map(python_with, LOCKS))
    yield made
    await made.close()


@pytest.fixture
def project(world, configured, python):
    """Configure a project whose tests run with this version, by a command that names these words."""

    def project(*words):
        configured(test_command=" ".join([str(python), "-m", "pytest", *words]))
        return world

    return project
