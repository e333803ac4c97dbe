import time

import pytest

from autonomous_loop.errors import SandboxCallError
from waiting import until


async def test_folder_and_variables_stay_from_command_to_command(sandbox):
    await sandbox.shell("mkdir sub; cd sub; export KEPT=yes; unexported=too", timeout_s=10)
    done = await sandbox.shell('pwd; echo "$KEPT $unexported"', timeout_s=10)
    assert (done.exit_code, done.text) == (0, f"{sandbox.work}/sub\nyes too\n")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("command", "code", "output"),
    [
        ("cat; read line; echo $?", 0, b"1\n"),
        ("printf 'a\\0b\\xff'", 0, b"a\0b\xff"),
        ("printf 'no newline'; false", 1, b"no newline"),
        ("exec >/dev/null 2>&1; echo unseen", 0, b""),
        ("sleep 60 & echo left one behind", 0, b"left one behind\n"),
        ("echo err >&2", 0, b"err\n"),
        ("cat <<'EOF'\n$HOME \"quoted\" 'too'\nEOF", 0, b"$HOME \"quoted\" 'too'\n"),
        ("", 0, b""),
        ("# only a comment", 0, b""),
        ("printf() { echo mine; }; printf", 0, b"mine\n"),
    ],
)
async def test_awkward_commands_end_and_the_shell_lives_on(shared, command, code, output):
    await shared.shell("alive=yes", timeout_s=10)
    done = await shared.shell(command, timeout_s=10)
    assert (done.exit_code, done.stdout) == (code, output)
    assert (await shared.shell("builtin echo $alive", timeout_s=10)).stdout == b"yes\n"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("command", ["if then", 'echo "unclosed', "cat <<EOF\nunclosed"])
async def test_broken_syntax_is_an_answer_not_a_hang(shared, command):
    done = await shared.shell(command, timeout_s=10)
    assert done.exit_code is not None
    assert b"bash: " in done.stdout
    assert (await shared.shell("echo on", timeout_s=10)).stdout == b"on\n"


async def test_exit_gives_its_code_and_says_that_the_state_is_lost(sandbox):
    await sandbox.shell("kept=yes", timeout_s=10)
    done = await sandbox.shell("echo bye; exit 3", timeout_s=10)
    assert done.exit_code == 3
    assert done.stdout == b"bye\n\n[the shell ended; the next command starts a fresh one]\n"
    assert (await sandbox.shell("echo [$kept]", timeout_s=10)).stdout == b"[]\n"


async def test_the_deadline_starts_a_fresh_shell_in_the_work_tree(sandbox):
    began = time.monotonic()
    done = await sandbox.shell("cd /; echo begun; trap '' TERM INT; sleep 600", timeout_s=5)
    assert (done.exit_code, done.stdout) == (None, b"begun\n")
    assert time.monotonic() - began < 30
    assert (await sandbox.shell("pwd", timeout_s=10)).text == f"{sandbox.work}\n"


async def test_huge_output_is_cut_in_the_middle(sandbox):
    done = await sandbox.shell("echo head; yes | head -c 20000000; echo tail", timeout_s=20, max_output=1000)
    assert done.truncated
    assert len(done.stdout) < 1100
    assert done.stdout.startswith(b"head\ny\n")
    assert done.stdout.endswith(b"y\ntail\n")


async def test_what_a_background_job_prints_later_comes_with_the_next_command(sandbox):
    await sandbox.shell("(until [ -e go ]; do sleep 0.05; done; echo late; touch said) &", timeout_s=10)
    later = "touch go; until [ -e said ]; do sleep 0.05; done; echo now"
    assert (await sandbox.shell(later, timeout_s=60)).stdout == b"late\nnow\n"


async def test_a_restart_ends_what_the_shell_started(sandbox):
    started = await sandbox.shell("sleep 60 & echo $!", timeout_s=10)
    await sandbox.restart_shell()

    async def gone():
        alive = await sandbox.shell(f"test -e /proc/{int(started.stdout)}/exe", timeout_s=10)
        return alive.exit_code == 1

    await until(gone, seconds=30)


async def test_a_nul_in_a_command_is_refused(sandbox):
    with pytest.raises(SandboxCallError, match="NUL"):
        await sandbox.shell("echo a\0b", timeout_s=10)
