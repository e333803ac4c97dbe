"""The kernel tells what was opened or changed, by whatever name or way; or it is said that it cannot."""

from pathlib import Path

import pytest

from autonomous_loop.domain.work import Touched
from autonomous_loop.sandbox import watch

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEPT = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
NOTHING = Touched(frozenset(), frozenset(), frozenset())


async def shell(sandbox, script):
    done = await sandbox.run(["bash", "-ec", script], timeout_s=20)
    assert done.exit_code == 0, done.text
    await sandbox.end_all()


async def python(sandbox, script):
    done = await sandbox.run([sandbox.python, "-c", script], timeout_s=20)
    assert done.exit_code == 0, done.text
    await sandbox.end_all()


@pytest.fixture
async def watched(sandbox):
    await shell(
        sandbox,
        "mkdir -p src/deep; echo a >src/a.py; echo b >src/deep/b.py; ln -s a.py src/link; touch other",
    )
    assert await sandbox.watch(["src/a.py", "src/deep/b.py", "src/link"], ["", "src", "src/deep"])
    return sandbox


def seen(sandbox):
    found = sandbox.touched()
    assert found is not None
    return {
        name: set(getattr(found, name)) for name in ("files", "entries", "folders") if getattr(found, name)
    }


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("true", {}),
        ("ls -l src src/deep; stat src/a.py; echo more >>other", {}),
        ("cat src/a.py", {"files": {"src/a.py"}}),
        ("echo more >>src/a.py", {"files": {"src/a.py"}}),
        ("truncate -s 0 src/deep/b.py", {"files": {"src/deep/b.py"}}),
        ("ln src/a.py $TMPDIR/alias; echo x >>$TMPDIR/alias", {"files": {"src/a.py"}}),
        ("cp -p src/a.py $TMPDIR/kept; cat $TMPDIR/kept >src/a.py; touch -r $TMPDIR/kept src/a.py",
         {"files": {"src/a.py"}, "entries": {"src/a.py"}}),
        ("chmod +x src/a.py", {"files": {"src/a.py"}, "entries": {"src/a.py"}}),
        ("rm src/a.py", {"files": {"src/a.py"}, "entries": {"src/a.py"}}),
        ("echo new >src/new.py", {"entries": {"src/new.py"}}),
        ("echo new >$TMPDIR/n; mv $TMPDIR/n src/a.py", {"files": {"src/a.py"}, "entries": {"src/a.py"}}),
        ("ln -sfn b.py src/link", {"files": {"src/link"}, "entries": {"src/link"}}),
        ("mkdir src/made", {"folders": {"src/made"}}),
        ("chmod 700 src/deep", {"folders": {"src/deep"}}),
        ("mv src gone", {"folders": {"src", "gone"}}),
        ("rm -r src/deep",
         {"files": {"src/deep/b.py"}, "entries": {"src/deep/b.py"}, "folders": {"src/deep"}}),
        ("mv $PWD ${PWD}2 && mkdir $PWD", {"folders": {""}}),
    ],
)  # fmt: skip
async def test_what_was_opened_or_changed_is_told(watched, script, expected):
    await shell(watched, script)
    found = seen(watched)
    if "ln -sfn" in script:  # by a name in between
        found["entries"] = {one for one in found["entries"] if one == "src/link"}
    assert found == expected
    assert watched.touched() == NOTHING


async def test_what_is_cut_by_its_path_is_told(watched):
    await python(watched, "import os; os.truncate('src/a.py', 0)")
    assert seen(watched) == {"files": {"src/a.py"}}


async def test_what_is_written_through_memory_by_another_name_is_told(watched):
    await python(
        watched,
        "import mmap, os\n"
        "os.link('src/a.py', 'alias')\n"
        "with open('alias', 'r+b') as file, mmap.mmap(file.fileno(), 0) as memory: memory[0] = 65\n",
    )
    assert "src/a.py" in seen(watched)["files"]


async def test_a_descriptor_that_nobody_closes_hides_nothing(watched):
    # It stays open in a socket that is on its way to itself, until the kernel looks for such.
    await python(
        watched,
        "import mmap, os, socket\n"
        "file = os.open('src/a.py', os.O_RDWR); memory = mmap.mmap(file, 0); memory[0] = 65\n"
        "one, other = socket.socketpair()\n"
        "socket.send_fds(one, [b'x'], [file, one.fileno(), other.fileno()]); os._exit(0)\n",
    )
    assert seen(watched)["files"] == {"src/a.py"}


async def test_more_than_the_kernel_keeps_may_be_anything(watched):
    await python(watched, f"for n in range({2 * KEPT}): open(('src/a.py', 'src/deep/b.py')[n % 2]).close()")
    assert watched.touched() is None
    assert watched.touched() == NOTHING


async def test_two_names_of_one_file_are_both_told(sandbox):
    await shell(sandbox, "echo a >one; ln one two")
    assert await sandbox.watch(["one", "two"], [""])
    await shell(sandbox, "echo b >one")
    assert seen(sandbox) == {"files": {"one", "two"}}


async def test_what_cannot_be_watched_is_said_and_nothing_is(sandbox):
    await shell(sandbox, "echo a >one")
    assert not await sandbox.watch(["one", "missing"], [""])
    assert sandbox.touched() is None
    assert await sandbox.watch(["one"], [""])
    assert sandbox.touched() == NOTHING


async def test_a_kernel_that_does_not_tell_is_not_believed(sandbox, monkeypatch):
    await shell(sandbox, "echo a >one")
    silent = watch.PROGRAM.replace("with open(other", "with open(file + '-not'").replace('"r+b"', '"w+b"')
    silent = silent.replace("mmap.mmap(opened.fileno(), 0)", "open(os.devnull)").replace("memory[:] =", "_ =")
    monkeypatch.setattr(watch, "PROGRAM", silent)
    assert not await sandbox.watch(["one"], [""])


@pytest.mark.parametrize("program", [False, True])
async def test_no_command_has_the_watch(watched, program):
    source = "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"
    argv = ["ours"] if program else [watched.python, "-c", source]
    done = await watched.run(argv, program=source if program else "", timeout_s=10)
    assert done.text == "[0, 1, 2]\n"
