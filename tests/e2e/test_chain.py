"""The demo itself: eight wishes for the guestbook, from the label to a pull request ready for review."""

import hashlib
import re
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace

import psutil
import pytest

from autonomous_loop.commands.demo import REPOSITORY, Demo
from autonomous_loop.domain.proof import Proof
from contract.hold import LEDGER
from e2e.github_world import BOT, LABEL, WORKFLOW, github_world
from loop_world import journal_events

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(900)]
LOOP = "issue-1"
BRANCHES = f"autonomous-loop/{LOOP}"
WISHES = {
    "message-limit", "split-page", "newest-first", "paging", "search", "json-feed", "likes", "handbook",
}  # fmt: skip
COST = re.compile(
    r"\| (?P<sessions>\d+) of 10 \| (?P<counted>[\d,]+) \(\+ (?P<cached>[\d,]+) read from cache\)"
    r" \| \$(?P<usd>[\d.]+) of \$5\.00 \| (?P<minutes>\d+) \| (?P<recovered>\d+) \|"
)
OPERATIONS = {
    "GET /repos/{owner}/{repo}",
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    "GET /repos/{owner}/{repo}/issues/{issue_number}/events",
    "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
    "POST /repos/{owner}/{repo}/pulls",
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
}


def is_session(process):
    return process.cmdline()[-3:] == ["-m", "autonomous_loop", "session"]


@contextmanager
def sessions_seen():
    """The processes of sessions below this one, while the block runs: their ids and start times."""
    found, over = set(), threading.Event()

    def look():
        while not over.wait(0.1):
            for process in psutil.Process().children(recursive=True):
                try:
                    # What a session starts looks like it until it becomes what it shall be.
                    if is_session(process) and not is_session(psutil.Process(process.ppid())):
                        found.add((process.pid, process.create_time()))
                except psutil.Error:
                    continue

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield found
    finally:
        over.set()
        watch.join()


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The demo, played once; then its folder opened again, as a person would look at the result."""
    folder = tmp_path_factory.mktemp("chain") / "demo"
    # Measured where a process is as fresh, and as much watched over by coverage, as the sessions are.
    measure = [
        sys.executable,
        "-I",
        "-c",
        "from autonomous_loop.commands.demo import slowness; print(slowness())",
    ]
    measured = float(subprocess.run(measure, check=True, capture_output=True, text=True).stdout)
    # Room enough that whatever ends a session is what the script has for it, on a quick machine, too.
    room = max(1.5, measured)
    demo = Demo(folder=folder, serve=False, live=False, port=0, as_json=False, slowness=room)
    before = Counter(LEDGER.operations)
    with sessions_seen() as processes:
        code = demo.play()
    done = LEDGER.operations - before
    with github_world(folder, "", repo=REPOSITORY) as world:
        yield SimpleNamespace(
            code=code,
            world=world,
            processes=processes,
            operations=done,
            events=journal_events(world.folder, LOOP),
            body=world.pull().issue.body,
        )


def events_of(played, kind):
    return [one["event"] for one in played.events if one["event"]["type"] == kind]


def test_every_feature_is_proved_in_at_least_four_sessions(played):
    assert played.code == 0
    proofs = [one["proof"]["feature_id"] for one in events_of(played, "kept")]
    assert len(proofs) == len(WISHES)
    assert set(proofs) == WISHES
    ended = [one["reason"] for one in events_of(played, "ended")]
    assert len(ended) >= 4
    assert "time" in ended
    assert set(ended[:-1]) <= {"time", "context"}
    assert ended[-1] == "complete"
    assert [one["accepted"] for one in events_of(played, "clean-room")] == [True]


def test_each_session_is_a_process_and_a_run_of_its_own_that_the_one_before_dispatched(played):
    runs = played.world.runs()
    claimed = events_of(played, "claimed")
    assert len(runs) == len(claimed) == len(played.processes) >= 4
    assert {run.conclusion for run in runs} == {"success"}
    assert {run.path for run in runs} == {WORKFLOW}
    assert [int(one["claimant"]["run_id"]) for one in claimed] == [run.id for run in runs]
    assert [one["session"] for one in claimed] == list(range(1, len(runs) + 1))
    assert (runs[0].event, runs[0].actor, runs[0].caused_by) == ("issues", "octo", None)
    for number, (before, run) in enumerate(pairwise(runs), start=2):
        assert (run.event, run.actor, run.caused_by) == ("workflow_dispatch", BOT, before.id)
        assert (run.inputs["loop"], run.inputs["generation"]) == (LOOP, str(number))
        # The pin is where the session before left the journal.
        subject = played.world.git("log", "-1", "--format=%s", run.inputs["pin"])
        assert subject.startswith(f"session {number - 1}:")
        assert "ended" in subject


def test_the_journal_the_handoff_and_the_pull_request_agree_on_all_counts(played):
    world = played.world
    spent = [one["spending"] for kind in ("spent", "attempt-ended") for one in events_of(played, kind)]
    tokens = {kind: sum(one["tokens"][kind] for one in spent) for kind in spent[0]["tokens"]}
    usd = sum(one["usd"] for one in spent)
    minutes = sum(one["minutes"] for one in events_of(played, "ended"))
    recovered = sum(
        one["recovered"] for kind in ("spent", "attempt-ended") for one in events_of(played, kind)
    )
    sessions = len(events_of(played, "claimed"))
    assert recovered >= 3  # at least: a refusal mended, an attempt rolled back, an answer cut off

    comment, document = world.sticky(world.pull().number)
    handoff = document["handoff"]
    assert (handoff["repository"], handoff["loop"], handoff["generation"]) == (REPOSITORY, LOOP, sessions)
    assert (handoff["features_passing"], handoff["features_total"]) == (8, 8)
    assert handoff["reason"] == "complete"
    assert handoff["spending"]["tokens"] == tokens
    assert handoff["spending"]["usd"] == pytest.approx(usd)
    assert handoff["spending"]["minutes"] == pytest.approx(minutes)
    assert document["mac"]
    assert handoff["state"] == world.branches()[f"{BRANCHES}/state"]
    assert handoff["checkpoint"] == world.branches()[f"{BRANCHES}/pr"]

    counted = tokens["input"] + tokens["output"] + tokens["cache_write"]
    shown = {
        "sessions": str(sessions), "counted": f"{counted:,}", "cached": f"{tokens['cache_read']:,}",
        "usd": f"{usd:.2f}", "minutes": f"{minutes:.0f}", "recovered": str(recovered),
    }  # fmt: skip
    for text in (comment.body, played.body):
        assert COST.search(text).groupdict() == shown
        assert "8 of 8 features proved" in text
    ticked = re.findall(r"^- \[x\] \*\*(\S+)\*\*", played.body, re.MULTILINE)
    assert set(ticked) == WISHES
    assert "- [ ]" not in played.body
    for event in events_of(played, "kept"):
        proof = event["proof"]
        stored = world.git("show", f"{BRANCHES}/state:proofs/{proof['feature_id']}.json")
        assert Proof.model_validate_json(stored).brief == Proof.model_validate(proof)
        assert f"/commit/{proof['after']}" in played.body


def test_the_last_checkpoint_has_one_commit_a_feature_and_nothing_of_the_loops_own(played):
    world = played.world
    branches = world.branches()
    last = max(
        (one for one in branches if "/checkpoint/" in one), key=lambda one: int(one.rpartition("/")[2])
    )
    assert last == f"{BRANCHES}/checkpoint/{len(world.runs())}"
    kept = [one["proof"] for one in events_of(played, "kept")]
    commits = world.git("rev-list", "--reverse", f"main..{last}").split()
    assert commits == [proof["after"] for proof in kept]
    subjects = world.git("log", "--reverse", "--format=%s", f"main..{last}").splitlines()
    assert [one.partition(":")[0] for one in subjects] == [proof["feature_id"] for proof in kept]
    for commit in commits:
        paths = world.git("show", "--name-only", "--format=", commit).split()
        assert paths
        assert all(path.startswith(("guestbook/", "tests/")) or path == "README.md" for path in paths), paths
    assert branches[f"{BRANCHES}/pr"] == branches[last]


def test_the_pull_request_is_ready_and_labelled_and_closes_the_issue(played):
    pull = played.world.pull()
    assert not pull.draft
    assert (pull.issue.state, pull.issue.author) == ("open", BOT)
    assert (pull.head_ref, pull.base_ref) == (f"{BRANCHES}/pr", "main")
    assert pull.head_sha == played.world.branches()[f"{BRANCHES}/pr"]
    assert played.world.labels(1) == {LABEL, f"{LABEL}: ready"}
    assert "Closes #1" in played.body
    comments = played.world.github.store.comments.list(REPOSITORY, pull.number)
    assert [("handoff" in one.body, "Ready for review" in one.body) for one in comments] == [
        (True, False), (False, True),
    ]  # fmt: skip


def test_the_pages_show_it_and_the_screenshots_are_what_the_proofs_name(played):
    world = played.world
    number = world.pull().number
    for path in (
        "",
        "/issues/1",
        "/actions",
        f"/pull/{number}",
        f"/pull/{number}/commits",
        f"/pull/{number}/files",
    ):
        assert world.fetch(f"/{REPOSITORY}{path}")[0] == 200, path
    for run in world.runs():
        assert world.fetch(f"/{REPOSITORY}/actions/runs/{run.id}")[0] == 200
    # By its path: it was written when the embedded GitHub had another port.
    linked = set(re.findall(r"\]\(http://127\.0\.0\.1:\d+(/[^)\s]+)\)", played.body))
    assert len(linked) > len(WISHES)
    assert {path for path in linked if world.fetch(path)[0] != 200} == set()
    named = {
        (one["proof"]["feature_id"], evidence["name"]): evidence["sha256"]
        for one in events_of(played, "kept") for evidence in one["proof"]["evidence"]
    }  # fmt: skip
    assert {feature for feature, _ in named} == {"search", "likes"}
    pictures = set(
        re.findall(r"\]\(http://127\.0\.0\.1:\d+(/\S+?/evidence/([^/]+)/([^/?]+)\?raw=true)\)", played.body)
    )
    assert {(feature, name) for _, feature, name in pictures} == set(named)
    for address, feature, name in pictures:
        status, data = world.fetch(address)
        assert status == 200
        assert data.startswith(b"\x89PNG")
        assert hashlib.sha256(data).hexdigest() == named[feature, name]


def test_what_github_describes_is_what_the_chain_does(played):
    """Each request and answer was held to the description as it was made (tests/conftest.py)."""
    assert set(played.operations) >= OPERATIONS
    dispatched = played.operations["POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches"]
    assert dispatched == len(played.world.runs()) - 1
