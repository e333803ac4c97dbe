"""A real package with its own test suite, as it stands in the registry: the loop adds two features to it."""

import hashlib
import re
import subprocess
import sys
from collections import Counter

import pytest

from contract.hold import LEDGER
from e2e.github_world import BOT, LABEL, github_world
from e2e.inflection_turns import FEATURES, PLANNER, REQUEST
from git_world import git
from loop_world import TOOLS, journal_events, model, run

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(600)]
PACKAGE, VERSION = "inflection", "0.5.1"
SHA256 = "1a29730d366e996aaacffb2f1f1cb9593dc38e2ddd30c91250c6dde09ea9b417"
OWN_TESTS = 455  # of its own suite, as released
OF_DEMODULIZE, OF_FOREIGN_KEY = 6, 5
WHOLE = OWN_TESTS + OF_DEMODULIZE + OF_FOREIGN_KEY
CONFIGURATION = "session-features = 1\n"  # so that there is a handoff between the two features


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The source distribution, by name from the registry; without a network this fails, as it should."""
    folder = tmp_path_factory.mktemp("sdist")
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-binary", PACKAGE, "--require-hashes", "--dest", folder, "--requirement", wanted],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(
            f"pip could not fetch the source distribution of {PACKAGE} {VERSION}, which this test is about."
            f" Is a package registry within reach?\n{done.stderr}",
            pytrace=False,
        )
    (found,) = folder.glob("*.tar.gz")
    assert hashlib.sha256(found.read_bytes()).hexdigest() == SHA256
    return found


@pytest.fixture
def files(sdist, tmp_path):
    folder = tmp_path / PACKAGE
    (folder / ".github").mkdir(parents=True)
    subprocess.run(
        ["tar", "-xzf", sdist, "-C", folder, "--strip-components=1", "--no-same-owner"], check=True
    )
    (folder / ".github" / "autonomous-loop.toml").write_text(CONFIGURATION)
    return folder


def events_of(events, kind):
    return [one["event"] for one in events if one["event"]["type"] == kind]


def hold(repository, events, base, branches):
    """What must be so at the end, however the loop was run."""
    (baseline,) = [one["baseline"] for one in events_of(events, "baseline")][:1]
    assert (baseline["passed"], baseline["failing"], baseline["flaky"]) == (OWN_TESTS, [], [])
    demodulize, foreign_key = [one["proof"] for one in events_of(events, "kept")]
    assert demodulize["feature_id"] == "demodulize"
    assert foreign_key["feature_id"] == "foreign-key"
    for proof, new, suite in (
        (demodulize, OF_DEMODULIZE, OWN_TESTS + OF_DEMODULIZE),
        (foreign_key, OF_FOREIGN_KEY, WHOLE),
    ):
        assert proof["test_files"] == ["test_inflection.py"]
        assert len(proof["red"]["failing"]) == new
        assert not proof["red"].get("passed")
        assert (proof["green"]["counts"]["passed"], proof["green"].get("failing", [])) == (new, [])
        assert proof["regression"]["counts"]["passed"] == suite
        assert not proof["regression"].get("failing")
    assert [one["accepted"] for one in events_of(events, "clean-room")] == [True]
    assert [one["reason"] for one in events_of(events, "ended")] == ["session-done", "complete"]
    # One refusal, mended in the same conversation: both attempts were the first.
    attempts = [one["attempt"] for one in events_of(events, "attempt-ended")]
    assert [(one["feature_id"], one["number"], one["outcome"]) for one in attempts] == [
        ("demodulize", 1, "proved"), ("foreign-key", 1, "proved"),
    ]  # fmt: skip
    assert sum(one.get("recovered", 0) for one in events_of(events, "attempt-ended")) == 1

    pr = f"{branches}/pr"
    assert git(repository, "rev-parse", pr) == git(repository, "rev-parse", f"{branches}/checkpoint/2")
    subjects = git(repository, "log", "--format=%s", f"{base}..{pr}").splitlines()
    assert [one.partition(":")[0] for one in subjects] == ["foreign-key", "demodulize"]
    lines = git(repository, "diff", "--numstat", base, pr).splitlines()
    changed = {path: int(gone) for _, gone, path in map(str.split, lines)}
    # Nothing of what was there is gone: neither a test nor a line of code.
    assert changed == {"docs/index.rst": 0, "inflection/__init__.py": 0, "test_inflection.py": 0}


def own_suite(repository, revision, folder):
    """The package's own suite, run as a person would; its last line."""
    git(repository.parent, "clone", "-q", str(repository), str(folder))
    git(folder, "checkout", "-q", revision)
    done = subprocess.run(
        [TOOLS / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip().splitlines()[-1]


def test_run_adds_two_features_to_a_real_package_and_its_own_suite_stays_green(files, tmp_path):
    git(files, "init", "-q", "-b", "main")
    git(files, "add", "-A")
    git(files, "commit", "-q", "-m", f"{PACKAGE} {VERSION}")
    request = tmp_path / "request.md"
    request.write_text(REQUEST)
    with model(PLANNER, FEATURES) as (url, _):
        code, result, said = run(files, url, "--request", request)
    assert code == 0, said
    assert result["success"]
    assert (result["features_completed"], result["features_total"]) == (2, 2)
    assert (result["sessions_used"], result["errors_recovered"]) == (2, 1)
    loop = "run-two-functions-of-rails-inflector"
    branches = f"autonomous-loop/{loop}"
    hold(files, journal_events(files, loop), "main", branches)
    assert own_suite(files, f"origin/{branches}/pr", tmp_path / "clone").startswith(f"{WHOLE} passed")


def test_an_issue_adds_them_too_and_the_proofs_in_the_pull_request_can_be_replayed(files, tmp_path):
    before = Counter(LEDGER.operations)
    with (
        model(PLANNER, FEATURES) as (url, log),
        github_world(tmp_path / "github", url, repo="jpvanhal/inflection", files=files, log=log) as world,
    ):
        issue = world.issue(REQUEST)
        world.label(issue.number)
        world.settle()
        runs = world.runs()
        assert [run.conclusion for run in runs] == ["success", "success"], "\n".join(map(world.said, runs))
        first, second = runs
        assert (first.event, first.caused_by) == ("issues", None)
        assert (second.event, second.caused_by, second.actor) == ("workflow_dispatch", first.id, BOT)
        branches = f"autonomous-loop/issue-{issue.number}"
        hold(world.folder, journal_events(world.folder, f"issue-{issue.number}"), "main", branches)

        pull = world.pull()
        assert not pull.draft
        assert (pull.head_ref, pull.base_ref) == (f"{branches}/pr", "main")
        assert pull.head_sha == world.branches()[f"{branches}/checkpoint/2"]
        assert world.labels(issue.number) == {LABEL, f"{LABEL}: ready"}
        body = pull.issue.body
        assert f"Closes #{issue.number}" in body
        assert "2 of 2 features proved" in body
        for new, suite in ((OF_DEMODULIZE, OWN_TESTS + OF_DEMODULIZE), (OF_FOREIGN_KEY, WHOLE)):
            assert f"red **{new} failed** → green **{new} passed** · suite {suite} passed" in body
        replayed = replay(body, world.folder, tmp_path / "replay")
        assert [re.sub(r" in .*", "", line) for line in replayed] == [
            "461 passed", "6 failed, 455 passed", "466 passed", "5 failed, 461 passed",
        ]  # fmt: skip
        dispatch = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"
        assert (LEDGER.operations - before)[dispatch] == 1


def replay(body, repository, folder):
    """Run the shell lines of the pull request's text; pytest's last lines."""
    lines = re.search(r"```sh\n(.*?)```", body, re.DOTALL).group(1)
    git(repository, "clone", "-q", str(repository), str(folder))
    done = subprocess.run(
        ["bash", "-c", lines], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": f"{TOOLS}/bin:/usr/bin:/bin", "HOME": str(folder.parent)},
    )  # fmt: skip
    return [
        line.strip("= ") for line in done.stdout.splitlines() if re.match(r"=+ .*(passed|failed).* =+$", line)
    ]
