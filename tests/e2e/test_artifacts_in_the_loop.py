"""A whole loop whose handoff lies in artifacts, and what each of its sessions leaves as evidence."""

import io
import json
import re
import zipfile

import pytest

from e2e.github_world import github_world
from loop_world import KEY, bash, honest, journal_events, listed, make_project, model, plan

pytestmark = [pytest.mark.e2e, pytest.mark.root]
REPO, LOOP = "octo/numbers", "issue-1"
CONFIG = 'handoff-store = "artifact"\nupload-transcripts = "{}"\nsession-features = 1\n'
TWO = plan(listed("two", priority=1), listed("three", priority=2, depends_on=["two"]))


def play(tmp_path, transcripts, check, more=""):
    # The model itself says the key aloud: what is kept of it must not.
    loud = [{"tools": [bash(f"echo it is {KEY} > /dev/null")]}]
    features = {"two": [honest("two", 2, before=loud)], "three": [honest("three", 3)]}
    files = make_project(tmp_path / "project", config=CONFIG.format(transcripts) + more)
    with (
        model(TWO, features) as (url, log),
        github_world(tmp_path / "github", url, repo=REPO, files=files, log=log) as world,
    ):
        world.issue("# Two numbers\n\nI want two() and three().")
        world.label(1)
        world.settle()
        check(world)


def unzipped(world, artifact):
    data = world.github.player.artifacts.file(artifact.id).read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def of_run(world, run, kind):
    (found,) = [one for one in world.github.player.artifacts.of_run(run.id) if f"-{kind}-" in one.name]
    return found


def test_each_session_finds_the_handoff_of_the_run_before_and_leaves_its_evidence(tmp_path):
    def check(world):
        runs = world.runs()
        said = "\n".join(map(world.said, runs))
        events = journal_events(world.folder, LOOP)
        ended = [one["event"] for one in events if one["event"]["type"] == "ended"]
        assert [one["reason"] for one in ended] == ["session-done", "complete"], said
        # Nothing was missing: a session that finds no handoff says so.
        assert not any("handoff was missing" in one["note"] for one in ended)
        for number, run in enumerate(runs, start=1):
            document = json.loads(unzipped(world, of_run(world, run, "handoff"))["handoff.json"])
            assert (document["handoff"]["generation"], document["handoff"]["run_id"]) == (number, str(run.id))
            assert document["mac"]
        # The comment shows where it stands, and carries nothing.
        bodies = [
            one.body
            for number in (1, world.pull().number)
            for one in world.github.store.comments.list(REPO, number)
        ]
        assert any("features proved" in body for body in bodies)
        assert not any(re.search(r":handoff\s+[A-Za-z0-9+/=]{20}", body) for body in bodies)

        first = unzipped(world, of_run(world, runs[0], "session-1"))
        assert {"report.md", "handoff.json", "proofs/two.json"} <= set(first)
        said_with_model = [data for name, data in first.items() if name.startswith("transcripts/")]
        assert len(said_with_model) == 2  # the planner's and the one on `two`
        assert b"it is ***" in b"".join(said_with_model)
        second = unzipped(world, of_run(world, runs[1], "session-2"))
        assert "proofs/three.json" in second
        assert "proofs/two.json" not in second
        for data in (*first.values(), *second.values(), said.encode()):
            assert KEY.encode() not in data
            assert b"sig=" not in data
        # Linked from the run's page, where a person gets the zip.
        evidence = of_run(world, runs[0], "session-1")
        address = f"/{REPO}/actions/runs/{runs[0].id}/artifacts/{evidence.id}"
        assert f"{address})" in world.said(runs[0])
        assert address in world.fetch(f"/{REPO}/actions/runs/{runs[0].id}")[1].decode()
        assert world.fetch(address)[1].startswith(b"PK")
        assert world.fetch(address.replace(f"runs/{runs[0].id}", f"runs/{runs[1].id}"))[0] == 404

    play(tmp_path, "always", check)


def test_a_public_repositorys_transcripts_stay_here_and_a_lost_handoff_is_rebuilt(tmp_path):
    def check(world):
        (run,) = world.runs()
        assert not [name for name in unzipped(world, of_run(world, run, "session-1")) if "transcript" in name]
        handoff = of_run(world, run, "handoff")
        world.github.player.artifacts.file(handoff.id).write_bytes(b"PK damaged")
        world.comment(1, "/loop continue")
        world.settle()
        events = [one["event"] for one in journal_events(world.folder, LOOP)]
        ended = [one for one in events if one["type"] == "ended"]
        assert ended[-1]["reason"] == "complete", world.said(world.runs()[-1])
        assert "everything was rebuilt from the journal" in ended[-1]["note"]

    play(tmp_path, "private", check, more='continuation = "manual"\n')
