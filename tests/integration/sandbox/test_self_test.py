import os
import socket

import pytest

from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox.self_test import self_test

pytestmark = pytest.mark.root


async def test_hands_that_reach_nothing_pass(sandbox, tmp_path):
    (tmp_path / "state").write_text("mine")
    forbidden = [str(tmp_path), str(tmp_path / "state"), "/root", "/no/such/folder"]
    await self_test(sandbox, secrets=["planted-secret", ""], forbidden_paths=forbidden)


async def test_a_readable_folder_of_the_loop_is_found(sandbox, public):
    (public / "file_commands").mkdir()
    with pytest.raises(SandboxError, match="file_commands") as failed:
        await self_test(sandbox, secrets=[], forbidden_paths=["/root", str(public / "file_commands")])
    assert "/root" not in failed.value.message


async def test_a_secret_in_the_environment_is_found_and_not_repeated(make):
    sandbox = await make(env={"NPM_TOKEN": "x-planted-secret-x"})
    with pytest.raises(SandboxError, match="a secret in the hands' environment") as failed:
        await self_test(sandbox, secrets=["planted-secret"], forbidden_paths=[])
    assert "planted-secret" not in str(failed.value)


async def test_a_secret_that_slipped_into_a_process_is_found(sandbox, monkeypatch):
    start = sandbox._start

    async def careless(argv, on_output, **given):
        return await start(argv, on_output, **given | {"env": {"KEY": "planted-secret"}})

    monkeypatch.setattr(sandbox, "_start", careless)
    with pytest.raises(SandboxError, match="environment of a process of the hands"):
        await self_test(sandbox, secrets=["planted-secret"], forbidden_paths=[])


async def test_an_open_docker_socket_is_found(sandbox, public):
    path = public / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0o600)
        await self_test(sandbox, secrets=[], forbidden_paths=[], sockets=[str(path)])
        path.chmod(0o666)
        with pytest.raises(SandboxError, match=f"the socket {path}"):
            await self_test(sandbox, secrets=[], forbidden_paths=[], sockets=[str(path)])


async def test_git_that_does_not_run_is_found(make, public):
    (public / "git").write_text("#!/bin/sh\nexit 4\n")
    (public / "git").chmod(0o755)
    sandbox = await make(path=[str(public), "/usr/bin", "/bin"])
    with pytest.raises(SandboxError, match=r"cannot run git \(exit code 4\)"):
        await self_test(sandbox, secrets=[], forbidden_paths=[])


async def test_hands_that_are_the_loops_own_user_are_found(sandbox):
    # The fault the test is for: every protection but the folder is gone.
    sandbox.uid = None
    sandbox._rules = None
    with pytest.raises(SandboxError) as failed:
        await self_test(sandbox, secrets=[], forbidden_paths=["/root"])
    reached = failed.value.message
    for what in (f"/proc/{os.getpid()}/environ", f"/proc/{os.getpid()}/mem", "by ptrace", "/root"):
        assert what in reached
    sandbox.uid = sandbox._identity.uid


async def test_whoever_agreed_to_it_may_go_on_without_protection(make):
    sandbox = await make(unsandboxed=True)
    with pytest.raises(SandboxError):  # the agreement is not needed here, so it counts for nothing
        await self_test(sandbox, secrets=[], forbidden_paths=["/etc/passwd"])
    sandbox.uid = None
    sandbox._rules = None
    await self_test(sandbox, secrets=[], forbidden_paths=["/root"])
    sandbox.uid = sandbox._identity.uid
