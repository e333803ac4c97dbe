"""Tries from inside the sandbox, at the start of a session, to reach what it must not reach."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import SandboxError
from autonomous_loop.sandbox.landlock import ABI_WITH_SCOPES
from autonomous_loop.sandbox.sandbox import ProcessSandbox

PROBE_S = 30.0
PROBE_MOST = 1_000_000
# A process that can talk to one of these sockets can run code outside the sandbox.
SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/user/{uid}/docker.sock",
    "/run/user/{uid}/podman/podman.sock",
    "/run/user/{uid}/bus",
    "/run/user/{uid}/systemd/private",
)


async def self_test(
    sandbox: ProcessSandbox,
    *,
    secrets: Sequence[str],
    forbidden_paths: Sequence[str],
    sockets: Sequence[str] = SOCKETS,
) -> None:
    """Run the probe in the sandbox, and check that its interpreter and git work.

    Args:
        secrets: keys and tokens of the loop. The test looks for them in what sandbox processes are given; the
            probe itself does not see them.
        forbidden_paths: the loop's own folders and files (its state, `/github`, the runner's file commands);
            missing ones are skipped.
        sockets: sockets of services that would act for anyone who connects; `{uid}` is the loop's.

    Raises:
        SandboxError: lists what was reachable or does not run. With `unsandboxed`, if nothing could isolate
            the sandbox, reachable things of the loop are not reported: a person agreed to that.
    """
    await _must_run(
        sandbox, ["git", "--version"], "install git where every user can run it, and put it on the PATH."
    )
    reached = _given_away(sandbox, secrets)
    request = {
        "loop": os.getpid(),
        "paths": _existing(forbidden_paths),
        "sockets": [path.format(uid=os.getuid()) for path in sockets],
        "own_user": sandbox.uid,
        # An older kernel does not block signals, but another user does.
        "signals": sandbox.uid is not None or sandbox.landlock >= ABI_WITH_SCOPES,
    }
    source = Path(__file__).with_name("probe.py").read_text()
    with _listener() as listener:
        request["listener"] = listener if sandbox.fenced else None
        argv = [sandbox.python, "-I", "-S", "-c", source, json.dumps(request)]
        result = await _must_run(sandbox, argv, "see why the hands' interpreter does not run.")
    try:
        found = json.loads(result.stdout)
        outside = [str(one) for one in found["outside"]]
        environment = "\n".join(found["environment"])
        reached += [str(one) for one in found["reached"]]
    except (ValueError, KeyError, TypeError):
        raise SandboxError("the self-test's probe gave no answer.", hint="report this as a fault.") from None
    if any(secret and secret in environment for secret in secrets):
        reached.append("a secret in the environment of a process of the hands")
    if outside:
        raise SandboxError(
            "the network is not closed to the hands:\n    " + "\n    ".join(outside),
            hint="set the input network (--network) to open, if the hands may reach everything; and report "
            "this with the kernel's version.",
        )
    if reached and not (sandbox.unsandboxed and sandbox.uid is None):
        raise SandboxError(
            "the hands can reach what they must not:\n    " + "\n    ".join(reached),
            hint="close it to other users (chmod, or run in the container image); without root, use a user "
            "that has none of it, or say --unsandboxed if what the model runs may have it all.",
        )


@contextmanager
def _listener() -> Iterator[tuple[str, int] | tuple[()]]:
    """Open a listening socket on an address of this machine other than loopback; () if there is none."""
    addresses = [
        one.address
        for interface in psutil.net_if_addrs().values()
        for one in interface
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    ]
    with socket.socket() as server:
        try:
            server.bind((addresses[0], 0))
            server.listen()
        except (IndexError, OSError):
            yield ()
            return
        yield server.getsockname()


async def _must_run(sandbox: ProcessSandbox, argv: Sequence[str], hint: str) -> CommandResult:
    result = await sandbox.run(argv, timeout_s=PROBE_S, max_output=PROBE_MOST)
    if result.exit_code != 0:
        said = result.text.strip()[-1000:]
        raise SandboxError(
            f"the hands cannot run {argv[0]} (exit code {result.exit_code}): {said}", hint=hint
        )
    return result


def _given_away(sandbox: ProcessSandbox, secrets: Sequence[str]) -> list[str]:
    """Return the secrets that the sandbox can see without any trick."""
    places = {
        "the hands' environment": "\n".join(sandbox.environment.values()),
        # Every user may read a process's arguments.
        "the loop's own arguments": "\0".join(psutil.Process().cmdline()),
    }
    return [
        f"a secret in {place}"
        for place, text in places.items()
        if any(secret and secret in text for secret in secrets)
    ]


def _existing(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if os.path.lexists(path)]
