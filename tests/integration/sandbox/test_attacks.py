"""Each attack is seen to succeed against the naive way first, and then to fail against the hands."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autonomous_loop.errors import SandboxCallError

pytestmark = pytest.mark.root
in_shared = pytest.mark.asyncio(loop_scope="module")


def naively(*argv, **given):
    """What a plain tool call would do: a child of the loop's own user."""
    return subprocess.run(argv, capture_output=True, timeout=20, check=False, **given)


def started(*argv):
    """A child of the loop's own user that goes on."""
    return subprocess.Popen(argv, stdout=subprocess.PIPE)


def planted(*parts):
    """A path of the hands, as a careless loop would use it."""
    return Path(*parts)


READ_MEMORY = """
import sys
pid = sys.argv[1]
found = b"planted-secret" in open(f"/proc/{pid}/environ", "rb").read()
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
    for line in maps:
        if "[stack]" in line:
            low, high = (int(part, 16) for part in line.split()[0].split("-"))
            memory.seek(low)
            found = found and b"planted-secret" in memory.read(high - low)
print("read it" if found else "not there")
"""


@in_shared
async def test_the_loops_environment_and_memory(shared, stand_in):
    assert naively(sys.executable, "-c", READ_MEMORY, str(stand_in)).stdout == b"read it\n"

    ours = await shared.run(["python3", "-c", READ_MEMORY, str(stand_in)], timeout_s=10)
    assert ours.exit_code == 1
    assert "PermissionError" in ours.text


@in_shared
async def test_stopping_or_debugging_the_loop(shared, stand_in):
    script = f"kill -STOP {stand_in} && kill -CONT {stand_in} && echo reached"
    assert naively("sh", "-c", script).stdout == b"reached\n"

    ours = await shared.run(["sh", "-c", script], timeout_s=10)
    assert "not permitted" in ours.text


@in_shared
async def test_the_launcher_that_starts_every_command(shared):
    """It is the parent of what the hands run, and the only other process of the loop's that they can name."""
    pid = shared._starter.pid
    script = f"test $PPID = {pid} || exit 9; kill -STOP {pid} || cat /proc/{pid}/mem || ls /proc/{pid}/fd"
    ours = await shared.run(["sh", "-c", script], timeout_s=10)
    assert ours.exit_code not in {0, 9}
    assert ours.text.count("not permitted") + ours.text.count("ermission denied") == 3
    assert planted("/proc", str(pid), "environ").read_bytes() == f"PATH={os.defpath}\0".encode()


@in_shared
async def test_a_file_that_was_lent(shared):
    path = shared.lend(b"the loop's")
    assert (await shared.run(["cat", path], timeout_s=10)).text == "the loop's"
    folder = planted(path).parent
    for attack in (f"echo >> {path}", f"rm -f {path}", f"touch {path}.lock", f"mv {folder} {folder}2"):
        assert (await shared.run(["sh", "-c", attack], timeout_s=10)).exit_code != 0, attack
    assert planted(path).read_bytes() == b"the loop's"
    shared.lend(b"another")
    assert not planted(path).exists()


@in_shared
async def test_keys_in_the_environment(shared, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "planted-secret")
    assert b"planted-secret" in naively("env").stdout

    for ours in (
        await shared.run(["sh", "-c", "cat /proc/*/environ"], timeout_s=10),
        await shared.shell("env; set; cat /proc/$$/environ", timeout_s=10),
    ):
        assert b"HOME=" in ours.stdout
        assert b"planted-secret" not in ours.stdout


async def test_modules_planted_in_the_work_tree_and_the_home(sandbox):
    marker = f"{sandbox.temporary}/imported"
    plant = f"""
        for module in json os base64 anthropic sitecustomize usercustomize; do
            echo 'open("{marker}", "a").write(" '$module' ")' > $module.py
        done
        site=$(python3 -c 'import site; print(site.getusersitepackages())')
        mkdir -p $site && cp usercustomize.py sitecustomize.py $site/
    """
    await sandbox.run(["sh", "-c", plant], timeout_s=10)
    await sandbox.run(["python3", "-c", "import base64"], timeout_s=10)
    naive = (await sandbox.read_file(marker, max_bytes=10_000)).decode().split()
    assert {"usercustomize", "base64"} <= set(naive)

    await sandbox.run(["rm", marker], timeout_s=10)
    await sandbox.end_all()  # the courier starts afresh, beside what was planted
    await sandbox.write_file("still", b"works")
    assert await sandbox.read_file("still", max_bytes=10) == b"works"
    with pytest.raises(SandboxCallError, match="no such file"):
        await sandbox.read_file(marker, max_bytes=10_000)


async def test_a_planted_git_configuration_runs_nothing_as_the_loop(sandbox, public):
    spy = 'printf "#!/bin/sh\\nid -u >>$PWD/who\\n" >spy; chmod 755 spy; git config core.fsmonitor "$PWD/spy"'
    evil = public / "repository"
    evil.mkdir()
    naively("sh", "-c", f"git init -q . && {spy}", cwd=evil)
    naively("git", "status", cwd=evil)
    assert (evil / "who").read_text().split()[0] == "0"

    await sandbox.run(["sh", "-c", f"git init -q . && {spy}"], timeout_s=10)
    await sandbox.run(["git", "status"], timeout_s=10)
    ran_as = (await sandbox.read_file("who", max_bytes=1000)).decode().split()
    assert set(ran_as) == {str(sandbox.uid)}


@in_shared
async def test_a_report_that_is_a_link_to_a_secret(shared, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("planted-secret")
    await shared.run(["ln", "-s", str(secret), "junit.xml"], timeout_s=10)
    assert planted(shared.work, "junit.xml").read_text() == "planted-secret"

    with pytest.raises(SandboxCallError, match="symbolic links"):
        await shared.read_file("junit.xml", max_bytes=1000)


async def test_a_report_that_is_a_fifo(sandbox):
    await sandbox.run(["mkfifo", "junit.xml"], timeout_s=10)
    naive = threading.Thread(target=planted(sandbox.work, "junit.xml").read_bytes)
    naive.start()
    naive.join(0.5)
    assert naive.is_alive()  # it hangs, and so would the loop
    os.close(os.open(planted(sandbox.work, "junit.xml"), os.O_WRONLY))
    naive.join()

    with pytest.raises(SandboxCallError, match="not a regular file"):
        await sandbox.read_file("junit.xml", max_bytes=1000)


@in_shared
async def test_writing_through_a_linked_folder(shared, tmp_path):
    await shared.run(["ln", "-s", str(tmp_path), "docs"], timeout_s=10)
    planted(shared.work, "docs", "naive.txt").write_text("out")
    assert (tmp_path / "naive.txt").exists()

    with pytest.raises(SandboxCallError, match="not a directory"):
        await shared.write_file("docs/ours.txt", b"out")
    assert not (tmp_path / "ours.txt").exists()


@in_shared
async def test_writing_through_a_link_to_a_folder_of_the_hands_themselves(shared):
    await shared.run(["ln", "-s", "../home", "own"], timeout_s=10)
    with pytest.raises(SandboxCallError, match="not a directory"):
        await shared.write_file("own/.bashrc", b"out")
    with pytest.raises(SandboxCallError, match="outside"):
        await shared.write_file("../../elsewhere", b"out")


@in_shared
async def test_output_without_end(shared):
    command = ["sh", "-c", "yes | head -c 20000000"]
    assert len(naively(*command).stdout) == 20_000_000

    ours = await shared.run(command, timeout_s=20, max_output=10_000)
    assert (ours.exit_code, ours.truncated) == (0, True)
    assert len(ours.stdout) < 10_100


@in_shared
async def test_a_command_that_will_not_end(shared):
    command = ["sh", "-c", "trap '' TERM INT HUP; echo up; while :; do sleep 1; done"]
    naive = started(*command)
    assert naive.stdout.readline() == b"up\n"
    naive.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        naive.wait(0.5)
    naive.kill()
    naive.communicate()

    ours = await shared.run(command, timeout_s=5)
    assert (ours.exit_code, ours.stdout) == (None, b"up\n")
    assert ours.duration_s < 30


async def test_root_by_a_setuid_program(sandbox, public):
    shutil.copy("/usr/bin/id", public / "id")
    (public / "id").chmod(0o755 | stat.S_ISUID)
    naive = naively("setpriv", "--reuid=59110", "--regid=59110", "--clear-groups", public / "id", "-u")
    assert naive.stdout == b"0\n"

    ours = await sandbox.run([str(public / "id"), "-u"], timeout_s=10)
    assert ours.text == f"{sandbox.uid}\n"


async def test_the_roots_home_and_another_sessions_folder(sandbox, make, tmp_path):
    other = await make()
    await other.write_file("private", b"planted-secret")
    private = f"{other.work}/private"
    assert naively("cat", private).stdout == b"planted-secret"
    # A user shared by all sessions would not do either.
    shared = naively(
        "setpriv", f"--reuid={other.uid}", f"--regid={other.uid}", "--clear-groups", "cat", private
    )
    assert shared.stdout == b"planted-secret"
    assert other.uid != sandbox.uid

    for path in (private, other.work, "/root", str(tmp_path), "/etc/shadow"):
        ours = await sandbox.run(["grep", "-r", "planted-secret", path], timeout_s=10)
        assert "Permission denied" in ours.text, path


async def test_files_that_everybody_may_read_but_the_hands_have_no_use_for(make, public):
    (public / "notes").write_text("planted-secret")
    as_other_user = ["setpriv", "--reuid=59110", "--regid=59110", "--clear-groups"]
    assert naively(*as_other_user, "cat", public / "notes").stdout == b"planted-secret"

    sandbox = await make(read_paths=[])
    ours = await sandbox.run(["cat", str(public / "notes")], timeout_s=10)
    assert "Permission denied" in ours.text


@in_shared
async def test_an_abstract_socket_of_the_loop(shared):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(b"\0autonomous-loop-test-%d" % os.getpid())
        server.listen()
        connect = (
            "import socket, sys; socket.socket(socket.AF_UNIX).connect(chr(0) + sys.argv[1]); print('in')"
        )
        name = f"autonomous-loop-test-{os.getpid()}"
        assert naively(sys.executable, "-c", connect, name).stdout == b"in\n"

        ours = await shared.run(["python3", "-c", connect, name], timeout_s=10)
        assert "PermissionError" in ours.text


@in_shared
async def test_files_that_the_loop_holds_open(shared, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("planted-secret")
    with secret.open() as held:
        os.set_inheritable(held.fileno(), True)
        read = f"cat <&{held.fileno()}"
        assert naively("bash", "-c", read, close_fds=False).stdout == b"planted-secret"

        ours = await shared.run(["bash", "-c", read], timeout_s=10)
        assert b"planted-secret" not in ours.stdout
        listed = await shared.run(
            ["python3", "-c", "import os; print(os.listdir('/proc/self/fd'))"], timeout_s=10
        )
        assert len(json.loads(listed.text.replace("'", '"'))) == 4  # the three, and the listing itself
