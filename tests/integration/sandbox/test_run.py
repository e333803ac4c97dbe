import asyncio
import time

import pytest

from autonomous_loop.errors import SandboxCallError, SandboxError
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from waiting import away, until


async def none_runs(sandbox, pattern):
    """No command of this user looks like it; whoever was sent its end a moment ago may still be there."""
    listed = await sandbox.run(
        ["sh", "-c", f"ps -o args= -u $(id -u) | grep -E '^(/bin/)?{pattern}$'"], timeout_s=10
    )
    return listed.text == ""


async def test_a_command_gets_its_input_folder_and_variables(sandbox):
    done = await sandbox.run(
        ["sh", "-c", 'cat; pwd; echo "$EXTRA"; echo bad >&2; exit 7'],
        timeout_s=10, cwd="..", env={"EXTRA": "one more"}, stdin=b"fed\n", merge_stderr=False,
    )  # fmt: skip
    assert done.exit_code == 7
    assert done.stdout.decode() == f"fed\n{sandbox.work.removesuffix('/work')}\none more\n"
    assert done.stderr == b"bad\n"


async def test_a_missing_command_says_so(sandbox):
    done = await sandbox.run(["no-such-command"], timeout_s=10)
    assert (done.exit_code, done.text) == (127, "no-such-command: command not found\n")


async def test_the_deadline_ends_the_whole_group_and_keeps_what_was_printed(sandbox):
    began = time.monotonic()
    done = await sandbox.run(["sh", "-c", "echo before; sleep 610 & sleep 620"], timeout_s=5)
    assert (done.exit_code, done.stdout) == (None, b"before\n")
    assert time.monotonic() - began < 30
    await until(lambda: none_runs(sandbox, "sleep 6[12]0"))


async def test_what_a_command_leaves_in_its_group_ends_with_it(sandbox):
    assert (await sandbox.run(["sh", "-c", "sleep 630 & sleep 640 & echo"], timeout_s=10)).exit_code == 0
    await until(lambda: none_runs(sandbox, "sleep 6[34]0"))


async def test_a_background_process_that_holds_the_output_does_not_hold_the_loop(sandbox):
    began = time.monotonic()
    done = await sandbox.run(["sh", "-c", f"setsid sleep 60 & {away('sleep')}; echo started"], timeout_s=20)
    assert (done.exit_code, done.stdout) == (0, b"started\n")
    assert time.monotonic() - began < 30


async def test_a_cancelled_command_is_ended(sandbox):
    command = "touch begun; until [ -e go ]; do sleep 0.05; done; touch finished"
    task = asyncio.create_task(sandbox.run(["sh", "-c", command], timeout_s=60))
    await until(lambda: sandbox.find("", suffixes=["begun"], most=1))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await sandbox.write_file("go", b"")
    await asyncio.sleep(1)
    assert await sandbox.find("", suffixes=[], most=10) == ["begun", "go"]


async def test_data_is_whole_or_refused(sandbox):
    whole = await sandbox.run(
        ["head", "-c", "3000000", "/dev/zero"], timeout_s=20, max_output=3_000_000, merge_stderr=False
    )
    assert whole.stdout == bytes(3_000_000)
    began = time.monotonic()
    with pytest.raises(SandboxCallError, match="printed more than 1000 bytes"):
        await sandbox.run(["yes"], timeout_s=20, max_output=1000, merge_stderr=False)
    assert time.monotonic() - began < 30


async def test_a_broken_pipe_ends_a_command_as_it_would_anywhere(sandbox):
    done = await sandbox.run(["bash", "-c", "set -o pipefail; yes | head -n 1"], timeout_s=10)
    assert (done.exit_code, done.stdout) == (128 + 13, b"y\n")


async def test_the_environment_is_the_allow_list_and_no_more(make, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    sandbox = await make(env={"GIVEN": "by the project"}, path=["/opt/tools/bin", "/usr/bin", "/bin"])
    done = await sandbox.run(["env"], timeout_s=10)
    assert dict(line.split("=", 1) for line in done.text.splitlines()) == {
        "PATH": "/opt/tools/bin:/usr/bin:/bin",
        "HOME": sandbox.work.removesuffix("work") + "home",
        "TMPDIR": sandbox.temporary,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "CI": "true",
        "USER": "sandbox",
        "SHELL": "/bin/bash",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIVEN": "by the project",
    }


async def test_everyday_tools_work(sandbox):
    script = """
        git init -q . && echo x >f && git add f
        git -c user.name=a -c user.email=a@example.invalid commit -qm one
        mkdir -p a b && mv a b/ && test -d b/a
        python3 -c 'import multiprocessing, pty; multiprocessing.Lock(); pty.openpty(); print("python")'
        node -e 'console.log("node")'
        mktemp
    """
    done = await sandbox.run(["bash", "-e", "-c", script], timeout_s=20)
    assert done.exit_code == 0, done.text
    python, node, made = done.text.splitlines()
    assert (python, node) == ("python", "node")
    assert made.startswith(sandbox.temporary)


async def test_close_removes_everything_even_what_was_made_unremovable(make):
    sandbox = await make()
    await sandbox.run(
        ["sh", "-c", f"mkdir -p a/b; touch a/b/c; chmod 0 a/b a; setsid sleep 600 & {away('sleep')}"],
        timeout_s=60,
    )
    folder = sandbox._folder
    assert folder.exists()
    await sandbox.close()
    await sandbox.close()
    assert not folder.exists()


async def test_a_folder_that_the_hands_cannot_enter_is_said_so(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(SandboxError, match="other users cannot enter") as failed:
        await ProcessSandbox.create(
            base=tmp_path / "closed", path=[], env={}, read_paths=[], unsandboxed=False,
            chrome_path=None, browser_python=None,
        )  # fmt: skip
    assert "/var/tmp" in failed.value.hint


@pytest.mark.parametrize("path", ["/", ".", "relative/folder", "/.", "//"])
async def test_the_whole_machine_cannot_be_given_by_mistake(make, path):
    with pytest.raises(SandboxError, match="cannot be given"):
        await make(read_paths=[path])


async def test_a_program_of_the_loops_own_runs_as_the_hands_do_without_an_interpreter_of_its_own(sandbox):
    source = """
import os, sys
fed = sys.stdin.buffer.read()
print(sys.argv, fed, os.getuid(), os.getcwd(), os.environ["EXTRA"])
"""
    done = await sandbox.run(
        ["ours", "one"], program=source, stdin=b"fed", env={"EXTRA": "more"}, timeout_s=10, merge_stderr=False
    )
    assert done.stderr == b""
    assert done.stdout.decode() == f"['ours', 'one'] b'fed' {sandbox.uid} {sandbox.work} more\n"
    whole = await sandbox.run(["ours"], program="import os; print(dict(os.environ))", timeout_s=10)
    assert (
        whole.text
        == (
            await sandbox.run([sandbox.python, "-c", "import os; print(dict(os.environ))"], timeout_s=10)
        ).text
    )


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('text')", 1, ""),
        ("import os; os._exit(9)", 9, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os.kill(os.getpid(), 15)", 143, ""),
    ],
)
async def test_how_a_program_ends_is_told(sandbox, source, code, said):
    done = await sandbox.run(["ours"], program=source, timeout_s=10)
    assert done.exit_code == code
    assert said in done.text


async def test_a_program_can_do_no_more_than_a_command(sandbox, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the loop's")
    source = f"""
import os
for attack in (lambda: open({str(secret)!r}).read(), lambda: os.setuid(0), lambda: os.kill(os.getppid(), 9),
               lambda: open("/proc/%d/environ" % os.getppid(), "rb").read(), lambda: open("/work", "w"),
               lambda: os.listdir("/root")):
    try:
        attack()
        print("done")
    except OSError as error:
        print(type(error).__name__)
print(os.getgroups(), sorted(map(int, os.listdir("/proc/self/fd")))[:-1])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapBnd")))
"""
    done = await sandbox.run(["ours"], program=source, timeout_s=10)
    *attacks, groups, capabilities = done.text.splitlines()
    assert "done" not in attacks
    assert len(attacks) == 6
    assert groups == "[] [0, 1, 2]"
    assert int(capabilities, 16) == 0


async def test_a_program_ends_at_its_deadline_and_takes_its_group_along(sandbox):
    source = "import os; os.posix_spawn('/bin/sleep', ['sleep', '650'], {}); import time; time.sleep(60)"
    assert (await sandbox.run(["ours"], program=source, timeout_s=1)).exit_code is None
    await until(lambda: none_runs(sandbox, "sleep 650"))
