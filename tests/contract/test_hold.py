"""No test can make an embedded GitHub that is not held to GitHub's descriptions."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route

from contract.hold import LEDGER
from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.events import Change, Event
from embedded_github.forge.models import Actor

ROOT = Path(__file__).parents[2]
REPO, OWNER = "octo/tiny", Actor("octo")
WORKFLOW = "on: {issues: {types: [opened]}}\njobs: {j: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n"
STRAYS = """
from embedded_github.forge.events import Change
from embedded_github.forge.models import Actor
from embedded_github.forge.store import Store


def test_something_else(tmp_path):
    with Store(tmp_path) as store:
        store.create_repository("octo/tiny")
        store.bus.publish(Change("octo/tiny", "issues", "labeled", Actor("octo"), {"issue": None}))
"""


@pytest.fixture
def github(tmp_path):
    stray = [Route("/repos/{owner}/{repo}/shades", lambda _: JSONResponse([]))]
    source = tmp_path / "source"
    (source / ".github" / "workflows").mkdir(parents=True)
    (source / ".github" / "workflows" / "w.yml").write_text(WORKFLOW)
    made = EmbeddedGitHub(
        tmp_path / "github",
        entrypoint=lambda action, stage: None,
        action_sources={},
        secrets={},
        extra_env={},
        path=os.environ["PATH"],
        pages=lambda store, player: stray,
    )
    with made:
        made.store.create_repository(REPO, from_folder=source)
        yield made


def test_an_answer_that_strays_is_in_the_ledger(github):
    with urllib.request.urlopen(f"{github.url}/repos/{REPO}/shades") as answer:
        answer.read()
    (found,) = LEDGER.taken()
    assert "GitHub has no such operation" in found


def test_an_event_that_strays_is_in_the_ledger(github):
    github.store.bus.publish(Change(REPO, "issues", "painted", OWNER, {}))
    github.store.bus.publish(Change(REPO, "label", "created", OWNER, {}))
    painted, label = LEDGER.taken()
    assert painted == "the webhook issues painted: GitHub sends no webhook issues painted"
    assert '"label" is a required property' in label


def test_a_payload_that_strays_on_its_way_to_a_job_is_in_the_ledger(github):
    payload = {"action": "opened", "issue": None}
    github.player.deliver(Event(REPO, "issues", "opened", payload, "octo", by_workflow_token=False))
    assert github.player.wait_idle(30)
    found = LEDGER.taken()
    assert found
    assert all(one.startswith("the payload of a run by issues opened: ") for one in found)


def test_a_violation_fails_the_test_in_which_it_happens(tmp_path):
    (tmp_path / "test_strays.py").write_text(STRAYS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-c", str(ROOT / "pyproject.toml"),
         "--rootdir", str(tmp_path), "-o", f"pythonpath={ROOT / 'tests'}", str(tmp_path / "test_strays.py")],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "GitHub's own descriptions were broken" in done.stdout
    assert "the webhook issues labeled" in done.stdout
