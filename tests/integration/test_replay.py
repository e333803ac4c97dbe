"""The commands that a receipt and a pull request offer, run as they stand in a checkout with work in it."""

import os
import re
import subprocess

import pytest

from autonomous_loop.domain.feature import FeatureKind
from autonomous_loop.domain.proof import Proof, TestRun, Verdict
from autonomous_loop.report.receipt import Receipt, as_markdown, as_text
from autonomous_loop.report.view_model import Row, replay, replays
from git_world import git

CHECK = "import app\n\nprint('green' if app.two() == 2 else 'red')\n"
COMMAND = "test -e new/check.py || echo lost; python3 -B new/check.py"


@pytest.fixture
def repository(tmp_path):
    """Two commits: the second has `two()` and what checks it."""
    folder = tmp_path / "repository"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    (folder / "app.py").write_text("def two():\n    return 1\n")
    (folder / "other.py").write_text("")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "before")
    (folder / "app.py").write_text("def two():\n    return 2\n")
    (folder / "new").mkdir()
    (folder / "new" / "check.py").write_text("import sys\n\nsys.path.insert(0, '.')\n" + CHECK)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "after")
    return folder


@pytest.fixture
def proof(repository):
    before, after, tree = git(repository, "rev-parse", "HEAD~1", "HEAD", "HEAD^{tree}").split()
    ran = TestRun(command=COMMAND, tree=tree, exit_code=0)
    return Proof(
        feature_id="two", kind=FeatureKind.BEHAVIOUR, tests=("new/check.py",), test_files=("new/check.py",),
        before=before, after=after, after_tree=tree, red=ran, green=ran,
    )  # fmt: skip


def receipt_of(proof):
    return Receipt(
        verdict=Verdict(accepted=True, proof=proof), base=proof.before, base_named=proof.before,
        head=proof.after, subject="after", tests=proof.tests, found=False,
    )  # fmt: skip


def of_text(proof):
    return as_text(receipt_of(proof)).partition("\nreplay\n")[2]


def of_summary(proof):
    return re.search(r"```sh\n(.*?)```", as_markdown(receipt_of(proof)), re.DOTALL)[1]


def of_pull_request(proof):
    row = Row(id="two", text="", kind="behaviour", icon="", status="", proved=True, replay=replay(proof))
    return re.search(r"```sh\n(.*?)```", replays((row, row), "", 5), re.DOTALL)[1]


BLOCKS = {"a receipt": of_text, "a summary": of_summary, "a pull request": of_pull_request}


def started(block, folder, **env):
    """Its output, line by line; the program itself is left out."""
    lines = [line for line in block.splitlines() if "autonomous-loop prove" not in line]
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent)} | env,
    )  # fmt: skip
    return done.stdout.split(), done.stderr


def unsaved(folder):
    """Work of an afternoon, in every state that git knows."""
    (folder / "other.py").write_text("my unsaved afternoon\n")
    (folder / "app.py").write_text("def two():\n    return 22\n")
    (folder / "new" / "check.py").write_text("raise SystemExit('mine')\n")
    (folder / "staged.py").write_text("staged\n")
    git(folder, "add", "staged.py", "app.py")
    (folder / "untracked.py").write_text("untracked\n")


def seen(folder):
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.py")}
    return files, git(folder, "status", "--porcelain=v2", "--branch"), git(folder, "worktree", "list")


@pytest.mark.parametrize("block", BLOCKS)
def test_green_and_red_are_seen_again_and_unsaved_work_stays(repository, proof, block):
    unsaved(repository)
    before = seen(repository)
    said, errors = started(BLOCKS[block](proof), repository)
    assert said == ["green", "red"] * (2 if block == "a pull request" else 1), errors
    assert seen(repository) == before


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("why", ["no temporary folder", "no such commit"])
def test_what_cannot_be_replayed_touches_nothing(repository, proof, block, why, tmp_path):
    unsaved(repository)
    before = seen(repository)
    env = {"TMPDIR": str(tmp_path / "none")} if why == "no temporary folder" else {}
    lost = proof if env else proof.model_copy(update={"before": "b" * 40, "after": "a" * 40})
    said, errors = started(BLOCKS[block](lost), repository, **env)
    assert (said, bool(errors)) == ([], True)
    assert seen(repository) == before


@pytest.mark.parametrize("block", BLOCKS)
def test_each_line_by_itself_touches_nothing_either(repository, proof, block):
    unsaved(repository)
    before = seen(repository)
    for line in BLOCKS[block](proof).splitlines():
        started(line, repository)
        assert seen(repository) == before, line


@pytest.mark.parametrize("depth", [1, None])
def test_a_summary_works_in_a_clone_that_has_not_fetched_the_change(repository, proof, tmp_path, depth):
    """A fork's, say: its commits are on the remote, and on no branch that a clone brings."""
    git(repository, "update-ref", "refs/pull/1/head", "HEAD")
    git(repository, "config", "uploadpack.allowReachableSHA1InWant", "true")  # as GitHub has it
    git(repository, "reset", "-q", "--hard", "HEAD~1")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", *([f"--depth={depth}"] if depth else []), f"file://{repository}", str(clone))
    said, errors = started(of_summary(proof), clone)
    assert said == ["green", "red"], errors


def test_a_refactor_has_green_alone(repository, proof):
    said, errors = started(replay(proof.model_copy(update={"red": None})), repository)
    assert said == ["green"], errors
