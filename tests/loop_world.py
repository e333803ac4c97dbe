"""A small project, a scripted model and the program, as a person would start it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

from autonomous_loop.wiring.environment import RuntimeEnvironment
from embedded_github.server import LocalServer
from git_world import git
from scripted_model.log import RequestLog
from scripted_model.script import Script
from scripted_model.server import create_app

KEY = "sk-ant-test-0123456789"
TOOLS = RuntimeEnvironment.from_environment().tools

APP = "def one():\n    return 1\n"
CONFTEST = "import pathlib\nimport sys\n\nsys.path.insert(0, str(pathlib.Path(__file__).parents[1]))\n"
TEST_ONE = "from app import one\n\n\ndef test_one():\n    assert one() == 1\n"


def make_project(folder: Path, files=None, config="") -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    given = {"app.py": APP, "tests/conftest.py": CONFTEST, "tests/test_one.py": TEST_ONE, **(files or {})}
    if config:
        given[".github/autonomous-loop.toml"] = config
    for name, text in given.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def bash(command):
    return {"bash": {"command": textwrap.dedent(command)}}


def create(path, text):
    return {"str_replace_based_edit_tool": {"command": "create", "path": path, "file_text": text}}


def submit(feature, *tests, summary="done"):
    return {"submit_feature": {"feature_id": feature, "tests": list(tests), "summary": summary}}


def listed(feature, **more):
    return {
        "id": feature, "kind": "behaviour", "category": "backend", "description": f"{feature} works",
        "steps": ["call it"], "priority": 1, "depends_on": [], **more,
    }  # fmt: skip


def plan(*features, test_command="python -m pytest"):
    proposal = {"setup": "", "test_command": test_command, "features": list(features)}
    return [{"turns": [{"tools": [{"propose_features": proposal}]}]}]


def honest(name, value, *, before=(), **turn):
    """Turns that add `name()` to app.py, test first."""
    test = f"from app import {name}\n\n\ndef test_{name}():\n    assert {name}() == {value}\n"
    code = f"printf '\\n\\ndef {name}():\\n    return {value}\\n' >> app.py"
    return {
        "turns": [
            *before,
            {"tools": [create(f"tests/test_{name}.py", test)], **turn},
            {"tools": [bash(f"grep -q 'def {name}' app.py || {code}")]},
            {"tools": [submit(name, f"tests/test_{name}.py")]},
        ]
    }


@contextmanager
def model(planner, features, **more):
    """The scripted model on a server; yields its address and its log."""
    script = Script.model_validate({"planner": planner, "features": features, **more})
    log = RequestLog()
    with LocalServer(create_app(script, api_keys=frozenset({KEY}), log=log)) as server:
        yield server.url, log


def environment(url, **more):
    """What a person's shell would give, with a scripted model behind it."""
    # coverage starts itself in children by its own variables.
    inherited = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    tools = {"AUTONOMOUS_LOOP_TOOLS": str(TOOLS)} if TOOLS else {}
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        **tools,
        **inherited,
        **more,
    }


def command(*args):
    return [sys.executable, "-m", "autonomous_loop", *map(str, args)]


def run(project, url, *args, timeout=240, **env):
    """`autonomous-loop run --json`: exit code, the JSON object, what it said."""
    done = subprocess.run(
        command("run", "--project", project, "--json", *args),
        env=environment(url, **env), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout) if done.stdout.strip() else {}
    return done.returncode, found, done.stderr


@contextmanager
def running(project, url, *args):
    """The same, not waited for; killed at the end by its own pid."""
    process = subprocess.Popen(
        command("run", "--project", project, "--json", *args),
        env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


def journal_events(project, loop):
    """The journal's events, in order, read with plain git."""
    branch = f"autonomous-loop/{loop}/state"
    names = git(project, "ls-tree", "--name-only", f"{branch}:sessions").split()
    lines = []
    for name in sorted(names, key=lambda one: int(one.split(".")[0])):
        lines += [json.loads(line) for line in git(project, "show", f"{branch}:sessions/{name}").splitlines()]
    return lines
