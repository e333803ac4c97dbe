"""What people rely on: names, inputs, files. A change here is a change for them."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import autonomous_loop
from autonomous_loop.config import LoopConfig
from embedded_github.actions.workflow.reader import read_workflow

ROOT = Path(__file__).parents[2]
EIGHT = [
    "success",
    "features_completed",
    "features_total",
    "sessions_used",
    "total_tokens",
    "errors_recovered",
    "duration_minutes",
    "handoff_reason",
]


def test_the_package_exports_the_loop_its_configuration_and_its_result():
    assert sorted(autonomous_loop.__all__) == ["AutonomousLoop", "LoopConfig", "LoopResult"]
    assert [one.name for one in dataclasses.fields(autonomous_loop.LoopResult)] == EIGHT


def test_the_action_the_docs_and_the_model_say_the_same():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "tables.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_configuration_key_is_an_input_of_the_action():
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert {name.replace("_", "-") for name in LoopConfig.model_fields} <= set(inputs)


def workflow_of(name):
    text = (ROOT / ".github" / "workflows" / name).read_bytes()
    assert read_workflow(f".github/workflows/{name}", text).problems == ()
    return yaml.load(text, Loader=yaml.BaseLoader)


def test_the_workflow_people_copy_grants_what_the_one_it_calls_asks_and_no_more():
    thin, whole = workflow_of("autonomous-loop.yml"), workflow_of("loop.yml")
    assert thin["permissions"] == whole["permissions"] == {}
    (job,) = thin["jobs"].values()
    assert job["permissions"] == dict.fromkeys(["contents", "issues", "pull-requests", "actions"], "write")
    assert whole["jobs"]["session"]["permissions"] == job["permissions"]
    assert set(whole["jobs"]["plan"]["permissions"]) == set(job["permissions"])
    assert whole["jobs"]["session"]["concurrency"]["queue"] == "max"
    assert set(thin["on"]) == {
        "issues", "issue_comment", "workflow_dispatch", "schedule", "pull_request_review", "push",
        "workflow_run", "pull_request",
    }  # fmt: skip


def test_every_input_the_workflows_give_the_action_is_one_of_its_own():
    for job in workflow_of("loop.yml")["jobs"].values():
        (step,) = job["steps"]
        folder = step["uses"].partition("@")[0].removeprefix("autonomous-loop/autonomous-loop").strip("/")
        known = yaml.safe_load((ROOT / folder / "action.yml").read_text())["inputs"]
        assert set(step["with"]) <= set(known)


def test_no_lock_file_names_an_address_and_every_requirement_has_a_hash():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-hands.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


def test_no_file_of_ours_has_more_than_400_lines():
    rooms = ("src", "tests", "benchmarks", "examples", "docs", "scripts")
    files = [file for room in rooms for kind in ("py", "md") for file in (ROOT / room).rglob(f"*.{kind}")]
    assert len(files) > 500
    assert [str(file) for file in files if len(file.read_text().splitlines()) > 400] == []


def test_help_is_quick_and_imports_no_sdk():
    code = """
import sys
sys.argv = ["x", "--help"]
import autonomous_loop.commands.cli as cli
try:
    cli.main()
except SystemExit:
    assert "anthropic" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout


OURS = "autonomous-loop/autonomous-loop"
EXAMPLES = sorted((ROOT / "examples" / "workflows").rglob("*.yml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_our_actions_what_they_take_and_grants_what_they_need(path):
    workflow = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    needed = {"contents": "write", "issues": "write", "pull-requests": "write", "actions": "write"}
    uses = [(one["uses"], one.get("with", {})) for one in [job, *job.get("steps", [])] if "uses" in one]
    ours = [
        (name.partition("@")[0].removeprefix(OURS).strip("/"), given) for name, given in uses if OURS in name
    ]
    if path.parent.name != "own-image":
        assert len(ours) == 1
    for name, given in ours:
        if name == ".github/workflows/loop.yml":
            called = workflow_of("loop.yml")["on"]["workflow_call"]
            assert set(given) <= set(called["inputs"])
            assert set(job["secrets"]) <= set(called["secrets"])
        else:
            assert set(given) <= set(yaml.safe_load((ROOT / name / "action.yml").read_text())["inputs"])
        if name == "prove":
            needed = {"contents": "read"}
    granted = job["permissions"]
    assert {name: level for name, level in granted.items() if name != "id-token"} == needed
    if needed["contents"] == "write":
        inputs = workflow["on"]["workflow_dispatch"]["inputs"]
        assert set(inputs) == {"issue", "request", "loop", "generation", "pin"}
