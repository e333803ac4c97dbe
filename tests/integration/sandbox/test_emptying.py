"""What the hands leave somewhere is there for their next command, and gone once they were emptied."""

import ctypes
import os
from pathlib import Path

import pytest

from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox import identity
from autonomous_loop.sandbox import sandbox as module

pytestmark = pytest.mark.root
IPC = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
KEYS = (
    "import ctypes, os; call = {'x86_64': (248, 250), 'aarch64': (217, 219)}[os.uname().machine]\n"
    "add = lambda ring: ctypes.CDLL(None).syscall(call[0], b'user', b'left', b'x', 1, ring)\n"
    "find = lambda ring: ctypes.CDLL(None).syscall(call[1], 10, ring, b'user', b'left', 0)\n"
)
PLACES = {
    "the home": ("echo >$HOME/left", "test -e $HOME/left"),
    "a closed folder in the home": ("mkdir -p $HOME/a/b; echo >$HOME/a/b/left; chmod 0 $HOME/a",
                                    "test -e $HOME/a"),
    "the temporary folder": ("echo >$TMPDIR/left", "test -e $TMPDIR/left"),
    "beside the home": ("echo >$HOME/../left", "test -e $HOME/../left"),
    "a home put in place of the home": (
        "mkdir $HOME/../other; echo >$HOME/../other/left; mv $HOME $HOME/../first; ln -s other $HOME",
        "test -e $HOME/left",
    ),
    "the work tree": ("mkdir .git; echo >.git/config", "test -e .git/config"),
    "shared memory": ("echo >/dev/shm/left", "test -e /dev/shm/left"),
    "a closed folder in shared memory": (
        "mkdir -p /dev/shm/left/a; echo >/dev/shm/left/a/b; chmod 0 /dev/shm/left", "test -e /dev/shm/left"
    ),
    "a name like an option in shared memory": ("echo >/dev/shm/-left", "test -e /dev/shm/-left"),
    "a segment of System V": (IPC + "assert libc.shmget(0x1ef7, 9, 0o1600) >= 0",
                              IPC + "assert libc.shmget(0x1ef7, 0, 0) >= 0"),
    "a segment given to another user": (
        IPC + "import struct; one = libc.shmget(0x1ef8, 9, 0o1666); made = ctypes.create_string_buffer(256)\n"
        "assert libc.shmctl(one, 2, made) == 0; struct.pack_into('II', made, 4, 58999, 58999)\n"
        "assert libc.shmctl(one, 1, made) == 0",
        IPC + "assert libc.shmget(0x1ef8, 0, 0) >= 0",
    ),
    "semaphores of System V": (IPC + "assert libc.semget(0x1ef7, 1, 0o1600) >= 0",
                               IPC + "assert libc.semget(0x1ef7, 0, 0) >= 0"),
    "a queue of System V": (IPC + "assert libc.msgget(0x1ef7, 0o1600) >= 0",
                            IPC + "assert libc.msgget(0x1ef7, 0) >= 0"),
    "the user's keys": (KEYS + "assert add(-4) > 0", KEYS + "assert find(-4) > 0"),
    "the keys of the user's sessions": (KEYS + "assert add(-5) > 0", KEYS + "assert find(-5) > 0"),
}  # fmt: skip


@pytest.fixture
def file():
    """Makes files in shared memory."""
    made = []

    def make(name, user=0):
        made.append(Path("/dev/shm", name))
        made[-1].write_text("2")
        os.chown(made[-1], user, user)
        return str(made[-1])

    yield make
    for one in made:
        one.unlink(missing_ok=True)


there = os.path.lexists


def command(text):
    return ["python3", "-c", text] if "import" in text else ["sh", "-ec", text]


async def succeeds(sandbox, text):
    return (await sandbox.run(command(text), timeout_s=10)).exit_code == 0


@pytest.mark.parametrize("place", PLACES)
async def test_it_stays_for_the_next_command_and_is_emptied(make, place):
    sandbox = await make()
    leave, look = PLACES[place]
    assert not await succeeds(sandbox, look)
    done = await sandbox.run(command(leave), timeout_s=10)
    if "keys" in place and done.exit_code != 0:
        pytest.skip("a container's seccomp keeps keys from everybody")
    assert done.exit_code == 0, done.text
    await sandbox.end_all()
    assert await succeeds(sandbox, look)  # no process is needed to keep it
    await sandbox.empty()
    assert not await succeeds(sandbox, look)
    # And the folders are as they were at first.
    assert await succeeds(sandbox, "echo >$HOME/a; echo >$TMPDIR/b; echo >c; test $(stat -c %a $HOME) = 700")
    assert await succeeds(sandbox, '[ "$(cd $HOME/..; echo *)" = "home tmp work" ]')


@pytest.mark.parametrize("rules", ["with Landlock", "without"])
async def test_queues_that_nobody_could_list_cannot_be_made(sandbox, monkeypatch, rules):
    if rules == "without":
        monkeypatch.setattr(sandbox, "_rules", None)
    make = "import os; assert libc.mq_open(b'/left-%d' % os.getpid(), os.O_CREAT, 0o600, None) >= 0"
    assert not await succeeds(sandbox, IPC + make)


async def test_a_command_cannot_leave_keys_in_the_session_that_the_loop_is_in(make):
    number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    if ctypes.CDLL(None).syscall(number, 1, None) < 0:
        pytest.skip("a container's seccomp keeps keys from everybody")
    sandbox = await make()
    assert await succeeds(sandbox, KEYS + "assert add(-3) > 0")
    assert not await succeeds(sandbox, KEYS + "assert find(-3) > 0")


async def test_what_others_have_in_shared_memory_stays(sandbox, file):
    mine = file("autonomous-loop-test-of-another")
    segment = ctypes.CDLL(None).shmget(0x1EF9, 9, 0o1666)
    try:
        await sandbox.run(["sh", "-c", "echo >/dev/shm/left"], timeout_s=10)
        await sandbox.empty()
        assert there(mine)
        assert ctypes.CDLL(None).shmget(0x1EF9, 0, 0) == segment
    finally:
        ctypes.CDLL(None).shmctl(segment, 0, None)


async def test_nothing_of_a_session_outlives_it_in_shared_memory(make):
    sandbox = await make()
    await sandbox.run(["sh", "-c", "echo >/dev/shm/left-$(id -u)"], timeout_s=10)
    left = f"/dev/shm/left-{sandbox.uid}"
    assert there(left)
    await sandbox.close()
    assert not there(left)


async def test_what_a_killed_session_left_is_gone_before_the_next_one_of_the_same_user(
    make, monkeypatch, file
):
    take = identity.Identity.take
    monkeypatch.setattr(
        module.Identity, "take", lambda lock_folder: take(lock_folder=lock_folder, uids=[58777])
    )
    left = file("autonomous-loop-left", 58777)
    sandbox = await make()
    assert sandbox.uid == 58777
    assert not there(left)


async def test_what_cannot_be_emptied_is_said(sandbox, monkeypatch):
    """Nothing is said to be clean that is not."""
    await sandbox.run(["sh", "-c", "echo >$HOME/left"], timeout_s=10)
    monkeypatch.setattr(sandbox, "_rules", {"read": ["/"], "write": ["/dev/null"]})
    with pytest.raises(SandboxCallError, match="left"):
        await sandbox.empty()
    monkeypatch.undo()
