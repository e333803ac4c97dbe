"""A change that adds `two()` to the small project, and the command that proves it, as a person starts it."""

import json
import subprocess
from pathlib import Path

from git_world import git
from loop_world import command, environment

TWO = "\n\ndef two():\n    return 2\n"
TEST_TWO = "import app\n\n\ndef test_two():\n    assert app.two() == 2\n"


def write(folder: Path, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(folder, files, message="a change"):
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def started(project, *args, **env):
    """The command, with no key in its environment."""
    keyless = {name: value for name, value in environment("").items() if not name.startswith("ANTHROPIC")}
    return subprocess.run(
        command("prove", "--project", project, *args),
        env=keyless | env, capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip


def prove(project, *args):
    """Exit code, the JSON object, what it said."""
    done = started(project, "--json", *args)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def codes(found):
    return [one["code"] for one in found["reasons"]]
