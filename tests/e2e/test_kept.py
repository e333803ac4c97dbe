"""What is kept of a loop that ended: a bundle of its journal, which proves it where no branch is left."""

import hashlib
import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from autonomous_loop.ci.cleanup import Cleanup
from autonomous_loop.ci.job import Job
from autonomous_loop.github.action import read_facts
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import configuration
from e2e.numbers_world import LOOP, REPO, events_of
from e2e.queue_world import world_of
from embedded_github.forge.models import Actor
from loop_world import KEY, command, environment

pytestmark = [pytest.mark.e2e, pytest.mark.root]


class FolderStore:
    """Keeps bundles in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def upload(self, name, files):
        self.folder.mkdir(exist_ok=True)
        for file, data in files.items():
            (self.folder / file).write_bytes(data)
        return SimpleNamespace(id=41)


@contextmanager
def cleanup_of(world, tmp_path, *, bundles, days=0.0, keys=(KEY,)):
    """The clean-up as a job of the schedule has it, some days later."""
    token = world.github.store.create_token("octo")
    variables = {
        "GITHUB_REPOSITORY": REPO, "GITHUB_RUN_ID": "999", "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_API_URL": f"{world.github.url}/api/v3", "GITHUB_SERVER_URL": world.github.url,
    }  # fmt: skip
    runtime = replace(RuntimeEnvironment.from_environment({"PATH": os.environ["PATH"]}), token=token)
    with TemporaryDirectory(dir=tmp_path) as home:
        job = Job.connect(read_facts(variables, {}), runtime, Path(home))
        try:
            config = configuration(job.git, job.default_head())
            later = datetime.now(UTC) + timedelta(days=days)
            yield Cleanup(job, config, key_materials=keys, bundles=bundles, now=lambda: later)
        finally:
            job.git.close()


def test_the_journal_is_kept_as_a_bundle_that_audit_proves_and_the_branches_go_after_keep_days(tmp_path):
    store = FolderStore(tmp_path / "kept")
    with world_of(tmp_path) as world:
        world.label(1)
        world.settle()
        world.github.player.set_enabled(REPO, "autonomous-loop.yml", enabled=False)
        with cleanup_of(world, tmp_path, bundles=store, days=99) as cleanup:
            assert cleanup.sweep() == []  # nothing was closed
        world.github.store.pulls.merge(REPO, world.pull().number, Actor("octo"))
        before = world.branches()
        # With a key that is not the journal's nothing is written, nor anything deleted.
        with cleanup_of(world, tmp_path, bundles=store, keys=("another-key",)) as cleanup:
            assert "another key" in cleanup.sweep()[0]
        assert world.branches() == before

        with cleanup_of(world, tmp_path, bundles=store, days=13.9) as cleanup:
            assert "kept as the artifact issue-1-journal" in cleanup.sweep()[0]
            assert cleanup.sweep() == []
        (closed,) = events_of(world, "closed")
        bundle = store.folder / "issue-1.bundle"
        digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
        assert closed["bundle"] == {
            "run_id": 999, "artifact_id": 41, "name": "issue-1-journal", "sha256": digest,
        }  # fmt: skip
        assert f"autonomous-loop/{LOOP}/state" in world.branches()

        with cleanup_of(world, tmp_path, bundles=store, days=14.1) as cleanup:
            assert "branches were deleted" in cleanup.sweep()[0]
            assert cleanup.sweep() == []
        assert set(world.branches()) == {"main"}

    # Nothing but the file is needed.
    done = subprocess.run(
        command("audit", bundle, "--json"), env=environment(""), cwd=tmp_path,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["loop"] == LOOP


def test_what_is_not_kept_as_a_bundle_is_never_deleted(tmp_path):
    with world_of(tmp_path) as world:
        world.label(1)
        world.settle()
        # No job of the repository hears of it: it would keep the bundle as an artifact of its run.
        world.github.player.set_enabled(REPO, "autonomous-loop.yml", enabled=False)
        world.github.store.pulls.merge(REPO, world.pull().number, Actor("octo"))
        world.settle()
        before = world.branches().keys()
        with cleanup_of(world, tmp_path, bundles=None, days=99) as cleanup:
            ended, stayed = cleanup.sweep()
            assert "not kept" in ended
            assert "its branches stay" in stayed
        assert world.branches().keys() == before


def test_a_file_that_is_no_bundle_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "artifact.zip").write_bytes(b"PK\x03\x04")
    done = subprocess.run(
        command("audit", tmp_path / "artifact.zip"), env=environment(""),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "no git bundle" in done.stderr
    assert "unzip" in done.stderr
