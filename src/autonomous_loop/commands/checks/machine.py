"""Checks this machine: sandbox, browser, the model's service, and the project's own commands."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from autonomous_loop.agent.client import make_client
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.prices import price_of
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import CredentialError, LoopError, ModelError, SandboxCallError, SandboxError
from autonomous_loop.report.findings import Finding, fault, mend, ok, unknown
from autonomous_loop.sandbox.toolchain import find_browser
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.sandbox import create_sandbox
from autonomous_loop.wiring.verification import Taken, verification_environment

_ONLY_HERE = "the action's own image has it; this machine matters for `run` alone"


async def look_at_machine(runtime: RuntimeEnvironment, *, matters: bool) -> AsyncIterator[Finding]:
    """Check sandbox and browser.

    Args:
        matters: loops run on this machine, not on GitHub.
    """
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=runtime.temporary))
    try:
        sandbox = await create_sandbox(runtime, home)
        await sandbox.close()
        yield ok("sandbox", "kept apart here: the self-test reached nothing of the loop's")
    except SandboxError as error:
        found = fault("sandbox", error)
        yield found if matters else unknown("sandbox", f"not here: {error.message}", _ONLY_HERE)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    browser = find_browser(runtime.path, runtime.playwright_cache)
    if browser:
        yield ok("browser", browser)
    elif matters:
        yield mend(
            "browser", "no Chromium or Chrome was found", "install one, or: playwright install chromium"
        )
    else:
        yield unknown("browser", "no Chromium or Chrome was found here", _ONLY_HERE)


async def look_at_model(runtime: RuntimeEnvironment, config: LoopConfig) -> Finding:
    """Check credentials, model and price with one request that costs nothing."""
    provider = runtime.service.provider
    try:
        price_of(config.model, config.prices, provider=provider)
        client = make_client(runtime.service)
    except ModelError as error:
        return fault("model", error)
    except CredentialError as error:
        return unknown("model", f"the price of {config.model} is known; {error.message}", error.hint)
    try:
        facts = await ModelService(client, config, provider=provider).facts()
    except ModelError as error:
        return fault("model", error)
    except LoopError as error:
        return fault("model", error, error.hint or "see ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL")
    finally:
        await client.close()
    return ok("model", f"{facts.id} answers the key: {facts.window:,} tokens of context")


async def try_project(
    taken: Taken, head: CommitSha, config: LoopConfig, runtime: RuntimeEnvironment
) -> list[Finding]:
    """Run the setup and the whole suite in the sandbox, on a fresh clone of the commit."""
    found = []
    try:
        async with verification_environment(taken, config, runtime) as ground:
            await ground.workspace.open(head)
            done = await ground.prepare()
            if done is not None and done.exit_code != 0:
                text = f"{ground.setup} fails ({done.exit_code}): {done.text.strip()[-600:]}"
                return [mend("setup works", text, "mend the key setup")]
            if done is not None:
                found.append(ok("setup works", ground.setup))
            baseline = await ground.verifier.baseline(head)
    except (SandboxError, SandboxCallError) as error:
        return [*found, unknown("tests work", error.message, error.hint)]
    except LoopError as error:
        return [*found, fault("tests work", error)]
    passed, failing = baseline.passed, len(baseline.failing)
    if failing and not passed:
        text = f"not one of {failing} tests passes in a fresh clone"
        return [*found, mend("tests work", text, "set setup and test-command so that they do")]
    if not passed:
        return [*found, unknown("tests work", "there are no tests yet")]
    text = f"{passed} tests pass in a fresh clone" + (f", {failing} fail and are left out" if failing else "")
    return [*found, ok("tests work", text)]
