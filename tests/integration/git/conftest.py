from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from autonomous_loop.git.repository import Repository
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.git.workspace_watch import FROM_FILES, Watched
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from git_world import git

IDENTITY = ("Loop", "loop@example.invalid")
PATH = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "app.py").write_text("x = 1\n")
    (folder / ".gitignore").write_text("cache/\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "with space é.txt").write_text("one\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def repository(project, tmp_path):
    made = Repository.create(tmp_path / "loop", remote=str(project), identity=IDENTITY, path=PATH, auth={})
    made.fetch("refs/heads/main:refs/loop/base")
    yield made
    made.close()


@pytest.fixture
def base(project):
    return git(project, "rev-parse", "HEAD")


@asynccontextmanager
async def made_sandbox():
    made = await ProcessSandbox.create(
        base=None, path=(), env={}, read_paths=(), unsandboxed=False, chrome_path=None, browser_python=None
    )
    yield made
    await made.close()


@pytest.fixture
async def sandbox():
    async with made_sandbox() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_sandbox():
    """One made_sandbox for a module: each test opens a work tree of its own in it."""
    async with made_sandbox() as made:
        yield made


@pytest.fixture(params=[FROM_FILES, 0], ids=["", "watched"])
async def workspace(request, sandbox, repository, base):
    made = ScratchWorkspace(sandbox, repository, watched=Watched(sandbox, from_files=request.param))
    await made.open(base)
    return made
