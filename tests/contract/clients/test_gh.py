"""GitHub's own command line on the embedded GitHub, as on an Enterprise server: over TLS, its CA named."""

import json
import shutil
import subprocess

import pytest

from contract.clients.conftest import OWNER, REPO


@pytest.fixture
def gh(desk):
    if shutil.which("gh") is None:
        pytest.fail(
            "gh is not installed (Debian: apt-get install gh), so nothing is known of it.", pytrace=False
        )

    def run(*args):
        done = subprocess.run(
            ["gh", *args], capture_output=True, text=True, timeout=60, check=False, cwd=desk.folder,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(desk.folder),
                "GH_CONFIG_DIR": str(desk.folder / "gh"), "GH_HOST": desk.host,
                "GH_REPO": f"{desk.host}/{REPO}", "GH_ENTERPRISE_TOKEN": desk.token,
                "SSL_CERT_FILE": str(desk.authority), "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1",
                "GH_PROMPT_DISABLED": "1",
            },
        )  # fmt: skip
        assert done.returncode == 0, f"gh {' '.join(args)}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def test_issues_are_listed_made_commented_and_labelled(gh, desk):
    issues = f"repos/{REPO}/issues"
    listed = json.loads(gh("api", "--paginate", issues))
    assert [one["title"] for one in listed if "pull_request" not in one] == ["Replies"]
    made = json.loads(gh("api", issues, "-f", "title=Search", "-f", "body=By words"))
    number = made["number"]
    assert made["user"]["login"] == "octo"
    gh("api", f"{issues}/{number}/comments", "-f", "body=/loop go")
    gh("api", f"{issues}/{number}/labels", "-f", "labels[]=autonomous-loop")
    kept = desk.github.store.issues.require(REPO, number)
    assert [one.name for one in kept.labels] == ["autonomous-loop"]
    assert [one.body for one in desk.github.store.comments.list(REPO, number)] == ["/loop go"]
    assert gh("api", f"{issues}/{number}/events", "--jq", ".[].event").split() == ["labeled"]


def test_a_dispatch_its_run_and_its_log(gh, desk):
    gh("workflow", "run", "loop.yml", "--ref", "main", "-f", "issue=7")
    desk.settle()
    asked = "databaseId,conclusion,event,workflowName,headBranch,status"
    (run,) = json.loads(gh("run", "list", "--json", asked))
    assert (run["conclusion"], run["event"], run["workflowName"]) == ("success", "workflow_dispatch", "Loop")
    assert "Loop" in gh("workflow", "list")
    number = str(run["databaseId"])
    jobs = json.loads(gh("run", "view", number, "--json", "jobs"))["jobs"]
    assert [(job["name"], job["conclusion"]) for job in jobs] == [("session", "success")]
    assert "issue=7" in gh("run", "view", number, "--log")
    gh("run", "rerun", number)
    desk.settle()
    assert desk.github.player.runs.run(int(number)).attempt == 2


def test_a_pull_request_by_rest_and_by_graphql(gh, desk):
    pull = json.loads(gh("api", f"repos/{REPO}/pulls/2"))
    assert (pull["title"], pull["head"]["ref"]) == ("Add replies", "loop/pr")
    query = """query($owner: String!, $name: String!, $number: Int!) {
        repository(owner: $owner, name: $name) {
            pullRequest(number: $number) { title isDraft headRefName } } }"""
    owner, name = REPO.split("/")
    answer = gh(
        "api",
        "graphql",
        "-f",
        f"query={query}",
        "-f",
        f"owner={owner}",
        "-f",
        f"name={name}",
        "-F",
        "number=2",
    )
    found = json.loads(answer)["data"]["repository"]["pullRequest"]
    assert found == {"title": "Add replies", "isDraft": False, "headRefName": "loop/pr"}


def test_who_may_not_is_told_so(gh, desk):
    desk.github.store.create_user("eve")
    desk.token = desk.github.store.create_token("eve")
    with pytest.raises(AssertionError, match="HTTP 403"):
        gh("workflow", "run", "loop.yml", "--ref", "main")
    assert OWNER.login != "eve"
    assert desk.github.player.runs.runs(REPO)[1] == []
