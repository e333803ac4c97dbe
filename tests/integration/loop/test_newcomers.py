"""Errors a newcomer makes: each a clear message and exit code 2."""

import json

import pytest

from git_world import git
from loop_world import KEY, honest, listed, make_project, model, plan, run

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def url():
    with model(plan(listed("two")), {}) as (address, _):
        yield address


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.md"
    path.write_text("# Something\n")
    return path


def refused(code, result, said, *words):
    assert code == 2, said
    for word in words:
        assert word in said
    assert "What to do:" in said
    assert "Traceback" not in said
    assert KEY not in said
    assert result["error"]


def test_no_git_repository(tmp_path, url, request_file):
    folder = tmp_path / "plain"
    folder.mkdir()
    refused(*run(folder, url, "--request", request_file), "not a git repository", "git init")


def test_no_such_folder(tmp_path, url, request_file):
    refused(*run(tmp_path / "nowhere", url, "--request", request_file), "does not exist")


def test_no_commit_yet(tmp_path, url, request_file):
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "-q")
    refused(*run(folder, url, "--request", request_file), "no commit yet", "git commit")


def test_a_branch_in_the_way(project, url, request_file):
    git(project, "branch", "autonomous-loop")
    refused(
        *run(project, url, "--request", request_file),
        "a branch named autonomous-loop is in the way",
        "rename",
    )


def test_no_key(project, url, request_file):
    code, result, said = run(project, url, "--request", request_file, ANTHROPIC_API_KEY="")
    refused(code, result, said, "no API key", "ANTHROPIC_API_KEY")


def test_a_key_the_service_refuses(project, url, request_file):
    code, result, said = run(project, url, "--request", request_file, ANTHROPIC_API_KEY="sk-ant-wrong-one")
    refused(code, result, said, "key")
    assert "sk-ant-wrong-one" not in said


def test_an_unknown_configuration_key(tmp_path, url, request_file):
    project = make_project(tmp_path / "project", config="max-session = 3\n")
    refused(
        *run(project, url, "--request", request_file),
        "unknown key",
        "max-session",
        "did you mean max-sessions",
    )


def test_a_value_out_of_range(project, url, request_file):
    refused(*run(project, url, "--request", request_file, "--set", "max-usd=-1"), "max-usd")


def test_no_request_at_all(project, url):
    refused(*run(project, url), "feature_list.json", "--request")


def test_a_request_file_that_does_not_exist(project, url, tmp_path):
    refused(*run(project, url, "--request", tmp_path / "no.md"), "does not exist")


def test_an_empty_request(project, url, tmp_path):
    (tmp_path / "empty.md").write_text("\n \n")
    refused(*run(project, url, "--request", tmp_path / "empty.md"), "is empty")


@pytest.mark.parametrize(
    ("text", "word"),
    [("[]", "empty"), ("{", "not JSON"), ('[{"steps": []}]', "description"), ("7", "not a list")],
)
def test_a_feature_list_that_does_not_hold(project, url, text, word):
    (project / "feature_list.json").write_text(text)
    code, _, said = run(project, url)
    assert code == 2, said
    assert word in said
    assert "feature_list.json" in said


def test_no_such_model(project, url, request_file):
    code, result, said = run(project, url, "--request", request_file, "--set", "model=claude-nobody-1")
    refused(code, result, said, "claude-nobody-1")


def test_a_model_without_a_price(project, url, request_file):
    code, result, said = run(project, url, "--request", request_file, "--set", "model=my-own-model")
    refused(code, result, said, "my-own-model")


def test_another_request_under_the_title_of_a_loop_there_is(project, url, request_file):
    with model(plan(listed("two")), {"two": [honest("two", 2)]}) as (working, _):
        assert run(project, working, "--request", request_file)[0] == 0
        request_file.write_text("# Something\n\nAnd more of it.\n")
        refused(*run(project, working, "--request", request_file), "another request", "another title")


def test_another_list_of_as_many_features_as_the_one_before(project, url):
    wish = {"category": "x", "steps": [], "passes": False}
    with model(None, {"two": [honest("two", 2)]}) as (working, _):
        (project / "feature_list.json").write_text(json.dumps([{**wish, "description": "two"}]))
        assert run(project, working)[0] == 0
        # Only proofs count, so a tick in the list is no change.
        (project / "feature_list.json").write_text(
            json.dumps([{**wish, "description": "two", "passes": True}])
        )
        assert run(project, working)[0] == 0
        (project / "feature_list.json").write_text(json.dumps([{**wish, "description": "three"}]))
        refused(*run(project, working), "another request")
