import shutil

import pytest

from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox.toolchain import find_browser, find_interpreter, find_node, interpreters


@pytest.fixture
def run(sandbox):
    async def probe(argv):
        return await sandbox.run(argv, timeout_s=15)

    return probe


@pytest.mark.root
async def test_an_interpreter_that_only_root_can_enter_is_passed_over(run, tmp_path):
    unreachable = tmp_path / "python3"  # pytest's folders are root's alone, as /root is
    unreachable.symlink_to("/usr/bin/python3")
    assert (
        await find_interpreter(run, [str(unreachable), "/no/such/python", "/usr/bin/python3"])
        == "/usr/bin/python3"
    )


async def test_without_an_interpreter_each_candidate_and_its_fault_are_named(run):
    with pytest.raises(SandboxError, match="cannot run any Python interpreter") as failed:
        await find_interpreter(run, ["/no/such/python", "/bin/false"])
    assert "/no/such/python: command not found" in failed.value.message
    assert "/bin/false: exit code 1" in failed.value.message


async def test_this_machines_tools_are_found(run):
    assert await find_interpreter(run) in interpreters()
    assert await find_node(run) == shutil.which("node", path="/usr/local/bin:/usr/bin")
    installed = find_browser("/usr/local/bin:/usr/bin")
    assert (await run([installed, "--version"])).exit_code == 0


def test_playwrights_own_browser_is_the_last_resort(tmp_path):
    assert find_browser("/nowhere", tmp_path) is find_browser("/nowhere", tmp_path / "missing") is None

    def keep(*parts):
        browser = tmp_path.joinpath(*parts)
        browser.parent.mkdir(parents=True)
        browser.touch(mode=0o755)
        return str(browser)

    keep("chromium-1100", "chrome-linux", "chrome")
    newest = keep("chromium-1200", "chrome-linux64", "chrome")
    assert find_browser("/nowhere", tmp_path) == newest
    shell = keep("chromium_headless_shell-1200", "chrome-headless-shell-linux64", "chrome-headless-shell")
    assert find_browser("/nowhere", tmp_path) == shell
    installed = keep("bin", "google-chrome")
    assert find_browser(str(tmp_path / "bin"), tmp_path) == installed


def test_one_without_a_window_comes_first(tmp_path):
    for name in ("chromium", "chromium-headless-shell"):
        (tmp_path / name).touch(mode=0o755)
    assert find_browser(str(tmp_path)) == str(tmp_path / "chromium-headless-shell")
