"""How the Actions player and the web pages come in."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from embedded_github.forge.api.auth import Authorizer
from embedded_github.forge.app import create_app
from embedded_github.forge.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "forge") as store:
        store.create_repository("octo/guestbook")
        yield store


@pytest.fixture
def client(store):
    authorize = Authorizer(store)

    def runs(request: Request) -> JSONResponse:
        identity = authorize(request, "actions", "write")
        seen = {"login": identity.login, "api": identity.links.api, "own": identity.by_workflow_token}
        return JSONResponse({"total_count": 0, "workflow_runs": [], "seen": seen})

    def page(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("a page")

    routes = [
        Route("/repos/{owner}/{repo}/actions/runs", runs),
        Route("/", page),
        Route("/{owner}/{repo}", page),
    ]
    with TestClient(create_app(store, extra_routes=routes), base_url="http://forge.test") as client:
        yield client


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_a_players_route_answers_at_both_addresses_and_refuses_as_github(client, store, prefix):
    path = f"{prefix}/repos/octo/guestbook/actions/runs"
    token = store.mint_token("octo/guestbook", {"actions": "write"}, 1)
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["seen"] == {
        "login": "github-actions[bot]",
        "api": f"http://forge.test{prefix}",
        "own": True,
    }
    assert "x-github-request-id" in answer.headers
    refused = client.get(path, headers={"Authorization": "Bearer wrong"})
    assert (refused.status_code, refused.json()["message"]) == (401, "Bad credentials")


def test_pages_take_what_the_api_does_not(client):
    assert client.get("/").text == "a page"
    assert client.get("/octo/guestbook").text == "a page"
    assert "issues_url" in client.get("/api/v3/").json()
    assert client.get("/users/octo").json()["login"] == "octo"
    assert client.get("/repos/octo/guestbook").json()["full_name"] == "octo/guestbook"


def test_what_nobody_knows_is_json_for_programs_and_text_for_browsers(client):
    missing = "/octo/guestbook/nothing/here"
    assert client.get(missing).json()["message"] == "Not Found"
    assert client.get(missing, headers={"Accept": "text/html"}).text == "Not found\n"
    assert client.put("/repos/octo/guestbook/issues").status_code == 404
