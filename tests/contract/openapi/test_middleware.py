"""The contract's own test: an app that strays from GitHub's description is found out."""

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from contract.ledger import Ledger
from contract.openapi.middleware import ContractMiddleware

LABEL = {
    "id": 1,
    "node_id": "LA_1",
    "url": "http://forge.test/repos/o/r/labels/bug",
    "name": "bug",
    "description": None,
    "color": "ff0000",
    "default": True,
}


def exchange(answer: Response, method: str = "GET", path: str = "/repos/o/r/labels/bug", **more) -> list[str]:
    """What the contract says about one exchange with an app that always answers so."""

    async def endpoint(request):
        await request.body()
        return answer

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST", "DELETE", "PUT"])])
    ledger = Ledger()
    with TestClient(ContractMiddleware(app, ledger)) as client:
        client.request(method, path, **more)
    return ledger.violations


def test_what_github_describes_passes():
    assert exchange(JSONResponse(LABEL)) == []
    assert exchange(JSONResponse(LABEL), path="/api/v3/repos/o/r/labels/needs/review") == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (JSONResponse({**LABEL, "color": 5}), "color"),
        (JSONResponse({key: value for key, value in LABEL.items() if key != "node_id"}), "node_id"),
        (JSONResponse({**LABEL, "url": "not an address"}), "uri"),
        (JSONResponse({**LABEL, "description": 1}), "description"),
        (JSONResponse(LABEL, 201), "the status is none of"),
        (JSONResponse({"message": 5}, 404), "message"),
        (PlainTextResponse("label"), "content type"),
    ],
)
def test_an_answer_that_strays_is_found(answer, said):
    found = exchange(answer)
    assert found
    assert said in found[0]


def test_an_operation_github_does_not_have_is_found():
    assert "no such operation" in exchange(JSONResponse({}), path="/repos/o/r/issues/1/nothing")[0]
    assert exchange(JSONResponse({}, 404), path="/repos/o/r/issues/1/nothing") == []


def test_a_request_that_github_would_refuse_is_found_where_the_app_takes_it():
    found = exchange(JSONResponse({}, 201), "POST", "/repos/o/r/issues", json={"labels": ["x"]})
    assert any("request" in one and "title" in one for one in found)
    refused = exchange(
        JSONResponse({"message": "no"}, 422), "POST", "/repos/o/r/issues", json={"labels": ["x"]}
    )
    assert not any("request" in one for one in refused)


def test_unknown_and_malformed_parameters_are_found():
    assert "no such parameter" in exchange(JSONResponse([]), path="/repos/o/r/labels?colour=red")[0]
    found = exchange(JSONResponse([]), path="/repos/o/r/issues?per_page=many")
    assert "query per_page=many" in found[0]


def test_a_body_behind_no_content_is_found():
    found = exchange(Response(b"x", 204), "DELETE", "/repos/o/r/labels/bug")
    assert "a body where there must be none" in found[0]


def test_the_longest_fixed_path_wins():
    app = Starlette(routes=[Route("/{path:path}", lambda _: JSONResponse({}))])
    ledger = Ledger()
    with TestClient(ContractMiddleware(app, ledger)) as client:
        client.get("/repos/o/r/issues/comments/5")
        client.get("/repos/o/r/commits/feature/x/check-runs")
        client.get("/repos/o/r/contents/a/b.txt")
    assert set(ledger.operations) == {
        "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
        "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
        "GET /repos/{owner}/{repo}/contents/{path}",
    }


OURS = {"User-Agent": "autonomous-loop"}


def test_what_the_loop_asks_is_held_against_it_although_the_app_refuses():
    refused = JSONResponse({"message": "no"}, 422)
    found = exchange(refused, "POST", "/repos/o/r/issues", json={"labels": ["x"]}, headers=OURS)
    assert any("request" in one and "title" in one for one in found)
    missing = JSONResponse({"message": "no"}, 404)
    (found,) = exchange(missing, path="/repos/o/r/issues/1/nothing", headers=OURS)
    assert "no such operation" in found


QUERY = {"query": "{ viewer { login } }"}


@pytest.mark.parametrize("path", ["/graphql", "/api/graphql", "/api/v3/graphql"])
def test_a_graphql_query_and_its_answer_are_held_to_githubs_schema(path):
    assert exchange(JSONResponse({"data": {"viewer": {"login": "ann"}}}), "POST", path, json=QUERY) == []
    (found,) = exchange(JSONResponse({"data": {"viewer": None}}), "POST", path, json=QUERY)
    assert "non-nullable" in found
    (found,) = exchange(JSONResponse({"data": {"who": 1}}), "POST", path, json={"query": "{ who }"})
    assert "Cannot query field 'who'" in found


def test_a_query_of_the_loop_must_be_one_that_github_and_the_app_understand():
    refused = JSONResponse({"errors": [{"message": "no"}]})
    assert exchange(refused, "POST", "/graphql", json={"query": "{ who }"}) == []
    (found,) = exchange(refused, "POST", "/graphql", json={"query": "{ who }"}, headers=OURS)
    assert "Cannot query field 'who'" in found
    (found,) = exchange(refused, "POST", "/graphql", json=QUERY, headers=OURS)
    assert "does not understand it" in found
