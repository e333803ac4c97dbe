"""`init` on plain directories: what it writes, what it leaves alone, and that it follows no link."""

import subprocess
import tomllib
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from autonomous_loop.commands.init import init, initialised_as_text
from autonomous_loop.config import CONFIG_FILE, LoopConfig
from autonomous_loop.errors import RepositoryError
from autonomous_loop.github.workflow import WORKFLOW
from autonomous_loop.wiring.environment import GitHubAccount, RuntimeEnvironment
from git_world import git
from loop_world import command, environment, make_project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path):
    made = make_project(tmp_path / "project")
    git(made, "remote", "add", "origin", "https://someone:hidden-pass@github.com/octo/guestbook.git")
    return made


def started(project, **more):
    return init(project, RuntimeEnvironment.from_environment(), GitHubAccount(), **more)


def done(made):
    return [one.done for one in made.changes]


def test_a_fresh_repository_gets_workflow_and_configuration_and_is_told_what_is_left(project):
    hook = project / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    made = started(project)
    assert done(made) == ["new", "new"]
    assert (project / WORKFLOW).read_bytes() == (ROOT / WORKFLOW).read_bytes()
    text = (project / CONFIG_FILE).read_text()
    assert tomllib.loads(text) == {}  # a guess set down would stand above what a run shows
    assert "files of this project: python -m pytest." in " ".join(text.replace("\n#", "").split())
    assert git(project, "status", "--porcelain") == "?? .github/"
    said = initialised_as_text(made)
    assert f"+++ b/{WORKFLOW}" in said
    assert "https://github.com/octo/guestbook/settings/secrets/actions/new" in said
    assert "https://github.com/octo/guestbook/settings/actions" in said
    assert "gh label create autonomous-loop --repo octo/guestbook" in said
    assert "hidden-pass" not in said
    assert not (project / "ran").exists()


def test_a_script_of_the_project_is_filled_in(tmp_path):
    script = {"package.json": '{"scripts": {"test": "vitest run"}}'}
    project = make_project(tmp_path / "project", script)
    git(project, "rm", "-q", "-r", "tests")
    git(project, "commit", "-q", "-m", "one runner")
    git(project, "remote", "add", "origin", "https://github.com/octo/guestbook.git")
    started(project)
    assert tomllib.loads((project / CONFIG_FILE).read_text()) == {"test-command": "vitest run"}


def test_init_twice_changes_nothing(project):
    started(project)
    (project / CONFIG_FILE).write_text("max-usd = 3.0\n")
    again = started(project)
    assert done(again) == ["same", "kept"]
    assert (project / CONFIG_FILE).read_text() == "max-usd = 3.0\n"


def test_a_dry_run_writes_nothing(project):
    made = started(project, dry=True)
    assert "would be written" in initialised_as_text(made)
    assert not (project / ".github").exists()


def test_a_workflow_that_differs_is_shown_and_left_unless_forced(project):
    path = project / WORKFLOW
    path.parent.mkdir(parents=True)
    path.write_text("name: mine\n")
    refused = started(project)
    assert done(refused) == ["refused", "new"]
    assert "-name: mine" in initialised_as_text(refused)
    assert path.read_text() == "name: mine\n"
    assert not (project / CONFIG_FILE).exists()
    assert done(started(project, force=True)) == ["replaced", "new"]
    assert path.read_bytes() == (ROOT / WORKFLOW).read_bytes()


def test_a_configuration_in_pyproject_is_not_overruled_by_a_new_file(project):
    (project / "pyproject.toml").write_text("[tool.autonomous-loop]\nlabel = 'go'\n")
    made = started(project)
    assert done(made) == ["new", "kept"]
    assert not (project / CONFIG_FILE).exists()
    assert "gh label create go" in initialised_as_text(made)


def test_a_repository_without_a_commit_will_do(tmp_path):
    git(tmp_path, "init", "-q")
    assert done(started(tmp_path)) == ["new", "new"]
    assert tomllib.loads((tmp_path / CONFIG_FILE).read_text()) == {}


@pytest.mark.parametrize("link", [".github", ".github/workflows", WORKFLOW, CONFIG_FILE])
def test_no_link_is_followed(project, tmp_path, link):
    outside = tmp_path / "outside"
    outside.mkdir()
    target = outside
    if link in {WORKFLOW, CONFIG_FILE}:
        target = outside / "file"
        target.write_text("untouched")
    (project / link).parent.mkdir(parents=True, exist_ok=True)
    (project / link).symlink_to(target)
    with pytest.raises(RepositoryError, match="symbolic link"):
        started(project, force=True)
    assert [one.name for one in outside.iterdir()] == ([] if target == outside else ["file"])
    assert target == outside or target.read_text() == "untouched"


def test_a_work_tree_that_the_repository_puts_elsewhere_is_refused(project, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(project, "config", "core.worktree", str(elsewhere))
    with suppress(RepositoryError):
        started(project)
    assert list(elsewhere.iterdir()) == []


def test_the_command_says_what_it_did_and_ends_with_its_exit_code(project, tmp_path):
    def run(folder):
        return subprocess.run(
            command("init", "--project", folder),
            env=environment("http://127.0.0.1:9"),
            capture_output=True,
            text=True,
            check=False,
        )

    assert run(project).returncode == 0
    (project / WORKFLOW).write_text("name: mine\n")
    refused = run(project)
    assert refused.returncode == 1
    assert "Nothing was written" in refused.stdout
    assert run(tmp_path / "none").returncode == 2


def test_the_wheel_carries_the_very_file_of_this_repository(tmp_path):
    """And the program that is installed from it writes that."""
    build = f"from hatchling.build import build_wheel; build_wheel({str(tmp_path)!r})"
    subprocess.run([ROOT / ".venv/bin/python", "-c", build], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found = archive.read("autonomous_loop/workflows/autonomous-loop.yml")
    assert found == (ROOT / WORKFLOW).read_bytes()
    assert LoopConfig().label.encode() in found
