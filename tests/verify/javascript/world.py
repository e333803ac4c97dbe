"""Real JavaScript runners from the npm registry, kept outside the checkout, and small projects for them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.sandbox.toolchain import find_browser
from verify.proof_world import SYSTEM_PATH, World

# The newest that run with Node 20, and the oldest that people still have and that do. `node:test` is Node's.
PACKAGES = {
    "@babel/preset-env": "7.28.5",
    "@playwright/test": "1.57.0",
    "jest": "30.5.2",
    "mocha": "12.0.3",
    "typescript": "5.9.3",
    "vitest": "4.1.12",
}
OLDEST = {"jest": "24.9.0", "mocha": "6.2.3", "vitest": "0.34.6"}
IGNORED = {".gitignore": "node_modules\ntest-results/\n"}
_DEADLINE_S = 300


def packages(wanted: Mapping[str, str] = PACKAGES) -> Path:
    """The `node_modules` with all of them, installed when it is not there.

    Args:
        wanted: versions by name.

    Raises:
        RuntimeError: npm could not bring them.
    """
    digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    home = Path(
        "/var/cache" if os.geteuid() == 0 else os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    )
    folder = home / "autonomous-loop" / f"npm-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _install(folder, wanted)
    return folder / "node_modules"


def _install(folder: Path, wanted: Mapping[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}))
    done = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"],
        cwd=folder,
        env=os.environ | {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"npm could not install the test runners: {done.stderr[-2000:]}")
    subprocess.run(["chmod", "-R", "go+rX", str(folder)], check=True)
    (folder / "done").touch()


async def make_sandbox(installed: Path) -> ProcessSandbox:
    """Hands that may read the installed packages."""
    return await ProcessSandbox.create(
        base=Path(tempfile.gettempdir()),
        path=[str(Path(sys.executable).parent), *SYSTEM_PATH],
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        read_paths=[sys.prefix, sys.base_prefix, str(installed)],
        unsandboxed=False,
        chrome_path=find_browser(os.environ["PATH"]),
        browser_python=None,
    )


def setup(installed: Path, folders: Sequence[str] = ("",)) -> str:
    """A setup that puts a `node_modules` of links, which the hands may change, into each folder."""
    inside = shlex.quote(str(installed))
    lines = [
        f"mkdir -p {one or '.'}/node_modules/.bin && ln -sf {inside}/* {one or '.'}/node_modules/"
        f" && ln -sf {inside}/.bin/* {one or '.'}/node_modules/.bin/"
        for one in folders
    ]
    return " && ".join(lines)


async def install(world: World, installed: Path, *folders: str) -> None:
    """Run the setup in the work tree, and have the clean room run it."""
    world.setup = setup(installed, folders or ("",))
    done = await world.sandbox.run(["bash", "-c", world.setup], timeout_s=20)
    assert done.exit_code == 0, done.text


# A small project for each runner: `add` is there and tested, `double` is the feature.
CODE = "export function add(a, b) {\n  return a + b;\n}\n"
DOUBLE = {"src/calc.js": CODE + "\nexport function double(a) {\n  return 2 * a;\n}\n"}
IMPORTS = {
    "node:test": 'import { describe, it } from "node:test";\nimport assert from "node:assert/strict";',
    "mocha": 'import assert from "node:assert/strict";',
    "vitest": 'import { describe, it, expect } from "vitest";',
    "jest": 'import { describe, it, expect } from "@jest/globals";',
}
CHECKS = {
    "node:test": "assert.equal({}, {});",
    "mocha": "assert.equal({}, {});",
    "vitest": "expect({}).toBe({});",
    "jest": "expect({}).toBe({});",
}


def package(**keys: object) -> dict[str, str]:
    """A `package.json` of ES modules."""
    return {"package.json": json.dumps({"name": "calc", "type": "module", **keys})}


STARTS = {
    "node:test": package(scripts={"test": "node --test"}),
    "mocha": package(scripts={"test": "mocha 'tests/**/*.js'"}, devDependencies={"mocha": "11"}),
    "vitest": package(scripts={"test": "vitest"}, devDependencies={"vitest": "4"}),
    "jest": package(
        scripts={"test": "NODE_OPTIONS=--experimental-vm-modules jest"}, devDependencies={"jest": "30"}
    ),
}


def suite_of(runner: str, name: str, *lines: str, given: str = "add") -> str:
    """A test file of one `describe`."""
    inner = "\n".join(f"  {one}" for one in lines)
    imported = f'import {{ {given} }} from "../src/calc.js";'
    return f'{IMPORTS[runner]}\n{imported}\n\ndescribe("{name}", () => {{\n{inner}\n}});\n'


def file_for(runner: str, name: str, call: str, value: object) -> str:
    """A test file of one test, `name::works`."""
    check = CHECKS[runner].format(call, value)
    return suite_of(runner, name, f'it("works", () => {{ {check} }});', given=name)


def start_of(runner: str) -> dict[str, str]:
    """The project as a loop finds it."""
    added = {"src/calc.js": CODE, "tests/add.test.js": file_for(runner, "add", "add(1, 2)", 3)}
    return {**IGNORED, **STARTS[runner], **added}


def honest(runner: str) -> dict[str, str]:
    """The feature and its test."""
    return {**DOUBLE, "tests/double.test.js": file_for(runner, "double", "double(4)", 8)}


async def begin(world: World, installed: Path, runner: str, extra: Mapping[str, str] | None = None) -> None:
    """The project of a runner, `add` known to pass."""
    await world.start({**start_of(runner), **(extra or {})}, passing=("tests/add.test.js::add::works",))
    await install(world, installed)
