"""What hands did to be missed by a look where the kernel says something happened: each was missed once."""

import pytest

from autonomous_loop.errors import HandsError
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


async def settled(hands, workspace, first):
    """Watched, with nothing left to look up by name."""
    for script in (f"{first}; echo '# 1' >>app.py", "echo '# 1' >>.gitignore", "echo '# 2' >>app.py"):
        await shell(hands, script)
        tree = await workspace.take()
    assert workspace._watched.alive
    assert not workspace._watched._names
    return tree


@pytest.mark.parametrize("link", ["ln -s src old", "ln -s . old"])
async def test_a_removal_that_a_link_leads_elsewhere(hands, workspace, link):
    old = await settled(hands, workspace, "mkdir -p old/src; echo old >old/a.py; echo old >old/src/a.py")
    await shell(hands, "rm -r old; echo 'new = 1' >app.py")  # the model's change
    new = await workspace.take()
    await workspace.switch(old)
    await shell(hands, f"rm -r old; {link}")  # a test's, on the old code
    await workspace.switch(new)
    assert await everywhere(workspace) == ([], [])
    assert await shell(hands, "cat src/a.py") == "a = 1\n"


@pytest.mark.parametrize("plant", ["os.link", "os.symlink", "lambda _, to: os.mkfifo(to)"])
async def test_names_planted_where_watches_are_tried_out(hands, workspace, plant):
    await settled(hands, workspace, "mkdir data; echo orig >data/flag.txt")
    await shell(hands, "echo 'x = 9' >app.py")
    planting = (
        "import os\n"
        f"plant, pid = {plant}, os.getpid()\n"
        "for n in range(pid, pid + 3000): plant('data/flag.txt', f'{os.environ[\"TMPDIR\"]}/watched-{n}')\n"
        "open('app.py', 'a').write('#')\n"
    )
    done = await hands.run([hands.python, "-c", planting], timeout_s=30)
    assert done.exit_code == 0, done.text
    await workspace.take()
    assert await everywhere(workspace) == ([], [])
    assert await shell(hands, "cat data/flag.txt") == "orig\n"
    assert workspace._watched.alive


@pytest.mark.parametrize(
    "name", [":node_modules", ":(top)node_modules", ":!x", ":(glob)x", ":(attr:x)y", "*", "-x"]
)
async def test_names_that_git_could_read_otherwise(hands, workspace, looks, name):
    tree = await settled(hands, workspace, "echo node_modules >>.gitignore")
    looks.seen  # noqa: B018 - from here on
    await shell(hands, f"mkdir -- '{name}'; echo evil >'./{name}/evil.py'")
    taken = await workspace.take()
    assert taken != tree
    await workspace.switch(tree)
    assert looks.seen[0] > 0
    assert await everywhere(workspace) == ([], [])


@pytest.mark.parametrize("then", ["true", "git init -q src/deep; echo evil >src/deep/evil.py"])
async def test_a_folder_with_nothing_of_the_tree_any_more(hands, workspace, then):
    await settled(hands, workspace, "true")
    await shell(hands, "rm src/deep/b.py")  # the folder stays
    new = await workspace.take()
    await shell(hands, then)
    await workspace.switch(new)
    assert await everywhere(workspace) == ([], [])


async def test_bytecode_that_was_there_when_the_watches_came(hands, workspace):
    await settled(hands, workspace, "true")
    await shell(
        hands, "echo code >src/evil.pyc; echo 3 >>app.py; mkdir src/deep/x; rmdir src/deep/x; chmod 755 src"
    )
    tree = await workspace.take()
    assert workspace._watched.alive
    await shell(hands, "true")
    await workspace.switch(tree)
    assert await everywhere(workspace) == ([], [])


async def test_a_tree_with_a_gitlink_is_not_watched(hands, repository, workspace, looks):
    tree = repository.graft(await settled(hands, workspace, "true"), {"sub": Entry("160000", "1" * 40)})
    await workspace.open(repository.commit(tree, [], "sub\n"))
    looks.seen  # noqa: B018 - from here on
    await shell(hands, "echo 'z = 3' >app.py")
    await workspace.take()
    assert looks.seen == (0, 1)


async def test_a_path_longer_than_a_call_takes(hands, workspace):
    deep = "/".join(["d" * 200] * 19 + ["d" * 100])
    tree = await settled(hands, workspace, f"mkdir -p {deep}; echo x >{deep}/k.py")
    program = f"import os; os.chdir('{deep}'); open('e' * 255, 'w').write('evil')"
    assert (await hands.run([hands.python, "-c", program], timeout_s=20)).exit_code == 0
    with pytest.raises(HandsError, match="lstat"):
        await workspace.switch(tree)


async def test_a_temporary_folder_that_leads_into_the_tree(hands, workspace):
    tree = await settled(hands, workspace, "true")
    await shell(hands, "mv $TMPDIR ${TMPDIR}2; ln -s $PWD/src $TMPDIR")
    assert await workspace.take() == tree
    assert await everywhere(workspace) == ([], [])
    await shell(hands, "rm -rf ${TMPDIR}2")
