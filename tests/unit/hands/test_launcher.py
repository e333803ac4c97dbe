import errno
import os
import subprocess
import sys

import pytest

from autonomous_loop.hands import launcher


@pytest.mark.parametrize("uid", [None, 0, 59199])
def test_the_kill_of_a_whole_user_is_refused_to_whoever_has_not_become_it(monkeypatch, uid):
    sent = []
    monkeypatch.setattr(os, "kill", lambda *given: sent.append(given))
    with pytest.raises(OSError, match="only a user of the hands' own") as refused:
        launcher.kill_everything(uid)
    assert refused.value.errno == errno.EPERM
    assert sent == []


def test_a_step_that_fails_ends_it_before_the_command_starts(tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text(
        '{"argv": ["touch", "%s"], "env": {"PATH": "/usr/bin"}, "cwd": "/no/such/folder", "uid": null,'
        ' "landlock": null, "limits": {}}' % (tmp_path / "ran")
    )
    with spec.open() as file:
        done = subprocess.run(
            [sys.executable, "-I", "-S", launcher.__file__, str(file.fileno())],
            pass_fds=(file.fileno(),), capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == launcher.EXIT_SETUP_FAILED
    assert "the hands could not be set up" in done.stderr
    assert not (tmp_path / "ran").exists()
