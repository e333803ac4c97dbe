"""Creates the sandbox of one session: its tools, its browser and its network access."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from autonomous_loop.sandbox.egress import LOCAL_DIRECTLY, Egress
from autonomous_loop.sandbox.layout import close_to_others
from autonomous_loop.sandbox.network_policy import Network
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.sandbox.self_test import self_test
from autonomous_loop.sandbox.toolchain import find_browser
from autonomous_loop.wiring.environment import CONTAINER, SYSTEM_PATH, RuntimeEnvironment


async def create_sandbox(
    runtime: RuntimeEnvironment, home: Path, *, say: Callable[[str], None] = lambda _: None
) -> ProcessSandbox:
    """Create the sandbox, and test from inside that it cannot reach the loop or a closed network.

    Args:
        say: called with what the sandbox may reach, and which grants were refused.

    Raises:
        ConfigurationError: what the job grants contains a secret.
        SandboxError: the sandbox cannot be isolated here, or its network cannot be closed.
    """
    tools, reach, lent = runtime.tools, runtime.reach, runtime.lent.without(runtime.secrets)
    say(f"the hands' network is {reach}")
    fenced = reach.network is not Network.OPEN
    if CONTAINER in runtime.runner:
        close_to_others(Path(CONTAINER))
    forbidden = (str(home), *runtime.service.files, *runtime.runner)
    async with AsyncExitStack() as stack:
        env = {}
        if reach.network is Network.ALLOWED:
            egress = await Egress.start(reach, say)
            stack.push_async_callback(egress.close)
            env = egress.environment
        elif fenced:
            env = LOCAL_DIRECTLY
        sandbox = await ProcessSandbox.create(
            base=runtime.temporary,
            # The job's own toolchain comes first, because the project is built with it.
            path=(*lent.path, *((str(tools / "bin"),) if tools else ()), *SYSTEM_PATH.split(":")),
            env={**lent.variables, **env},
            read_paths=(*lent.path, *lent.readable, *((str(tools),) if tools else ())),
            unsandboxed=runtime.unsandboxed,
            chrome_path=find_browser(runtime.path, runtime.playwright_cache),
            browser_python=str(tools / "bin" / "python") if tools else None,
            fenced=fenced,
        )
        try:
            await self_test(sandbox, secrets=runtime.secrets, forbidden_paths=forbidden)
        except BaseException:
            await sandbox.close()
            raise
        sandbox.at_close = stack.pop_all().aclose
    return sandbox
