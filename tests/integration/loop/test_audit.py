import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

from audit_world import BRANCHES, LOOP, TWO, audit, finish
from git_world import git
from loop_world import (
    KEY,
    bash,
    command,
    create,
    environment,
    honest,
    make_project,
    model,
    run,
    submit,
)

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def project(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "project")


def forge(project, path, change):
    """A file of the state branch, as someone with write access changes it."""
    state = f"refs/heads/{BRANCHES}/state"
    there = Path(tempfile.mkdtemp(dir=project.parent)) / "forger"
    git(project, "worktree", "add", "-q", "--detach", str(there), state)
    (there / path).write_text(change((there / path).read_text()))
    git(there, "commit", "-q", "-am", "session 1: mended")
    git(project, "update-ref", state, git(there, "rev-parse", "HEAD"))


def forge_proof(project, feature, change):
    """A proof and what the journal says of it, alike: only the key could tell."""

    def digest():
        stored = git(project, "show", f"refs/heads/{BRANCHES}/state:proofs/{feature}.json")
        return sha256(stored.encode()).hexdigest()

    before = digest()
    forge(project, f"proofs/{feature}.json", change)
    forge(project, "sessions/1.jsonl", lambda text: change(text).replace(before, digest()))


def test_every_proof_of_a_finished_loop_holds_without_a_key(project):
    code, found, said = audit(project)
    assert code == 0, said
    assert (found["holds"], found["loop"], found["branches"]) == (True, LOOP, BRANCHES)
    assert found["commit"] == git(project, "rev-parse", f"{BRANCHES}/pr")
    shown = [(one["feature"], one["kind"], one["tests"], one["verdict"]) for one in found["features"]]
    assert shown == [("two", "behaviour", 1, "holds"), ("three", "behaviour", 1, "holds")]
    assert "needs the key" in found["chain"]
    assert found["findings"] == found["notes"] == []


def test_with_the_key_the_chain_is_verified_and_with_another_it_is_not(project):
    code, found, said = audit(project, ANTHROPIC_API_KEY=KEY)
    assert (code, found["chain"]) == (0, "verified"), said
    code, found, said = audit(project, ANTHROPIC_API_KEY="sk-ant-another-0123456789")
    assert (code, "not verified" in found["chain"]) == (0, True), said


def test_a_person_reads_a_table(project):
    done = subprocess.run(
        command("audit", BRANCHES + "/pr", "--project", project),
        env=environment(""), capture_output=True, text=True, timeout=290, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{LOOP} at ")
    assert "every proof holds (2 of 2 features)" in lines[0]
    assert lines[2].split() == ["feature", "kind", "tests", "verdict", "marks"]
    assert lines[3].split() == ["two", "behaviour", "1", "holds", "weak", "red"]


def test_deep_replays_the_red_and_green_of_every_feature(project):
    code, found, said = audit(project, "--deep")
    assert code == 0, said
    assert [one["replay"] for one in found["features"]] == ["holds", "holds"]


def test_deep_finds_a_red_that_never_was(project):
    """A commit whose test passes on the code before it, recorded as if it had been proved."""
    there = project.parent / "cheater"
    git(project, "worktree", "add", "-q", "--detach", str(there), f"{BRANCHES}/pr^")
    (there / "tests" / "test_three.py").write_text("def test_three():\n    assert 3 == 3\n")
    git(there, "add", "-A")
    git(there, "commit", "-q", "-m", "three: easy")
    new, tree = git(there, "rev-parse", "HEAD"), git(there, "rev-parse", "HEAD^{tree}")
    old, old_tree = git(project, "rev-parse", f"{BRANCHES}/pr", f"{BRANCHES}/pr^{{tree}}").split()
    for branch in ("pr", "checkpoint/1"):
        git(project, "update-ref", f"refs/heads/{BRANCHES}/{branch}", new)

    def exchange(text):
        return text.replace(old, new).replace(old_tree, tree)

    forge_proof(project, "three", exchange)
    code, found, said = audit(project)
    assert code == 0, (said, found)  # its tests do pass: only the red was made up
    code, found, said = audit(project, "--deep")
    assert code == 1, said
    replays = {one["feature"]: one["replay"] for one in found["features"]}
    assert replays["two"] == "holds"
    assert replays["three"].startswith("no-red:")


def test_deep_finds_a_red_that_came_from_a_file_at_home(tmp_path):
    """It made the test fail twice, whatever the code is: the loop ran red where the file lay."""
    project = make_project(tmp_path / "project")
    test = (
        "import os\nimport pathlib\n\nimport app\n\n\ndef test_three():\n"
        "    left = pathlib.Path(os.environ['HOME'], 'left')\n"
        "    times = left.read_text() if left.exists() else ''\n    left.write_text(times[1:])\n"
        "    assert not times\n    assert app.one() == 1\n"
    )
    tricked = {
        "turns": [
            {
                "tools": [
                    create("tests/test_three.py", test),
                    bash("printf 12 >$HOME/left; echo three >README"),
                ]
            },
            {"tools": [submit("three", "tests/test_three.py")]},
        ]
    }
    request = tmp_path / "request.md"
    request.write_text("# Two numbers\n")
    with model(TWO, {"two": [honest("two", 2)], "three": [tricked]}) as (url, _):
        code, _, said = run(project, url, "--request", request)
    assert code == 0, said
    assert audit(project)[0] == 0
    code, found, said = audit(project, "--deep")
    assert code == 1, said
    replays = {one["feature"]: one["replay"] for one in found["features"]}
    assert replays["two"] == "holds"
    assert replays["three"].startswith("no-red:")


WRAPPER = '#!/bin/sh\\nexec python "$@"\\n'
RUNNER = f"""\
test-command = ".tools/python -m pytest"
setup = '''
mkdir .tools
printf '{WRAPPER}' > .tools/python
chmod +x .tools/python
'''
"""
OUTSIDE = {
    "a file git ignores": ("mkdir cached && echo 3 > cached/three", "int(open('cached/three').read())", ""),
    "a changed runner": ("sed -i '2iexport THREE=3' .tools/python", "int(os.environ['THREE'])", RUNNER),
}


@pytest.mark.parametrize("how", OUTSIDE)
def test_green_that_came_from_outside_version_control_shows_in_the_clean_room(tmp_path, how):
    """`three` works only where it was made: what it needs is in no commit."""
    command, value, config = OUTSIDE[how]
    project = make_project(tmp_path / "project", {".gitignore": "cached/\n.tools/\n"}, config)
    test = "from app import three\n\n\ndef test_three():\n    assert three() == 3\n"
    code = f"\n\ndef three():\n    import os\n\n    return {value}\n"
    tricked = {
        "turns": [
            {"tools": [create("tests/test_three.py", test), bash(command)]},
            {"tools": [bash(f'cat >> app.py <<"END"\n{code}END')]},
            {"tools": [submit("three", "tests/test_three.py")]},
        ]
    }
    request = tmp_path / "request.md"
    request.write_text("# Two numbers\n")
    with model(TWO, {"two": [honest("two", 2)], "three": [tricked]}) as (url, _):
        _, result, said = run(project, url, "--request", request)
    assert result["features_completed"] == 2, said  # both were kept; the loop's own clean room stops it
    assert not result["success"]
    code, found, said = audit(project)
    assert code == 1, said
    assert {one["feature"]: one["verdict"] for one in found["features"]} == {"two": "holds", "three": "fails"}
    (reason,) = found["reasons"]
    assert reason["code"] == "regression"
    assert "test_three.py::test_three" in reason["text"]


def test_a_pull_request_branch_that_people_pushed_to_is_audited_as_it_stands(project):
    there = project.parent / "person"
    git(project, "worktree", "add", "-q", "--detach", str(there), f"{BRANCHES}/pr")
    (there / "app.py").write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    git(there, "commit", "-q", "-am", "I tidied up")
    git(project, "update-ref", f"refs/heads/{BRANCHES}/pr", git(there, "rev-parse", "HEAD"))
    code, found, said = audit(project, LOOP)
    assert code == 1, said
    assert found["commit"] == git(there, "rev-parse", "HEAD")
    assert "1 commit after the last proof" in found["findings"][0]
    assert "I tidied up" in found["findings"][0]
    assert {one["feature"]: one["verdict"] for one in found["features"]} == {"two": "holds", "three": "fails"}


def test_a_commit_that_is_not_what_was_proved_is_found(project):
    """The branch and the record name another commit than the one whose files were proved."""
    there = project.parent / "other"
    old = git(project, "rev-parse", f"{BRANCHES}/pr")
    git(project, "worktree", "add", "-q", "--detach", str(there), f"{BRANCHES}/pr")
    (there / "extra.py").write_text("pass\n")
    git(there, "add", "-A")
    git(there, "commit", "-q", "--amend", "--no-edit")
    new = git(there, "rev-parse", "HEAD")
    for branch in ("pr", "checkpoint/1"):
        git(project, "update-ref", f"refs/heads/{BRANCHES}/{branch}", new)
    code, found, said = audit(project)
    assert code == 2, said  # the commit that was proved is not even here
    assert "is not here" in found["error"]
    forge(project, "sessions/1.jsonl", lambda text: text.replace(old, new))
    code, found, said = audit(project)
    assert code == 1, said
    assert "the files of its commit" in found["features"][1]["findings"][1]


def test_a_commit_that_nobody_proved_between_two_that_were_is_found(project):
    """Slipped in under `three`, whose proof is made to stand on it."""
    there = project.parent / "slipped"
    two, three = git(project, "rev-parse", f"{BRANCHES}/pr^", f"{BRANCHES}/pr").split()
    git(project, "worktree", "add", "-q", "--detach", str(there), two)
    (there / "extra.py").write_text("pass\n")
    git(there, "add", "-A")
    git(there, "commit", "-q", "-m", "two: more")
    slipped = git(there, "rev-parse", "HEAD")
    git(there, "cherry-pick", three)
    new, tree = git(there, "rev-parse", "HEAD"), git(there, "rev-parse", "HEAD^{tree}")
    old_tree = git(project, "rev-parse", f"{three}^{{tree}}")

    def exchange(text):
        text = text.replace(three, new).replace(old_tree, tree)
        for quoted in ('"before":"%s"', '"before": "%s"'):
            text = text.replace(quoted % two, quoted % slipped)
        return text

    for branch in ("pr", "checkpoint/1"):
        git(project, "update-ref", f"refs/heads/{BRANCHES}/{branch}", new)
    forge_proof(project, "three", exchange)
    code, found, said = audit(project)
    assert code == 1, said
    assert [one["findings"] for one in found["features"]] == [[], []]
    assert found["findings"] == [f"three was proved on {slipped[:12]}, while the loop stood at {two[:12]}"]


def test_a_record_that_was_changed_is_found(project):
    """A proof's file by itself; with the key, any event."""
    forge(project, "proofs/two.json", lambda text: text.replace('"kind": "behaviour"', '"kind": "refactor"'))
    forge(project, "sessions/1.jsonl", lambda text: text.replace('"progressed":true', '"progressed":false'))
    code, found, said = audit(project, ANTHROPIC_API_KEY=KEY)
    assert (code, found["chain"]) == (1, "broken"), said
    assert "chain fails at sessions/1.jsonl" in found["findings"][0]
    other = "proofs/two.json is not the proof that the journal's events hold"
    assert [one["findings"] for one in found["features"]] == [[other], []]


def test_the_branches_of_a_remote_do_as_well_and_the_newer_ones_count(project, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(project), str(clone))
    code, found, said = audit(clone)
    assert (code, found["loop"]) == (0, LOOP), said
    state = f"{BRANCHES}/state"
    git(clone, "branch", "-q", "--no-track", state, f"origin/{state}~1")  # an older one of its own
    code, found, said = audit(clone, f"origin/{BRANCHES}/state")
    assert (code, found["holds"]) == (0, True), said


def test_what_cannot_be_audited_is_bad_input(project, tmp_path):
    code, found, _ = audit(project, "issue-7")
    assert code == 2
    assert f"no loop is named issue-7; the loops here: {BRANCHES}" in found["error"]
    empty = make_project(tmp_path / "empty")
    code, found, _ = audit(empty)
    assert (code, "no state branch" in found["error"]) == (2, True)
    state = git(project, "rev-parse", f"{BRANCHES}/state")
    git(project, "update-ref", "refs/heads/autonomous-loop/run-copy/state", state)
    code, found, _ = audit(project)
    assert code == 2
    assert f"several loops here: autonomous-loop/run-copy, {BRANCHES}" in found["error"]
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", f"file://{project}", str(shallow))
    code, found, _ = audit(shallow, LOOP)
    assert (code, "fetch-depth: 0" in found["hint"]) == (2, True)
