import asyncio
import os
import shutil
import signal
import subprocess
import sys

import pytest

from autonomous_loop.errors import SandboxCallError
from autonomous_loop.sandbox.identity import processes_of
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from waiting import away, until

# Leaves its session, its group and its parent, ignores what can be ignored, and starts itself anew for ever.
ESCAPE = """
import os, signal, sys, time
def away():
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    away()
    for fd in range(3):
        os.close(fd)
    with open(sys.argv[1], "w") as file:
        file.write(str(os.getpid()))
    time.sleep(60)
    os._exit(0)
os.wait()
"""


def started(*argv):
    return subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)


async def pid_in(path_reader):
    async def pid():
        text = await path_reader()
        return text.isdigit() and int(text)

    return await until(pid)


def asleep(uid):
    """The processes of `sleep` of this user."""
    listed = subprocess.run(
        ["ps", "-o", "comm=", "-u", str(uid)], capture_output=True, text=True, check=False
    )
    return [name for name in listed.stdout.split() if name == "sleep"]


@pytest.mark.root
async def test_a_daemon_survives_a_group_kill_but_not_the_end_of_the_hands(sandbox, public):
    # Naively: a session of its own, killed as a group.
    note = public / "pid"
    note.write_text("")
    naive = started(sys.executable, "-c", ESCAPE, str(note))
    naive.communicate()

    async def naive_note():
        return note.read_text()

    daemon = await pid_in(naive_note)
    with pytest.raises(ProcessLookupError):  # nobody of the group is left, and yet
        os.killpg(naive.pid, signal.SIGKILL)
    os.kill(daemon, 0)  # it lives
    os.kill(daemon, signal.SIGKILL)

    await sandbox.run(["sh", "-c", "touch pid"], timeout_s=10)
    await sandbox.run(["python3", "-c", ESCAPE, "pid"], timeout_s=10)

    async def hands_note():
        return (await sandbox.read_file("pid", max_bytes=100)).decode()

    daemon = await pid_in(hands_note)
    assert daemon in processes_of(sandbox.uid)
    await sandbox.end_all()
    assert processes_of(sandbox.uid) == []


@pytest.mark.root
async def test_a_crowd_that_keeps_forking_is_ended(sandbox):
    forking = """
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.1)
    time.sleep(0.05)
"""
    await sandbox.run(
        ["sh", "-c", f'setsid timeout 60 python3 -c "$0" >/dev/null 2>&1 & {away("timeout")}', forking],
        timeout_s=60,
    )
    await until(lambda: len(processes_of(sandbox.uid)) > 10, seconds=30)
    await sandbox.end_all()
    assert processes_of(sandbox.uid) == []


async def test_whoever_waits_for_a_command_hears_that_it_was_ended(sandbox):
    waiting = [
        asyncio.create_task(sandbox.run(["sleep", "60"], timeout_s=50)),
        asyncio.create_task(sandbox.shell("sleep 60", timeout_s=50)),
    ]
    await until(lambda: len(asleep(sandbox.uid)) == 2)
    await sandbox.end_all()
    run, shell = await asyncio.wait_for(asyncio.gather(*waiting), 30)
    assert run.exit_code == 128 + signal.SIGKILL
    assert shell.exit_code == 128 + signal.SIGKILL


async def test_the_loops_own_children_are_left_alone(sandbox):
    own = started("sleep", "60")
    try:
        await sandbox.run(["sh", "-c", f"setsid sleep 60 & {away('sleep')}"], timeout_s=60)
        await sandbox.end_all()
        assert own.poll() is None
    finally:
        own.kill()
        own.communicate()


@pytest.mark.root
async def test_a_command_dies_with_a_killed_loop():
    program = """
import asyncio
from autonomous_loop.sandbox.sandbox import ProcessSandbox
async def main():
    hands = await ProcessSandbox.create(base=None, path=[], env={}, read_paths=[],
                                 unsandboxed=False, chrome_path=None, browser_python=None)
    print(hands.uid, hands.work, hands._starter.pid, flush=True)
    await hands.run(["sleep", "60"], timeout_s=50)
asyncio.run(main())
"""
    loop = started(sys.executable, "-c", program)
    uid, work, launcher = loop.stdout.readline().decode().split()
    await until(lambda: asleep(int(uid)))
    loop.kill()
    loop.communicate()
    await until(lambda: processes_of(int(uid)) == [], seconds=30)  # by itself it would sleep for longer
    await until(lambda: int(launcher) not in processes_of(os.getuid()))  # it ends them first, then itself
    shutil.rmtree(work.removesuffix("/sandbox/work"))


@pytest.mark.root
async def test_where_nobody_is_left_nothing_is_started_to_end_them(sandbox):
    await sandbox.run(["sh", "-c", "sleep 0.01 & wait"], timeout_s=10)
    started = sandbox.started
    await sandbox.end_all()
    assert sandbox.started == started
    await sandbox.run(["sh", "-c", f"setsid sleep 600 & {away('sleep')}"], timeout_s=60)
    assert len(processes_of(sandbox.uid)) == 1
    await sandbox.end_all()
    assert processes_of(sandbox.uid) == []


@pytest.mark.root
async def test_a_launcher_that_was_killed_takes_the_commands_along_and_is_missed():
    sandbox = await ProcessSandbox.create(
        base=None, path=[], env={}, read_paths=[], unsandboxed=False, chrome_path=None, browser_python=None
    )
    waiting = asyncio.create_task(sandbox.run(["sleep", "60"], timeout_s=50))
    await until(lambda: asleep(sandbox.uid))
    assert len(processes_of(sandbox.uid)) == 1
    os.kill(sandbox._starter.pid, signal.SIGKILL)
    assert (await asyncio.wait_for(waiting, 30)).exit_code == 128 + signal.SIGKILL
    for ask in (sandbox.run(["true"], timeout_s=5), sandbox.end_all()):
        with pytest.raises(SandboxCallError, match="launcher ended"):
            await ask
    assert processes_of(sandbox.uid) == []
    with pytest.raises(SandboxCallError):
        await sandbox.close()
    shutil.rmtree(sandbox._folder)
