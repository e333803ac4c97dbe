"""`doctor` on the embedded GitHub: a fresh repository where everything is wrong, mended thing by thing."""

import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import requests

from autonomous_loop.commands.doctor import Question, examine
from autonomous_loop.commands.init import init
from autonomous_loop.config import CONFIG_FILE
from autonomous_loop.errors import RepositoryError, UsageError
from autonomous_loop.github.workflow import WORKFLOW
from autonomous_loop.report.findings import State, findings_as_text
from autonomous_loop.wiring.environment import GitHubAccount, RuntimeEnvironment
from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.models import Actor
from embedded_github.forge.records.settings import ActionsSettings
from git_world import git
from loop_world import APP, CONFTEST, KEY, TEST_ONE, command, environment, listed, make_project, model, plan

REPO = "ann/demo"


@dataclass
class Desk:
    """A repository on the embedded GitHub, a clone of it, and a person with a token."""

    github: EmbeddedGitHub
    clone: Path
    runtime: RuntimeEnvironment
    account: GitHubAccount
    secrets: dict[str, str]
    said: list[str] = field(default_factory=list)

    async def look(self, **more):
        """Findings by what they are about."""
        question = Question(self.clone, **more)
        found = await examine(question, self.runtime, self.account, say=self.said.append)
        return {one.check: one for one in found}

    def put(self, files, message="a change"):
        for name, text in files.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(text)
        self.publish(message)

    def publish(self, message="a change"):
        git(self.clone, "add", "-A")
        git(self.clone, "commit", "-q", "-m", message)
        git(self.clone, "push", "-q", str(self.github.store.git(REPO).path), "HEAD:main")

    def ask(self, method, path, body):
        done = requests.request(
            method, f"{self.account.api_url}/repos/{REPO}/{path}", json=body, timeout=30,
            headers={"Authorization": f"Bearer {self.account.token}"},
        )  # fmt: skip
        assert done.status_code < 300, done.text


def embedded(folder, secrets):
    return EmbeddedGitHub(
        folder, entrypoint=lambda *_: None, action_sources={}, secrets=secrets, extra_env={}, path="/usr/bin"
    )


@pytest.fixture
def desk(tmp_path):
    secrets: dict[str, str] = {}
    with embedded(tmp_path / "github", secrets) as github, model(plan(listed("two")), {}) as (url, _):
        github.store.create_repository(REPO, collaborators={"rea": "read"})
        clone = tmp_path / "clone"
        clone.mkdir()
        git(clone, "init", "-q", "-b", "main")
        git(clone, "remote", "add", "origin", f"{github.url}/{REPO}.git")
        runtime = RuntimeEnvironment.from_environment(environment(url))
        account = GitHubAccount(github.url, f"{github.url}/api/v3", github.store.create_token("ann"))
        yield Desk(github, clone, runtime, account, secrets)


def wrong(found):
    return {check for check, one in found.items() if one.state is State.MEND}


async def test_a_fresh_repository_is_mended_thing_by_thing_until_nothing_is_left(desk):
    found = await desk.look()
    assert {"git", "workflow", "pull requests", "label", "secrets"} <= wrong(found)
    assert found["git"].do.startswith("git add")
    assert found["secrets"].do.endswith(f"{desk.github.url}/{REPO}/settings/secrets/actions/new")

    desk.put({"app.py": APP, "tests/conftest.py": CONFTEST, "tests/test_one.py": TEST_ONE}, "first")
    assert wrong(await desk.look()) == {"workflow", "pull requests", "label", "secrets"}

    init(desk.clone, desk.runtime, desk.account)
    desk.publish()
    found = await desk.look()
    assert wrong(found) == {"pull requests", "label", "secrets"}
    assert found["workflow"].text == "on the default branch main, the same as ours"
    assert found["tests"].text == "found in the project's files: python -m pytest"
    assert found["model"].state is State.OK

    body = {"can_approve_pull_request_reviews": True}
    desk.ask("PUT", "actions/permissions/workflow", body)
    assert wrong(await desk.look()) == {"label", "secrets"}
    desk.ask("POST", "labels", {"name": "autonomous-loop"})
    assert wrong(await desk.look()) == {"secrets"}
    desk.secrets["ANTHROPIC_API_KEY"] = KEY
    found = await desk.look(run=True)
    assert wrong(found) == set()
    assert found["tests work"].text == "1 tests pass in a fresh clone"
    shown = findings_as_text(list(found.values()))
    assert KEY not in shown + desk.account.token
    assert desk.account.token not in shown


async def test_what_the_files_get_wrong_is_told_with_its_place(desk):
    init(desk.clone, desk.runtime, desk.account)
    workflow = (desk.clone / WORKFLOW).read_text()
    given = "    with: {timeout-minutes: 50}\n    secrets:\n"
    short = workflow.replace("    secrets:\n", given).replace("actions: write", "actions: read")
    desk.put({WORKFLOW: short, CONFIG_FILE: "label = 'go'\n"})
    found = await desk.look()
    assert {"limits", "permissions", "trigger"} <= wrong(found)
    assert "actions: write" in found["permissions"].text
    desk.put({CONFIG_FILE: "max-sesions = 3\n", WORKFLOW: "jobs: ["})
    found = await desk.look()
    assert {"configuration", "workflow"} <= wrong(found)
    assert "max-sessions" in found["configuration"].do


async def test_settings_that_keep_a_loop_from_running_are_told(desk):
    init(desk.clone, desk.runtime, desk.account)
    desk.publish()
    desk.ask("PUT", "actions/workflows/autonomous-loop.yml/disable", {})
    assert "workflow enable" in (await desk.look())["workflow runs"].do
    for settings in (
        ActionsSettings(allowed_actions="local_only"),
        ActionsSettings(sha_pinning_required=True),
        ActionsSettings(enabled=False),
    ):
        desk.github.store.settings.change_actions(REPO, settings)
        assert "actions" in wrong(await desk.look())


@pytest.mark.parametrize("login", ["rea", ""])
async def test_what_a_token_may_not_ask_cannot_be_told_and_says_where_to_click(desk, login):
    token = desk.github.store.create_token(login) if login else ""
    desk.account = replace(desk.account, token=token)
    found = await desk.look()
    for check in ("actions", "pull requests", "secrets"):
        assert found[check].state is State.UNKNOWN
        assert f"{desk.github.url}/{REPO}/settings/" in found[check].do
    assert found["token"].state is (State.MEND if login else State.UNKNOWN)


async def test_a_refused_token_is_to_mend_and_a_workflows_own_cannot_tell(desk):
    desk.account = replace(desk.account, token="ghp_unknown")
    assert "token" in wrong(await desk.look())
    given = {"contents": "read", "actions": "read", "issues": "read"}
    desk.account = replace(desk.account, token=desk.github.store.mint_token(REPO, given, 7))
    desk.github.store.labels.create(REPO, "autonomous-loop", Actor("ann"))
    found = await desk.look()
    assert found["label"].state is State.OK
    assert found["secrets"].state is State.UNKNOWN


async def test_a_token_goes_to_no_server_that_only_the_repository_names(desk):
    git(desk.clone, "remote", "set-url", "origin", "http://127.0.0.1:9/ann/demo.git")
    found = await desk.look()
    assert found["token"].state is State.UNKNOWN
    assert "GITHUB_SERVER_URL" in found["token"].do
    assert (await desk.look(repository=REPO))["token"].state is State.OK


async def test_setup_that_fails_in_a_fresh_clone_is_found_by_trying(desk):
    desk.put({"app.py": APP, CONFIG_FILE: "setup = 'echo broken; exit 3'\n"})
    found = await desk.look(run=True)
    assert "broken" in found["setup works"].text
    assert "setup works" in wrong(found)


async def test_a_refused_key_and_an_unknown_price_are_told(desk):
    desk.put({CONFIG_FILE: "model = 'no-such-model'\n"})
    assert "price" in (await desk.look())["model"].text
    desk.put({CONFIG_FILE: ""})
    desk.runtime = replace(desk.runtime, service=replace(desk.runtime.service, api_key="sk-ant-other"))
    assert "model" in wrong(await desk.look())
    desk.runtime = replace(desk.runtime, service=replace(desk.runtime.service, api_key=""))
    assert (await desk.look())["model"].state is State.UNKNOWN


async def test_bad_input_is_an_error(desk, tmp_path):
    with pytest.raises(UsageError):
        await desk.look(repository="demo")
    desk.clone = tmp_path / "none"
    with pytest.raises(RepositoryError):
        await desk.look()


def test_the_command_prints_one_list_and_ends_with_its_exit_code(tmp_path):
    project = make_project(tmp_path / "project")
    done = subprocess.run(
        command("doctor", "--project", project, "--json"),
        env=environment("http://127.0.0.1:9", ANTHROPIC_API_KEY="", GITHUB_TOKEN="ghp_hidden0123456789"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert (done.returncode, found["workflow"]["state"]) == (1, "to mend")
    assert "ghp_hidden" not in done.stdout + done.stderr
