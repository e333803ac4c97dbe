import pytest
import pytest_asyncio

from autonomous_loop.git import workspace as of_workspace
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.git.workspace_watch import Watched
from integration.git.watched_world import FILES, Looks, nothing_else, shell


@pytest.fixture
def sandbox(shared_sandbox):
    return shared_sandbox


@pytest.fixture
def looks(monkeypatch):
    return Looks(monkeypatch)


@pytest_asyncio.fixture(loop_scope="module")
async def workspace(sandbox, repository, monkeypatch):
    # A file that was written in the second of the look is compared by content: it would be seen anyway.
    monkeypatch.setattr(of_workspace, "MOST_RECENT", 0)
    await shell(sandbox, "find $TMPDIR -mindepth 1 -delete")
    made = ScratchWorkspace(sandbox, repository, watched=Watched(sandbox, from_files=0))
    await made.open(repository.commit(repository.write_files(None, FILES), [], "first\n"))
    return made


@pytest.fixture
def take(workspace, repository):
    async def taking():
        tree = await workspace.take()
        await nothing_else(workspace, repository)
        return tree

    return taking


@pytest.fixture
def switch(workspace, repository):
    async def switching(tree):
        await workspace.switch(tree)
        await nothing_else(workspace, repository)

    return switching
