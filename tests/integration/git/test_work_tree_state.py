"""What the hands did to the work tree is undone by a switch and seen by a take; only that is written."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from autonomous_loop.git import workspace as of_workspace
from autonomous_loop.git.tree_edit import Entry
from autonomous_loop.git.workspace import MOST_RECENT, ScratchWorkspace
from autonomous_loop.git.workspace_watch import FROM_FILES, Watched
from git_world import git
from integration.git.watched_world import shell
from waiting import away

pytestmark = [pytest.mark.root, pytest.mark.asyncio(loop_scope="module")]

# Everything in the work tree but git's folder: kind, mode, path, target or content.
EVERYTHING = (
    "find . -path ./.git -prune -o -type l -printf 'l %p %l\\n' -o -type d -printf 'd %p\\n' "
    "-o -type f -printf 'f %m %p ' -exec md5sum {} ';' -o -printf '? %p\\n' | sort"
)


@pytest.fixture
def sandbox(shared_sandbox):
    return shared_sandbox


@pytest_asyncio.fixture(loop_scope="module", params=[FROM_FILES, 0], ids=["", "watched"])
async def workspace(request, sandbox, repository, base):
    await shell(sandbox, "find $TMPDIR -mindepth 1 -delete")
    made = ScratchWorkspace(sandbox, repository, watched=Watched(sandbox, from_files=request.param))
    with pytest.MonkeyPatch.context() as patch:
        if not request.param:  # or all of them are compared by content, having been written in this second
            patch.setattr(of_workspace, "MOST_RECENT", 0)
        await made.open(base)
    return made


CHANGES = {
    "in place, with size and modification time put back": (
        "touch -r app.py /tmp/$$ && printf 'y = 1\\n' > app.py && touch -r /tmp/$$ app.py && rm /tmp/$$"
    ).replace("/tmp", "$TMPDIR"),
    "a date in the future": "printf 'y = 1\\n' > app.py && touch -d 2099-01-01 app.py",
    "replaced by a copy": "cp -p app.py x && printf 'y = 1\\n' > x && touch -r app.py x && mv x app.py",
    "deleted": "rm -r app.py sub",
    "added": "mkdir -p sub/deep/er && echo n > sub/deep/er/new && echo n > conftest.py",
    "an empty folder": "mkdir -p marker/inside",
    "mode": "chmod 755 app.py",
    "a link in place of a file": "mv app.py $TMPDIR/app.py && ln -s $TMPDIR/app.py app.py",
    "a link in place of a folder": "mv sub $TMPDIR/sub && ln -s $TMPDIR/sub sub",
    "a folder in place of a file": "rm app.py && mkdir app.py && echo x > app.py/x",
    "a file in place of a folder": "rm -r sub && echo x > sub",
    "two folders exchanged": "mkdir o && cp -p sub/* o/ && mv sub s && mv o sub && mv s o",
    "another name for a file": "ln app.py other.py && printf 'y = 1\\n' > other.py",
    "a nested repository": "git init -q n && echo x > n/x",
    "ignored by a rule of theirs": "echo '*.so' >> .gitignore && echo x > evil.so",
    "ignored by rules in a folder": (
        "mkdir d && echo '*' > sub/.gitignore && echo evil.so >> .gitignore && touch evil.so"
    ),
    "unreadable": "echo x > sub/new && chmod 0 sub",
    "unwritable": "printf 'y = 1\\n' > app.py && chmod 500 .",
    "a fifo": "rm app.py && mkfifo app.py",
    "a strange name": "touch -- $'new\\nline' $'tab\\t' '*' '--help'",
    "attributes of theirs": "echo '* text eol=crlf' > .gitattributes && rm app.py",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("otherwise", [False, True], ids=["same", "other tree"])
async def test_a_switch_undoes_what_the_hands_did(workspace, sandbox, repository, base, change, otherwise):
    before = repository.tree_of(base)
    other = repository.write_files(before, {"app.py": b"z = 1\n", "more/new.py": b"n\n", "sub/b": b"b\n"})
    await workspace.switch(other)
    if not otherwise:
        await workspace.switch(before)
    there = await shell(sandbox, EVERYTHING)
    await shell(sandbox, change)
    changed = await sandbox.run(["bash", "-c", EVERYTHING], timeout_s=30)
    assert changed.text != there
    await workspace.switch(other if otherwise else before)
    # A folder of ignored files alone is nobody's to remove.
    left = await shell(sandbox, EVERYTHING)
    if "sub/.gitignore" in change:
        left = "".join(line for line in left.splitlines(True) if "./sub/.gitignore" not in line)
    assert left == there
    assert await workspace.take() == (other if otherwise else before)


SEEN = {
    "in place, with size and modification time put back": {"app.py": "M"},
    "a date in the future": {"app.py": "M"},
    "replaced by a copy": {"app.py": "M"},
    "mode": {"app.py": "M"},
    "a link in place of a file": {"app.py": "T"},
    "a link in place of a folder": {"sub/with space é.txt": "D", "sub": "A"},
    "a folder in place of a file": {"app.py": "D", "app.py/x": "A"},
    "a file in place of a folder": {"sub/with space é.txt": "D", "sub": "A"},
    "another name for a file": {"app.py": "M", "other.py": "A"},
    "unreadable": {"sub/new": "A"},
    "a strange name": dict.fromkeys(["*", "--help", "new\nline", "tab\t"], "A"),
}


@pytest.mark.parametrize("change", SEEN)
async def test_a_take_sees_what_the_hands_did(workspace, sandbox, repository, base, change):
    before = repository.tree_of(base)
    await shell(sandbox, CHANGES[change])
    tree = await workspace.take()
    assert {one.path: one.status for one in repository.changes(before, tree)} == SEEN[change]
    await shell(sandbox, "true")
    assert await workspace.take() == tree
    await workspace.switch(before)
    await workspace.switch(tree)
    assert await workspace.take() == tree


@pytest.fixture
def many_files(repository, base):
    """A commit with more files than are compared by content where their times say nothing."""
    tree = repository.tree_of(base)
    blob = repository.look_up(tree, ["app.py"])["app.py"]
    more = {f"many/{number}.py": blob for number in range(MOST_RECENT + 10)}
    return repository.commit(repository.graft(tree, more), [], "many")


IN_PLACE = "for one in {}; do printf '{} = 1\\n' > $one; done; touch -d @1000000000 {}"


@pytest.mark.parametrize("paths", ["app.py", "many/*"])
async def test_what_changes_within_the_second_of_the_last_look_is_seen(
    workspace, sandbox, repository, many_files, paths
):
    """git compares times by the second."""
    await workspace.open(many_files)
    path = paths.replace("*", "7.py")
    for letters in ("ab", "cd", "ef"):
        seen = []
        for letter in letters:
            await shell(sandbox, IN_PLACE.format(paths, letter, paths))
            seen.append(repository.read(await workspace.take(), path))
        assert seen == [f"{letter} = 1\n".encode() for letter in letters]


@pytest.mark.parametrize("paths", ["app.py", "many/*"])
async def test_a_switch_undoes_what_changes_within_the_second_of_the_last_look(
    workspace, sandbox, many_files, paths
):
    await workspace.open(many_files)
    path = paths.replace("*", "7.py")
    for letters in ("ab", "cd", "ef"):
        await shell(sandbox, IN_PLACE.format(paths, letters[0], paths))
        taken = await workspace.take()
        await shell(sandbox, IN_PLACE.format(paths, letters[1], paths))
        await workspace.switch(taken)
        assert await shell(sandbox, f"cat {path}") == f"{letters[0]} = 1\n"


async def test_a_folder_that_was_closed_is_opened_and_restored(workspace, sandbox, repository, many_files):
    await workspace.open(many_files)
    await shell(sandbox, "echo y > many/7.py; chmod 0 many")
    await workspace.switch(repository.tree_of(many_files))
    assert await shell(sandbox, "cat many/7.py") == "x = 1\n"


async def test_a_switch_writes_what_differs_and_nothing_else(workspace, sandbox, repository, many_files):
    before = repository.tree_of(many_files)
    other = repository.write_files(before, {"app.py": b"z = 1\n"})
    await workspace.open(many_files)
    status = "stat -c '%n %i %y' app.py sub/* many/*"
    first = (await shell(sandbox, status)).splitlines()
    await workspace.switch(other)  # a process ran: everything is looked at
    await workspace.switch(before)  # nothing ran
    second = (await shell(sandbox, status)).splitlines()
    assert first[0] != second[0]
    assert first[1:] == second[1:]


async def test_where_nothing_ran_nothing_is_looked_at(workspace, sandbox, repository, base):
    tree = await workspace.take()
    started = sandbox.started
    assert await workspace.take() == tree
    await workspace.switch(tree)
    assert sandbox.started == started
    await shell(sandbox, "true")
    assert await workspace.take() == tree
    assert sandbox.started == started + 2


async def test_a_file_written_through_the_loop_is_taken(workspace, sandbox, repository):
    await workspace.take()
    await sandbox.write_file("app.py", b"x = 7\n")
    first = await workspace.take()
    await sandbox.write_file("app.py", b"x = 8\n")
    second = await workspace.take()
    assert [repository.read(tree, "app.py") for tree in (first, second)] == [b"x = 7\n", b"x = 8\n"]


def go(sandbox):
    """Without a process of theirs."""
    Path(sandbox.temporary, "go").touch()


async def test_a_process_left_behind_does_not_pass_for_quiet(workspace, sandbox, repository):
    await workspace.take()
    late = "until [ -e $TMPDIR/go ]; do sleep 0.05; done; echo late > app.py; sleep 600"
    await shell(sandbox, f"setsid sh -c 'exec 2>&1; {late}' >/dev/null & {away('sh')}")
    before = await workspace.take()
    go(sandbox)
    await asyncio.sleep(1)
    assert await workspace.take() == before
    assert repository.read(before, "app.py") == b"x = 1\n"
    assert await sandbox.read_file("app.py", max_bytes=99) == b"x = 1\n"


async def test_objects_that_the_hands_forge_are_not_written(workspace, sandbox, repository, base):
    before = repository.tree_of(base)
    await shell(sandbox, "echo 'x = 2' > app.py")
    candidate = await workspace.take()
    forge = """
import glob, os, shutil, sys, zlib
for pack in glob.glob(os.environ["TMPDIR"] + "/*/objects/pack"):
    shutil.rmtree(pack)
for folder in [*glob.glob(os.environ["TMPDIR"] + "/*"), ".git"]:
    path = f"{folder}/objects/{sys.argv[1][:2]}/{sys.argv[1][2:]}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(zlib.compress(b"blob 6\\0forged"))
"""
    blob = repository.look_up(before, ["app.py"])["app.py"].sha
    done = await sandbox.run(["python3", "-c", forge, blob], timeout_s=10)
    assert done.exit_code == 0, done.text
    # What a git of theirs would write:
    assert "forged" in await shell(sandbox, "git checkout -q -- app.py && cat app.py; rm -f app.py")
    await workspace.switch(before)
    assert await shell(sandbox, "cat app.py") == "x = 1\n"
    await workspace.switch(candidate)
    assert await shell(sandbox, "cat app.py") == "x = 2\n"


async def test_the_index_is_out_of_the_hands_reach(workspace, sandbox):
    index = workspace._state.index
    for attack in (f"echo >> {index}", f"rm -f {index}", f"mv {index} .", f"touch {index}.lock"):
        assert (await sandbox.run(["sh", "-c", attack], timeout_s=10)).exit_code != 0, attack
    assert (await sandbox.run(["test", "-r", index], timeout_s=10)).exit_code == 0


async def test_where_attributes_differ_everything_is_written_anew(workspace, sandbox, repository, base):
    before = repository.tree_of(base)
    dos = repository.write_files(before, {".gitattributes": b"*.py text eol=crlf\n"})
    await workspace.switch(dos)
    assert await shell(sandbox, "od -c app.py") == await shell(sandbox, "printf 'x = 1\\r\\n' | od -c")
    assert await workspace.take() == dos
    await workspace.switch(before)
    assert await shell(sandbox, "cat app.py; ls -A") == "x = 1\n.git\n.gitignore\napp.py\nsub\n"


async def test_ignored_files_stay_also_beside_what_comes_and_goes(workspace, sandbox, repository, base):
    before = repository.tree_of(base)
    with_cache = repository.write_files(before, {"pkg/a.py": b"a\n", "pkg/cache/kept": b"k\n"})
    await workspace.switch(with_cache)
    await shell(sandbox, "echo i > pkg/cache/ignored; mkdir cache; echo i > cache/ignored")
    for _ in range(2):
        await workspace.switch(before)
        assert await shell(sandbox, "cat pkg/cache/* cache/*; ls pkg") == "i\ni\ncache\n"
        await workspace.switch(with_cache)
        assert await workspace.take() == with_cache
        assert await shell(sandbox, "cat pkg/cache/* cache/*") == "i\nk\ni\n"
        assert await workspace.take() == with_cache


async def test_a_submodule_of_the_project_stays_an_empty_folder(workspace, sandbox, repository, base):
    tree = repository.tree_of(base)
    with_module = repository.graft(tree, {"lib/module": Entry("160000", base)})
    await workspace.switch(with_module)
    await shell(sandbox, "test -d lib/module; echo 'x = 3' > app.py")
    taken = await workspace.take()
    assert [one.path for one in repository.changes(with_module, taken)] == ["app.py"]
    await workspace.switch(tree)
    assert await shell(sandbox, "ls") == "app.py\nsub\n"


async def test_the_hands_own_git_shows_a_clean_checkpoint(workspace, sandbox, project):
    assert await shell(sandbox, "git status --short; git log --format=%s") == "the checkpoint\n"
    listed = git(project, "ls-files", "-z").split("\0")
    assert (await shell(sandbox, "git ls-files -z")).split("\0") == listed
