"""A look where the kernel says something happened finds what a look at everything finds."""

import random

import pytest

from autonomous_loop.git import workspace_watch
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.git.workspace_watch import Watched
from integration.git.watched_world import FILES, nothing_else, shell

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="module")]


async def test_what_is_read_and_changed_is_looked_at_and_nothing_else(sandbox, looks, take):
    await shell(sandbox, "cat src/a.py; echo 'x = 2' >app.py; echo new >src/new.py; touch a.log; mkdir cache")
    await take()
    assert looks.seen == (1, 0)
    await shell(sandbox, "rm src/new.py")
    await take()
    assert looks.seen == (1, 0)


async def test_a_tree_of_a_few_files_is_not_worth_it(sandbox, repository, looks):
    workspace = ScratchWorkspace(sandbox, repository)
    await workspace.open(repository.commit(repository.write_files(None, FILES), [], "first\n"))
    await shell(sandbox, "echo 'x = 2' >app.py")
    await workspace.take()
    assert looks.seen == (0, 1)


LATER = {
    "a file in a folder that was empty": ("mkdir -p src/empty/er", "touch src/empty/er/new.py"),
    "a file in a folder that was there when the watches came": (
        "mkdir -p e; echo '# more' >>.gitignore", "touch e/new.py"),
    "a file in a folder of ignored ones": ("mkdir -p logs; touch logs/a.log", "touch logs/new.py"),
    "a file in an ignored folder": ("mkdir -p cache; touch cache/x", "touch cache/y"),
    "a folder that the tree's rules ignored until a switch": (
        "echo 'out/' >>.gitignore; mkdir -p out", "touch out/new.py"),
    "a folder that was ignored while its rules were others": (
        "mkdir -p cache; touch cache/x", "echo '*.log' >.gitignore"),
    "rules that were ignored themselves": (
        "echo '*' >own/.gitignore; touch own/hidden", "echo '# none' >own/.gitignore"),
    "rules that were ignored themselves at the first look": (
        "echo '*' >own/.gitignore; touch own/hidden; echo 'x = 2' >app.py", "echo '# none' >own/.gitignore"),
    "rules in a folder that came": ("mkdir -p n; echo '*' >n/.gitignore; touch n/x", ": >n/.gitignore"),
    "a file written by another name": ("ln src/a.py $TMPDIR/alias", "echo 'a = 2' >$TMPDIR/alias"),
    "a folder of the tree that goes and comes": ("rm -r src/deep", "mkdir src/deep; touch src/deep/c.py"),
    "a folder of the tree that is another's": ("mv src s; cp -r s src; rm -r s", "echo 'a = 2' >src/a.py"),
    "a folder that was moved": ("mv src/deep moved", "echo 'b = 2' >moved/b.py; touch moved/new.py"),
    "a file in place of an empty folder": ("mkdir e", "rmdir e; echo x >e"),
    "a folder in place of a file": ("rm app.py", "mkdir app.py; echo x >app.py/x"),
    "a link in place of a file": ("ln -s src/a.py l", "ln -sfn app.py l"),
    "a file nobody could read": ("chmod 0 src/a.py; chmod 600 src/a.py", "chmod 755 src/a.py"),
}  # fmt: skip


@pytest.mark.parametrize(("first", "then"), LATER.values(), ids=LATER.keys())
@pytest.mark.parametrize("settled", ["take", "switch"])
async def test_what_happens_after_a_look_is_seen_by_the_next(sandbox, first, then, settled, take, switch):
    start = await take()
    await shell(sandbox, first)
    if settled == "take":
        await take()
    else:
        await switch(start)
        await shell(sandbox, f"{first} || :")
    await shell(sandbox, f"{then} || :")
    await take()
    await switch(start)


async def test_a_folder_that_a_switch_made_is_looked_into(sandbox, repository, looks, take, switch):
    before = await take()
    other = repository.write_files(before, {"made/here/c.py": b"c = 1\n"})
    await switch(other)
    await shell(sandbox, "touch made/here/evil.py")
    assert await take() != other
    await switch(other)
    await shell(sandbox, "touch made/evil.py; echo 'c = 2' >made/here/c.py")
    await switch(other)
    await switch(before)
    await shell(sandbox, "mkdir -p made/here; touch made/here/evil.py")
    assert await take() != before
    assert looks.seen[0] > 0


async def test_a_work_tree_that_is_opened_anew_is_watched_anew(workspace, sandbox, repository, take, looks):
    many = FILES | {f"many/{n:03}.py": b"n = 1\n" for n in range(60)}
    await workspace.open(repository.commit(repository.write_files(None, many), [], "many\n"))
    await shell(sandbox, "echo 'n = 2' >many/059.py")
    await take()
    await shell(sandbox, "echo 'n = 3' >many/058.py")
    tree = await take()
    assert looks.seen == (2, 0)
    # Attributes decide what all files look like: the whole tree is written anew.
    await workspace.switch(repository.write_files(tree, {".gitattributes": b"*.txt text\n"}))
    looks.seen  # noqa: B018 - from here on
    await shell(sandbox, "echo 'n = 4' >many/057.py")
    await take()
    assert looks.seen == (1, 0)


async def test_a_write_through_memory_that_is_never_closed_is_undone(sandbox, looks, take, switch):
    before = await take()
    looks.seen  # noqa: B018 - from here on
    program = (
        "import mmap, os, socket\n"
        "os.link('src/a.py', os.environ['TMPDIR'] + '/alias')\n"
        "file = os.open(os.environ['TMPDIR'] + '/alias', os.O_RDWR)\n"
        "memory = mmap.mmap(file, 0); memory[0] = 98\n"
        "one, other = socket.socketpair()\n"
        "socket.send_fds(one, [b'x'], [file, one.fileno(), other.fileno()]); os._exit(0)\n"
    )
    done = await sandbox.run([sandbox.python, "-c", program], timeout_s=20)
    assert done.exit_code == 0, done.text
    await switch(before)
    assert looks.seen == (2, 0)  # the second sees that it is mended
    assert await shell(sandbox, "cat src/a.py") == "a = 1\n"


async def test_more_than_the_kernel_keeps_is_looked_for_everywhere(sandbox, looks, take):
    await shell(sandbox, "echo 'a = 2' >src/a.py; for n in {1..9000}; do : <app.py; : <src/a.py; done")
    await take()
    assert looks.seen == (0, 1)
    await shell(sandbox, "echo 'a = 3' >src/a.py")
    await take()
    assert looks.seen == (1, 0)


async def test_where_the_kernel_tells_nothing_everything_is_looked_at(
    sandbox, repository, looks, monkeypatch
):
    asked = []

    async def nothing(files, folders):
        asked.append(len(files))
        return False

    monkeypatch.setattr(sandbox, "watch", nothing)
    workspace = ScratchWorkspace(sandbox, repository, watched=Watched(sandbox, from_files=0))
    await workspace.open(repository.commit(repository.write_files(None, FILES), [], "first\n"))
    for n in range(2):
        await shell(sandbox, f"echo 'x = {n}' >app.py")
        await workspace.take()
        await nothing_else(workspace, repository)
    assert looks.seen == (0, 2)
    assert asked == [len(FILES)]


async def test_more_names_than_are_worth_it_are_looked_for_everywhere(sandbox, looks, monkeypatch, take):
    monkeypatch.setattr(workspace_watch, "MOST_NAMES", 3)
    await shell(sandbox, "touch one two three four")
    await take()
    assert looks.seen == (0, 1)


async def test_what_was_touched_before_a_look_that_failed_is_not_forgotten(workspace, sandbox, take):
    before = await take()
    await shell(sandbox, "echo 'a = 2' >src/a.py; git init -q nested; touch nested/x")
    with pytest.raises(Exception, match="repository inside"):
        await workspace.take()
    await shell(sandbox, "rm -rf nested")
    assert await take() != before


OPERATIONS = """
echo {n} >>src/a.py
echo {n} >src/n{n}.py
rm -f src/n*.py
mkdir -p d{n}/in
touch d*/in/f{n} || :
rm -rf d*
mv src/deep deep{n} 2>/dev/null || :
mkdir -p src/deep; echo {n} >src/deep/b.py
echo {n} >x.log
mkdir -p cache; touch cache/{n}
echo 'n{n}*' >>.gitignore
echo '*.log' >.gitignore
chmod 755 app.py
chmod 644 app.py
ln -f app.py $TMPDIR/app; echo {n} >$TMPDIR/app || :
cat app.py src/*.py || :
cp -p app.py a; mv a app.py || :
ln -sfn src link
rm -rf app.py; mkdir app.py; touch app.py/{n}
rm -rf app.py; echo {n} >app.py
echo '*' >own/.gitignore || :
rm -f own/.gitignore
touch own/{n} || :
mv tests t; mkdir tests; cp t/* tests/ 2>/dev/null || :; rm -rf t
mv src/a.py src/c.py || :
touch -d 2001-01-01 src/*.py || :
truncate -s 3 tests/test_a.py || :
grep -r x . >/dev/null || :
""".strip().splitlines()


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_is_done_in_whatever_order(workspace, sandbox, looks, seed, take, switch):
    chance = random.Random(seed)
    # Rules that are ignored themselves keep all looks wide.
    operations = [one for one in OPERATIONS if seed % 2 or "own/" not in one]
    trees = [await take()]
    for n in range(10):
        script = "\n".join(chance.choice(operations).format(n=n) for _ in range(chance.randint(1, 4)))
        await shell(sandbox, f"set +e\n{script}\ntrue")
        if chance.random() < 0.3:
            # The second finds nobody ran since the first, and writes without a look.
            for _ in range(2):
                await workspace.switch(chance.choice(trees))
            await shell(sandbox, chance.choice(operations).format(n=n) + " || :")
        if chance.random() < 0.5:
            trees.append(await take())
        else:
            await switch(chance.choice(trees))
            trees.append(await take())
    assert seed % 2 or looks.narrow > 0
