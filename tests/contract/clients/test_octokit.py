"""Octokit, GitHub's own client for JavaScript, on the embedded GitHub."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from contract.clients.conftest import REPO
from contract.npm import CACHE

SOURCE = Path(__file__).parent / "octokit"


@pytest.fixture(scope="session")
def client():
    """The script beside its locked packages, installed once into the cache; none of their scripts runs."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = CACHE / "octokit"
    installed = folder / "package-lock.json"
    if not (folder / "done").exists() or installed.read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"],
            capture_output=True, text=True, cwd=folder, timeout=240, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.fail(f"npm could not install octokit:\n{done.stderr}", pytrace=False)
        (folder / "done").touch()
    shutil.copy(SOURCE / "client.mjs", folder)
    return folder / "client.mjs"


@pytest.fixture
def octokit(desk, client):
    def run(task, token=desk.token):
        done = subprocess.run(
            ["node", str(client), f"{desk.url}/api/v3", *REPO.split("/"), task],
            capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TOKEN": token},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_issues_are_listed_made_commented_and_labelled(octokit, desk):
    seen = octokit("issues")
    assert set(seen["listed"]) == {"Replies", "Add replies"}
    assert (seen["labels"], seen["events"]) == (["autonomous-loop"], [["labeled", "octo"]])
    (comment,) = desk.github.store.comments.list(REPO, seen["number"])
    assert comment.body == "/loop go"


def test_a_dispatch_its_run_and_its_log(octokit, desk):
    assert octokit("dispatch")["status"] in (200, 204)
    desk.settle()
    seen = octokit("runs")
    assert (seen["conclusion"], seen["jobs"], seen["artifacts"]) == ("success", [["session", "success"]], 0)
    assert "issue=7" in seen["log"]


def test_a_pull_request_by_rest_and_by_graphql(octokit):
    seen = octokit("pull")
    assert (seen["title"], seen["permission"], seen["draft"]) == ("Add replies", "admin", False)
    assert ["README.md", "removed"] in seen["files"]


def test_who_may_not_is_told_so(octokit, desk):
    desk.github.store.create_user("eve")
    seen = octokit("refused", desk.github.store.create_token("eve"))
    assert seen["status"] in (403, 404)
    assert desk.github.store.issues.require(REPO, 1).labels in ([], ())
