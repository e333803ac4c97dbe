import subprocess
import time

import pytest

from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox.identity import Identity, processes_of

pytestmark = pytest.mark.root
UIDS = (59101, 59102)


def test_two_sessions_never_share_a_user(tmp_path):
    first = Identity.take(lock_folder=tmp_path / "locks", uids=UIDS)
    second = Identity.take(lock_folder=tmp_path / "locks", uids=UIDS)
    assert {first.uid, second.uid} == set(UIDS)
    with pytest.raises(SandboxError, match="no user id from 59101 to 59102 is free"):
        Identity.take(lock_folder=tmp_path / "locks", uids=UIDS)
    first.release()
    third = Identity.take(lock_folder=tmp_path / "locks", uids=UIDS)
    assert third.uid == first.uid
    second.release()
    third.release()


def test_a_user_with_a_name_is_not_taken(tmp_path):
    with pytest.raises(SandboxError, match="is free"):
        Identity.take(lock_folder=tmp_path / "locks", uids=(1,))  # daemon's


def test_a_user_whose_processes_still_run_is_not_taken(tmp_path):
    left_behind = subprocess.Popen(["sleep", "60"], user=59104, group=59104)
    try:
        deadline = time.monotonic() + 30
        while left_behind.pid not in processes_of(59104):
            assert time.monotonic() < deadline
        with pytest.raises(SandboxError):
            Identity.take(lock_folder=tmp_path / "locks", uids=(59104,))
    finally:
        left_behind.kill()
        left_behind.wait()
    freed = Identity.take(lock_folder=tmp_path / "locks", uids=(59104,))
    freed.release()


def test_locks_that_others_could_hold_are_refused(tmp_path):
    (tmp_path / "locks").mkdir(mode=0o777)
    (tmp_path / "locks").chmod(0o777)
    with pytest.raises(SandboxError, match="others than root can use it"):
        Identity.take(lock_folder=tmp_path / "locks", uids=UIDS)
