import shutil

import pytest

from autonomous_loop.errors import SandboxError
from autonomous_loop.hands.toolchain import find_browser, find_interpreter, find_node, interpreters


@pytest.fixture
def run(hands):
    async def probe(argv):
        return await hands.run(argv, timeout_s=15)

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
    assert (await find_browser(run)).startswith("/usr/")


async def test_playwrights_own_browser_is_the_last_resort(make, public):
    hands = await make(path=["/nowhere"])

    async def probe(argv):
        # Only what stands in the folder runs: as on a machine without an installed browser.
        return await hands.run(argv if argv[0].startswith(str(public)) else ["/bin/false"], timeout_s=15)

    assert await find_browser(probe, playwright_cache=public) is None
    for version in ("1100", "1200"):
        browser = public / f"chromium-{version}" / "chrome-linux" / "chrome"
        browser.parent.mkdir(parents=True)
        browser.write_text("#!/bin/sh\nexit 0\n")
        browser.chmod(0o755)
    assert await find_browser(probe, playwright_cache=public) == str(browser)
