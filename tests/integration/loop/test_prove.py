import subprocess

import pytest

from git_world import git
from loop_world import APP, command, environment, make_project
from prove_world import TEST_TWO, TWO, codes, commit, prove, started

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture
def project(tmp_path):
    """One commit with a tested `one`, a second with a tested `two`."""
    folder = make_project(tmp_path / "project")
    commit(folder, {"app.py": APP + TWO, "tests/test_two.py": TEST_TWO}, "Add two()\n\nAs asked.")
    return folder


def test_a_persons_commit_is_accepted_with_the_test_files_that_differ(project):
    before = git(project, "rev-parse", "HEAD", "HEAD~1", "--branches")
    (project / "app.py").write_text("uncommitted\n")
    code, found, said = prove(project, "--base", "HEAD~1")
    assert code == 0, said
    assert set(found) >= {"accepted", "reasons", "proof"}
    proof = found["proof"]
    assert proof["tests"] == ["tests/test_two.py"]
    assert (proof["before"], proof["after"]) == tuple(git(project, "rev-parse", "HEAD~1", "HEAD").split())
    assert proof["after_tree"] == git(project, "rev-parse", "HEAD^{tree}")
    assert proof["red"]["failing"] == proof["green"]["passed"] == ["tests/test_two.py::test_two"]
    assert proof["regression"]["counts"]["passed"] == 2
    # The checkout and the repository stay as they were, and what is not committed is not judged.
    assert "uncommitted work is left out: app.py" in said
    assert (project / "app.py").read_text() == "uncommitted\n"
    assert git(project, "rev-parse", "HEAD", "HEAD~1", "--branches") == before
    assert git(project, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_person_sees_the_verdict_at_a_glance_and_how_to_replay_it(project):
    done = started(project, "--base", "HEAD~1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "accepted: 1 test turns from red to green, and nothing that passed before is lost"
    words = {line.split()[0]: line for line in lines[1:] if line.startswith("  ")}
    assert "1 failed" in words["red"]
    assert "1 passed" in words["green"]
    assert "2 passed" in words["suite"]
    assert "Add two()" in words["head"]
    assert "(the test files that differ)" in words["tests"]
    again = next(line for line in lines if line.startswith("  autonomous-loop prove"))
    replayed = subprocess.run(
        [*command(*again.split()[1:]), "--project", project],
        env=environment(""), capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    assert (replayed.returncode, replayed.stdout.splitlines()[0]) == (0, lines[0]), replayed.stderr


def test_a_test_that_passes_on_the_code_before_is_refused(project):
    done = started(project, "--base", "HEAD~1", "--test", "tests/test_one.py")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == "refused: no-red"
    assert "tests/test_one.py" in done.stdout


def test_what_passed_before_and_fails_now_is_refused(project):
    commit(project, {"app.py": "def one():\n    return 11\n" + TWO})
    code, found, said = prove(project, "--base", "HEAD~2")
    assert (code, codes(found), found["proof"]) == (1, ["regression"], None), said
    assert "tests/test_one.py::test_one" in found["reasons"][0]["text"]


def test_protected_paths_are_a_persons_to_change_and_are_listed_for_the_reviewer(project):
    commit(project, {".github/workflows/ci.yml": "on: push\n"})
    done = started(project, "--base", "HEAD~2")
    assert done.returncode == 0, done.stderr
    assert "protected paths changed: .github/workflows/ci.yml" in done.stdout


def test_a_secret_and_a_changed_runner_are_refused_before_anything_runs(project):
    secret = "AKIA" + "Q3EGRZ7N2PLM5XHD"
    commit(project, {"keys.py": f"KEY = '{secret}'\n", "pytest.ini": "[pytest]\naddopts = -k two\n"})
    done = started(project, "--base", "HEAD~2")
    assert done.returncode == 1, done.stderr
    assert "secret" in done.stdout.splitlines()[0]
    assert "runner-keys" in done.stdout.splitlines()[0]
    assert secret not in done.stdout + done.stderr
    assert "baseline" not in done.stderr


def test_the_projects_own_gates_are_asked_of_head(tmp_path):
    config = "gates = ['! grep -rn FIXME app.py']\n"
    folder = make_project(tmp_path / "project", config=config)
    commit(folder, {"app.py": APP + TWO, "tests/test_two.py": TEST_TWO})
    code, found, said = prove(folder, "--base", "HEAD~1")
    assert (code, [one["exit_code"] for one in found["proof"]["gates"]]) == (0, [0]), said
    commit(folder, {"app.py": APP + TWO + "\n\n# FIXME\n"})
    code, found, said = prove(folder, "--base", "HEAD~2")
    assert (code, codes(found)) == (1, ["gate"]), said


def test_a_refactor_needs_no_red_and_leaves_the_tests_alone(project):
    renamed = "def _one():\n    return 1\n\n\none = _one\n" + TWO
    commit(project, {"app.py": renamed}, "Rename")
    code, found, said = prove(project, "--base", "HEAD~1", "--kind", "refactor")
    assert code == 0, said
    assert "no red" in found["proof"]["marks"]
    assert found["proof"]["green"]["counts"]["passed"] == 2
    commit(project, {"app.py": renamed + "\n\n", "tests/test_two.py": TEST_TWO + "\n\n# more\n"})
    code, found, said = prove(project, "--base", "HEAD~1", "--kind", "refactor")
    assert (code, codes(found)) == (1, ["tests-touched"]), said


def test_the_base_is_where_head_left_it_when_the_branch_moved_on(project):
    git(project, "checkout", "-q", "-b", "change")
    git(project, "branch", "-q", "-f", "main", "HEAD~1")
    git(project, "checkout", "-q", "main")
    # On main meanwhile: a test that head's code, made before it, does not pass.
    commit(
        project, {"tests/test_one.py": "from app import one\n\n\ndef test_new():\n    assert one() == 111\n"}
    )
    code, found, said = prove(project, "--base", "main", "--head", "change")
    assert code == 0, said
    assert found["proof"]["before"] == git(project, "rev-parse", "main~1")
    assert f"base is {found['proof']['before'][:12]}, where head left main" in said


def test_the_setup_and_the_commands_of_the_base_are_used_and_options_win(tmp_path):
    config = "setup = 'mkdir cached && echo 2 > cached/value'\ntest-command = 'python -m pytest'\n"
    folder = make_project(tmp_path / "project", {".gitignore": "cached/\n"}, config)
    code = APP + "\n\ndef two():\n    return int(open('cached/value').read())\n"
    commit(folder, {"app.py": code, "tests/test_two.py": TEST_TWO})
    code, found, said = prove(folder, "--base", "HEAD~1")
    assert code == 0, (said, found)
    # What head says of the setup decides nothing; the person who asks does.
    commit(folder, {".github/autonomous-loop.toml": "setup = 'exit 3'\n"})
    assert prove(folder, "--base", "HEAD~2")[0] == 0
    code, found, said = prove(folder, "--base", "HEAD~2", "--setup", "echo broken >&2; exit 3")
    assert (code, "broken" in found["error"]) == (2, True), said


def test_hands_that_run_the_code_reach_nothing_of_whoever_asks(project):
    look = (
        "import os\n\n\ndef test_three():\n    from app import three\n\n    assert three() == 3\n"
        "    assert 'HANDOFF' not in str(os.environ)\n    assert os.getuid() != 0\n"
    )
    commit(project, {"app.py": APP + TWO + "\n\ndef three():\n    return 3\n", "tests/test_three.py": look})
    env = {"AUTONOMOUS_LOOP_HANDOFF_KEY": "a-secret-of-the-caller"}
    done = started(project, "--base", "HEAD~1", **env)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--base", "nowhere"), "has no commit 'nowhere'"),
        (("--base", "--output=/tmp/x"), "has no commit '--output=/tmp/x'"),
        (("--base", "HEAD"), "nothing to prove: base contains head already"),
        (("--base", "HEAD~1", "--head", "HEAD~2"), "has no commit 'HEAD~2'"),
        (("--base", "HEAD~1", "--test", "tests/test_nothing.py"), "tests/test_nothing.py is not a test file"),
        (("--base", "HEAD~1", "--set", "no-such-key=1"), "an unknown key: no-such-key"),
    ],
)
def test_bad_input_is_told_apart_from_a_refusal(project, args, said):
    code, found, _ = prove(project, *args)
    assert code == 2
    assert said in found["error"]
    assert found["hint"]


def test_a_change_without_tests_has_nothing_that_could_turn(project):
    commit(project, {"app.py": APP + TWO + "\n\nthree = 3\n"})
    code, found, _ = prove(project, "--base", "HEAD~1")
    assert code == 2
    assert "no test file differs" in found["error"]
    assert "--test" in found["hint"]


def test_no_git_directory_and_unrelated_histories_are_bad_input(project, tmp_path):
    code, found, _ = prove(tmp_path, "--base", "HEAD")
    assert (code, "is not a git repository" in found["error"]) == (2, True)
    git(project, "checkout", "-q", "--orphan", "other")
    commit(project, {"app.py": APP}, "another beginning")
    code, found, _ = prove(project, "--base", "main")
    assert (code, "nothing in common" in found["error"]) == (2, True)


def test_a_shallow_clone_is_told_to_fetch_more_and_does_where_enough_is_there(project, tmp_path):
    base = git(project, "rev-parse", "HEAD~1")
    one = tmp_path / "one"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project}", str(one))
    code, found, _ = prove(one, "--base", base)
    assert (code, "fetch-depth: 0" in found["hint"]) == (2, True)
    two = tmp_path / "two"
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{project}", str(two))
    code, found, said = prove(two, "--base", base)
    assert (code, found["accepted"]) == (0, True), said


def test_a_linked_work_tree_has_a_head_of_its_own(project, tmp_path):
    there = tmp_path / "linked"
    git(project, "worktree", "add", "-q", "--detach", str(there), "HEAD~1")
    commit(there, {"app.py": APP + TWO, "tests/test_two.py": TEST_TWO}, "Two, elsewhere")
    code, found, said = prove(there, "--base", "HEAD~1")
    assert code == 0, said
    assert found["proof"]["after"] == git(there, "rev-parse", "HEAD") != git(project, "rev-parse", "HEAD")


def test_tests_that_went_with_their_code_are_let_through_by_a_person_and_named(project):
    commit(
        project,
        {"app.py": "def two():\n    return 22\n", "tests/test_two.py": TEST_TWO.replace("2\n", "22\n")},
    )
    git(project, "rm", "-q", "tests/test_one.py")
    git(project, "commit", "-q", "-m", "one is gone")
    done = started(project, "--base", "HEAD~2")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == "refused: test-removed"
    assert "--set removed-tests=true" in done.stdout
    done = started(project, "--base", "HEAD~2", "--set", "removed-tests=true")
    assert done.returncode == 0, done.stderr
    words = {line.split()[0]: line for line in done.stdout.splitlines()[1:] if line.startswith("  ")}
    assert "tests removed" in words["mark"]
    assert "tests/test_one.py::test_one" in words["look"]


def test_the_whole_suite_runs_whenever_a_loop_of_the_project_would_run_it(tmp_path):
    folder = make_project(tmp_path / "project", config="regression = 'end'\n")
    commit(folder, {"app.py": "def one():\n    return 11\n" + TWO, "tests/test_two.py": TEST_TWO})
    code, found, said = prove(folder, "--base", "HEAD~1")
    assert (code, codes(found)) == (1, ["regression"]), said
