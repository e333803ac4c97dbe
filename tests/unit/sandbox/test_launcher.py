import errno
import os

import pytest

from autonomous_loop.sandbox import landlock, launcher
from autonomous_loop.sandbox.process import Child
from autonomous_loop.sandbox.starter import Starter


@pytest.mark.parametrize("uid", [None, 0, 59199])
def test_the_kill_of_a_whole_user_is_refused_to_whoever_has_not_become_it(monkeypatch, uid):
    sent = []
    monkeypatch.setattr(os, "kill", lambda *given: sent.append(given))
    with pytest.raises(OSError, match="only a user of the hands' own") as refused:
        landlock.kill_everything(uid)
    assert refused.value.errno == errno.EPERM
    assert sent == []


async def test_a_step_that_fails_ends_it_before_the_command_starts(tmp_path):
    spec = launcher.Spec(
        argv=["touch", str(tmp_path / "ran")],
        program="",
        env={"PATH": "/usr/bin"},
        cwd="/no/such/folder",
        uid=None,
        landlock=None,
        limits={},
    )
    said = bytearray()
    starter = Starter()
    child = await Child.start(
        starter, spec, lambda _, data: said.extend(data), stdin=False, merge_stderr=True
    )
    await child.wait()
    await child.end()
    await starter.end()
    assert child.exit_code == launcher.EXIT_SETUP_FAILED
    assert b"the hands could not be set up" in said
    assert not (tmp_path / "ran").exists()
