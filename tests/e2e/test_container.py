"""The committed Dockerfile, built for real: what the image carries, and the proof's action in it."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from container_engine import IMAGE
from git_world import git
from loop_world import make_project

pytestmark = [pytest.mark.e2e, pytest.mark.container, pytest.mark.root, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]


def test_the_image_runs_the_program_and_its_hands_have_their_tools(engine):
    assert "autonomous-loop, version" in engine.docker("run", "--rm", IMAGE, "--version").stdout
    python = "/opt/autonomous-loop/tools/bin/python -c 'import pytest, playwright'"
    tools = f"{python} && node --version && chromium-headless-shell --version"
    done = engine.docker("run", "--rm", "--user", "58123", "--entrypoint", "sh", IMAGE, "-c", tools)
    assert done.returncode == 0, done.stderr
    assert "Chromium" in done.stdout


def test_the_image_carries_the_product_alone(engine):
    look = (
        "from importlib.util import find_spec;"
        "print([one for one in ('autonomous_loop', 'embedded_github', 'scripted_model') if find_spec(one)])"
    )
    python = "/opt/autonomous-loop/loop/bin/python"
    done = engine.docker("run", "--rm", "--entrypoint", python, IMAGE, "-I", "-c", look)
    assert done.stdout.strip() == "['autonomous_loop']", done.stderr


def test_the_proofs_action_reads_a_checkout_that_is_not_its_own(engine, tmp_path):
    """As the runner starts it: the checkout belongs to the runner's user, the program is root."""
    project = make_project(tmp_path / "workspace")
    (project / "app.py").write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    test = "import app\n\n\ndef test_two():\n    assert app.two() == 2\n"
    (project / "tests" / "test_two.py").write_text(test)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Add two()")
    head, base = git(project, "rev-parse", "HEAD", "HEAD~1").split()
    subprocess.run(["chown", "-R", "1001:1001", project], check=True)
    given = tmp_path / "given"
    given.mkdir()
    (given / "event.json").write_text(
        json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}})
    )
    variables = {
        "GITHUB_EVENT_PATH": "/github/workflow/event.json",
        "GITHUB_STEP_SUMMARY": "/github/workflow/summary",
        "GITHUB_OUTPUT": "/github/workflow/output",
        "GITHUB_WORKSPACE": "/github/workspace",
        "HOME": "/github/home",
    }
    done = engine.docker(
        "run", "--rm", "--network", "host", "--workdir", "/github/workspace",
        "-v", f"{project}:/github/workspace", "-v", f"{given}:/github/workflow",
        *(word for name, value in variables.items() for word in ("-e", f"{name}={value}")),
        IMAGE, *yaml.safe_load((ROOT / "prove" / "action.yml").read_text())["runs"]["args"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "accepted: 1 test turns from red to green" in (given / "summary").read_text()
    assert "accepted" in (given / "output").read_text()
