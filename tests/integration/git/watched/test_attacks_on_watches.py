"""What hands did to be missed by a look where the kernel says something happened: each was missed once."""

import pytest

from autonomous_loop.errors import SandboxCallError
from autonomous_loop.git import workspace_protocol
from autonomous_loop.git.tree_edit import Entry
from autonomous_loop.git.workspace import _Found
from integration.git.watched_world import shell

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="module")]


async def everywhere(workspace):
    """What differs: as a switch looks, which shows bytecode and empty folders."""
    state = workspace._state
    call = workspace_protocol.write_and_scan(
        workspace_protocol.Writing(), state.index, clean=False, folders=True, narrow=None
    )
    found = _Found.of(*await workspace._run(call, 4))
    touched = state.touched.keys()
    return sorted(found.untracked - touched), sorted(found.modified.keys() - touched)


async def settled(sandbox, workspace, first):
    """Watched, with nothing left to look up by name."""
    for script in (f"{first}; echo '# 1' >>app.py", "echo '# 1' >>.gitignore", "echo '# 2' >>app.py"):
        await shell(sandbox, script)
        tree = await workspace.take()
    assert workspace._watched.alive
    assert not workspace._watched._names
    return tree


@pytest.mark.parametrize("link", ["ln -s src old", "ln -s . old"])
async def test_a_removal_that_a_link_leads_elsewhere(sandbox, workspace, link):
    old = await settled(sandbox, workspace, "mkdir -p old/src; echo old >old/a.py; echo old >old/src/a.py")
    await shell(sandbox, "rm -r old; echo 'new = 1' >app.py")  # the model's change
    new = await workspace.take()
    await workspace.switch(old)
    await shell(sandbox, f"rm -r old; {link}")  # a test's, on the old code
    await workspace.switch(new)
    assert await everywhere(workspace) == ([], [])
    assert await shell(sandbox, "cat src/a.py") == "a = 1\n"


@pytest.mark.parametrize("plant", ["os.link", "os.symlink", "lambda _, to: os.mkfifo(to)"])
async def test_names_planted_where_watches_are_tried_out(sandbox, workspace, plant):
    await settled(sandbox, workspace, "mkdir data; echo orig >data/flag.txt")
    await shell(sandbox, "echo 'x = 9' >app.py")
    planting = (
        "import os\n"
        f"plant, pid = {plant}, os.getpid()\n"
        "for n in range(pid, pid + 3000): plant('data/flag.txt', f'{os.environ[\"TMPDIR\"]}/watched-{n}')\n"
        "open('app.py', 'a').write('#')\n"
    )
    done = await sandbox.run([sandbox.python, "-c", planting], timeout_s=30)
    assert done.exit_code == 0, done.text
    await workspace.take()
    assert await everywhere(workspace) == ([], [])
    assert await shell(sandbox, "cat data/flag.txt") == "orig\n"
    assert workspace._watched.alive


@pytest.mark.parametrize(
    "name", [":node_modules", ":(top)node_modules", ":!x", ":(glob)x", ":(attr:x)y", "*", "-x"]
)
async def test_names_that_git_could_read_otherwise(sandbox, workspace, looks, name):
    tree = await settled(sandbox, workspace, "echo node_modules >>.gitignore")
    looks.seen  # noqa: B018 - from here on
    await shell(sandbox, f"mkdir -- '{name}'; echo evil >'./{name}/evil.py'")
    taken = await workspace.take()
    assert taken != tree
    await workspace.switch(tree)
    assert looks.seen[0] > 0
    assert await everywhere(workspace) == ([], [])


@pytest.mark.parametrize("then", ["true", "git init -q src/deep; echo evil >src/deep/evil.py"])
async def test_a_folder_with_nothing_of_the_tree_any_more(sandbox, workspace, then):
    await settled(sandbox, workspace, "true")
    await shell(sandbox, "rm src/deep/b.py")  # the folder stays
    new = await workspace.take()
    await shell(sandbox, then)
    await workspace.switch(new)
    assert await everywhere(workspace) == ([], [])


async def test_bytecode_that_was_there_when_the_watches_came(sandbox, workspace):
    await settled(sandbox, workspace, "true")
    await shell(
        sandbox, "echo code >src/evil.pyc; echo 3 >>app.py; mkdir src/deep/x; rmdir src/deep/x; chmod 755 src"
    )
    tree = await workspace.take()
    assert workspace._watched.alive
    await shell(sandbox, "true")
    await workspace.switch(tree)
    assert await everywhere(workspace) == ([], [])


async def test_a_tree_with_a_gitlink_is_not_watched(sandbox, repository, workspace, looks):
    tree = repository.graft(await settled(sandbox, workspace, "true"), {"sub": Entry("160000", "1" * 40)})
    await workspace.open(repository.commit(tree, [], "sub\n"))
    looks.seen  # noqa: B018 - from here on
    await shell(sandbox, "echo 'z = 3' >app.py")
    await workspace.take()
    assert looks.seen == (0, 1)


async def test_a_path_longer_than_a_call_takes(sandbox, workspace):
    deep = "/".join(["d" * 200] * 19 + ["d" * 100])
    tree = await settled(sandbox, workspace, f"mkdir -p {deep}; echo x >{deep}/k.py")
    program = f"import os; os.chdir('{deep}'); open('e' * 255, 'w').write('evil')"
    assert (await sandbox.run([sandbox.python, "-c", program], timeout_s=20)).exit_code == 0
    with pytest.raises(SandboxCallError, match="lstat"):
        await workspace.switch(tree)


async def test_a_temporary_folder_that_leads_into_the_tree(sandbox, workspace):
    tree = await settled(sandbox, workspace, "true")
    await shell(sandbox, "mv $TMPDIR ${TMPDIR}2; ln -s $PWD/src $TMPDIR")
    assert await workspace.take() == tree
    assert await everywhere(workspace) == ([], [])
    await shell(sandbox, "rm -rf ${TMPDIR}2")
