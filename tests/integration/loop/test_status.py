import json
import subprocess

import pytest

from loop_world import command, environment, honest, listed, make_project, model, plan, run

pytestmark = pytest.mark.root


def status(project, *args):
    done = subprocess.run(
        command("status", "--project", project, *args),
        env=environment("http://127.0.0.1:9"), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_status_tells_where_every_loop_stands(tmp_path):
    project = make_project(tmp_path / "project")
    assert "no loop has run here yet" in status(project)
    request = tmp_path / "request.md"
    request.write_text("# A two\n")
    with model(plan(listed("two")), {"two": [honest("two", 2)]}) as (url, _):
        code, result, said = run(project, url, "--request", request)
    assert code == 0, said
    (found,) = json.loads(status(project, "--json"))
    assert (found["loop"], found["state"], found["features"]) == ("run-a-two", "complete", {"two": "passing"})
    assert found["total_tokens"] == result["total_tokens"]
    assert "1 of 1 features proved" in status(project)
