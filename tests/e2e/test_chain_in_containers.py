"""The chain as GitHub plays it: act, the committed workflow, a fresh container of the image for every job."""

import json
import re
import shutil
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace

import pytest

from e2e.act_runner import ActRunner
from e2e.github_world import BOT, LABEL, ROOT, WORKFLOW, github_world
from embedded_github.server import LocalServer
from loop_world import KEY, journal_events
from scripted_model.log import RequestLog
from scripted_model.script import load_script
from scripted_model.server import create_app
from waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.container, pytest.mark.root, pytest.mark.timeout(1200)]
REPOSITORY = "octo/guestbook"
LOOP = "issue-1"
# Built by act for each job from the committed Dockerfile.
ACTS_IMAGE = "act-autonomous-loop-autonomous-loop-v1-dockeraction:latest"
# Three of the eight wishes, in this order, by what the script's last attempt at each says: one
# that is plain, one that writes the program anew, and one that builds on it and has browser tests.
WISHES = ("message-limit", "paging", "search")
# A session keeps one feature, so that there is a chain.
CONFIGURATION = "session-features = 1\nmax-usd = 5.0\n"


def short_script():
    """The sample project's script, cut down to the wishes."""
    script = load_script(ROOT / "examples" / "guestbook")
    listed = script.planner[0].turns[-1].tools[0].input["features"]
    for feature in listed:
        feature["depends_on"] = [one for one in feature["depends_on"] if one in WISHES]
    listed[:] = [feature for feature in listed if feature["id"] in WISHES]
    return script.model_copy(update={"features": {one: script.features[one][-1:] for one in WISHES}})


@pytest.fixture(scope="module")
def played(engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("containers")
    files = folder / "files"
    shutil.copytree(
        ROOT / "examples" / "guestbook" / "repository", files,
        ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"),
    )  # fmt: skip
    (files / ".github").mkdir()
    (files / ".github" / "autonomous-loop.toml").write_text(CONFIGURATION)
    log = RequestLog(bodies=True)
    with (
        watched(engine, folder / "containers") as containers,
        LocalServer(create_app(short_script(), api_keys=frozenset({KEY}), log=log)) as model,
    ):
        runner = ActRunner(
            engine=engine.address,
            repositories=folder / "github" / "forge" / "repos",
            actions={"autonomous-loop/autonomous-loop@v1": engine.action},
            secrets={"ANTHROPIC_API_KEY": KEY},
            env={"ANTHROPIC_BASE_URL": model.url},
        )
        with github_world(
            folder / "github", model.url, repo=REPOSITORY, files=files, log=log, runner=runner
        ) as world:
            issue = world.issue((ROOT / "examples" / "guestbook" / "issue.md").read_text())
            world.label(issue.number)
            world.settle(900)
            said = "\n".join(world.said(run) for run in world.runs())
            # What the engine tells comes a moment later.
            wait_for(lambda: ids(containers(), "create") <= ids(containers(), "destroy"))
            yield SimpleNamespace(
                world=world, said=said, events=journal_events(world.folder, LOOP), log=log,
                containers=containers(), left=engine.docker("ps", "-aq").stdout,
                stages=2 if "post-entrypoint" in (ROOT / "action.yml").read_text() else 1,
            )  # fmt: skip


@contextmanager
def watched(engine, file):
    """What the engine does with containers meanwhile: afterwards it remembers the last few alone."""
    with file.open("w") as out:
        watch = engine.start(
            "events", "--filter", "type=container", "--filter", "event=create", "--filter", "event=destroy",
            "--format", "{{json .}}", stdout=out,
        )  # fmt: skip
    try:
        yield lambda: [json.loads(line) for line in file.read_text().splitlines()]
    finally:
        watch.terminate()
        watch.wait(10)


def ids(containers, action):
    return {one["id"] for one in containers if one["Action"] == action}


def events_of(played, kind):
    return [one["event"] for one in played.events if one["event"]["type"] == kind]


def test_the_pull_request_is_ready_after_at_least_three_jobs(played):
    pull = played.world.pull()
    assert not pull.draft, played.said
    assert played.world.labels(1) == {LABEL, f"{LABEL}: ready"}
    assert [one["proof"]["feature_id"] for one in events_of(played, "kept")] == list(WISHES)
    assert len(played.world.runs()) >= 3


def test_the_workflow_that_was_played_is_the_one_people_copy(played):
    assert played.world.git("show", f"main:{WORKFLOW}") == (ROOT / WORKFLOW).read_text().strip()


def test_each_job_is_dispatched_by_the_one_before(played):
    runs = played.world.runs()
    assert {run.conclusion for run in runs} == {"success"}, played.said
    assert [int(one["claimant"]["run_id"]) for one in events_of(played, "claimed")] == [
        run.id for run in runs
    ]
    assert (runs[0].event, runs[0].caused_by) == ("issues", None)
    for number, (before, run) in enumerate(pairwise(runs), start=2):
        assert (run.event, run.actor, run.caused_by) == ("workflow_dispatch", BOT, before.id)
        assert (run.inputs["loop"], run.inputs["generation"]) == (LOOP, str(number))


def test_each_job_has_a_fresh_container_of_the_committed_image_and_leaves_none(played):
    made = [one for one in played.containers if one["Action"] == "create"]
    ours = [one["id"] for one in made if one["from"] == ACTS_IMAGE]
    # A main step each; a post step is a container of its own.
    assert len(set(ours)) == len(ours) == len(played.world.runs()) * played.stages
    assert ids(played.containers, "create") <= ids(played.containers, "destroy")
    assert played.left == ""


def test_browser_tests_ran_in_a_container_and_their_pictures_are_evidence(played):
    (search,) = [one["proof"] for one in events_of(played, "kept") if one["proof"]["feature_id"] == "search"]
    assert search["evidence"]
    body = played.world.pull().issue.body
    pictures = re.findall(r"\]\(http://127\.0\.0\.1:\d+(/\S+?/evidence/search/[^?)]+\?raw=true)\)", body)
    assert pictures, body
    for path in pictures:
        status, data = played.world.fetch(path)
        assert (status, data[:4]) == (200, b"\x89PNG")
    # The clean room ran them again.
    assert [one["accepted"] for one in events_of(played, "clean-room")] == [True]


def test_no_key_is_shown(played):
    assert KEY not in played.said
    assert "ANTHROPIC_API_KEY" not in played.world.pull().issue.body
