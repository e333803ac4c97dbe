"""A project with a finished loop, and the command that audits it, as a person starts it."""

import json
import subprocess
from pathlib import Path

from loop_world import command, environment, honest, listed, make_project, model, plan, run

LOOP = "run-two-numbers"
BRANCHES = f"autonomous-loop/{LOOP}"
TWO = plan(listed("two", priority=1), listed("three", priority=2, depends_on=["two"]))


def finish(folder: Path) -> Path:
    """A project whose loop made two features."""
    project, request = make_project(folder / "project"), folder / "request.md"
    request.write_text("# Two numbers\n")
    with model(TWO, {"two": [honest("two", 2)], "three": [honest("three", 3)]}) as (url, _):
        code, _, said = run(project, url, "--request", request)
    assert code == 0, said
    return project


def audit(project, *args, **env):
    """Exit code, the JSON object, what it said. No key unless one is given."""
    keyless = {name: value for name, value in environment("").items() if not name.startswith("ANTHROPIC")}
    done = subprocess.run(
        command("audit", "--project", project, "--json", *args),
        env=keyless | env, capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr
