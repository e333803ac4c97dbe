"""The player on the real forge, each of its answers held against GitHub's own OpenAPI description."""

import json
import urllib.request

import pytest

from embedded_github.actions.api.routes import routes
from embedded_github.actions.job.runner import ProcessRunner
from embedded_github.actions.player import Player
from embedded_github.forge.actions_view import ActionsView
from embedded_github.forge.api.auth import Authorizer
from embedded_github.forge.app import create_app
from embedded_github.forge.store import Store
from embedded_github.server import LocalServer

WORKFLOW = """
name: CI
on:
  issues: {types: [labeled]}
  workflow_dispatch: {inputs: {n: {default: '1'}}}
permissions: {actions: write, contents: read}
jobs:
  j:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: cat README.md
  k: {needs: j, if: 'false', runs-on: ubuntu-latest, steps: [{run: 'true'}]}
"""


class Desk:
    """A forge with one repository, a player and a client."""

    def __init__(self, url: str, player: Player, token: str) -> None:
        self.url, self.player, self.token = url, player, token

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        request = urllib.request.Request(
            f"{self.url}/api/v3/repos/ada/demo{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def settle(self) -> None:
        assert self.player.wait_idle(30)


@pytest.fixture
def desk(tmp_path):
    project = tmp_path / "project"
    (project / ".github" / "workflows").mkdir(parents=True)
    (project / "README.md").write_text("hello from the tree\n")
    (project / ".github" / "workflows" / "ci.yml").write_text(WORKFLOW)
    address: list[str] = []
    with Store(tmp_path / "forge") as store:
        store.create_repository("ada/demo", from_folder=project)
        player = Player(
            tmp_path / "actions",
            ActionsView(store),
            server_url=lambda: address[0],
            action_sources={},
            runner=ProcessRunner(lambda meta, stage: None),
            secrets={},
        )
        store.subscribe(player.deliver)
        app = create_app(store, extra_routes=routes(player, Authorizer(store)))
        with player, LocalServer(app) as server:
            address.append(server.url)
            yield Desk(server.url, player, store.create_token("ada"))


def test_a_label_runs_the_workflow_and_all_of_it_can_be_read(desk):
    issue = json.loads(desk.ask("POST", "/issues", {"title": "Do it"})[1])
    desk.ask("POST", "/labels", {"name": "go", "color": "ededed"})
    assert desk.ask("POST", f"/issues/{issue['number']}/labels", {"labels": ["go"]})[0] == 200
    desk.settle()
    (run,) = json.loads(desk.ask("GET", "/actions/runs?event=issues&per_page=5")[1])["workflow_runs"]
    assert (run["conclusion"], run["display_title"], run["head_branch"]) == ("success", "Do it", "main")
    jobs = json.loads(desk.ask("GET", f"/actions/runs/{run['id']}/jobs")[1])["jobs"]
    assert [job["conclusion"] for job in jobs] == ["success", "skipped"]
    assert b"hello from the tree" in desk.ask("GET", f"/actions/jobs/{jobs[0]['id']}/logs")[1]
    assert desk.ask("GET", f"/actions/runs/{run['id']}/logs")[1].startswith(b"PK")
    for path in (
        f"/actions/runs/{run['id']}",
        f"/actions/runs/{run['id']}/attempts/1",
        f"/actions/runs/{run['id']}/attempts/1/jobs",
        f"/actions/runs/{run['id']}/artifacts",
        f"/actions/jobs/{jobs[1]['id']}",
        "/actions/artifacts",
        "/actions/workflows",
        "/actions/workflows/ci.yml",
        "/actions/workflows/ci.yml/runs?status=completed&branch=main",
    ):
        assert desk.ask("GET", path)[0] == 200
    dispatch = "/actions/workflows/ci.yml/dispatches"
    assert desk.ask("POST", dispatch, {"ref": "main", "inputs": {"n": "2"}})[0] == 204
    assert desk.ask("POST", dispatch, {"ref": "main", "return_run_details": True})[0] == 200
    assert desk.ask("POST", dispatch, {"ref": "main", "inputs": {"x": "2"}})[0] == 422
    desk.settle()
    assert desk.ask("POST", f"/actions/runs/{run['id']}/rerun", {})[0] == 201
    desk.settle()
    assert json.loads(desk.ask("GET", f"/actions/runs/{run['id']}")[1])["run_attempt"] == 2
    assert desk.ask("POST", f"/actions/runs/{run['id']}/cancel")[0] == 409
    assert desk.ask("PUT", "/actions/workflows/ci.yml/disable")[0] == 204
    assert desk.ask("PUT", "/actions/workflows/ci.yml/enable")[0] == 204
    assert desk.ask("DELETE", f"/actions/runs/{run['id']}")[0] == 204
    assert desk.ask("GET", f"/actions/runs/{run['id']}")[0] == 404
    assert desk.ask("GET", "/actions/runs/999")[0] == 404
    assert desk.ask("GET", "/actions/workflows/none.yml")[0] == 404
