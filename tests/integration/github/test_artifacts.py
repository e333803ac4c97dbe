"""Artifacts from inside a job, on the embedded GitHub's own service and REST."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from autonomous_loop.errors import ConfigurationError, ForgeError
from autonomous_loop.github.artifacts import UnansweredError
from integration.github.artifact_world import PATH, REPO, Jobs

FILES = {"report.md": b"# It went well\n", "deep/er/data.bin": bytes(range(256))}
SERVICE = "/twirp/github.actions.results.api.v1.ArtifactService"


@pytest.fixture
def jobs(world):
    made = Jobs(world)
    yield made
    made.close()


def test_what_a_job_uploads_is_found_by_its_run_and_read_with_its_digest_checked(jobs):
    run = jobs.run()
    made = run.client.upload("evidence", FILES)
    found = run.client.find(run.id, "evidence")
    assert (found.id, found.digest, found.size, found.run_id) == (made.id, made.digest, made.size, run.id)
    assert run.client.download(found) == FILES


def test_a_strangers_artifact_of_the_same_name_in_another_run_is_never_taken(jobs):
    ours, stranger = jobs.run(), jobs.run()
    stranger.client.upload("handoff", {"handoff.json": b"a stranger's"})
    assert ours.client.find(ours.id, "handoff") is None
    ours.client.upload("handoff", {"handoff.json": b"ours"})
    assert jobs.run().client.download(ours.client.find(ours.id, "handoff")) == {"handoff.json": b"ours"}


def test_a_run_of_another_workflow_or_repository_or_of_none_is_not_read(jobs, world):
    run = jobs.run()
    run.client.upload("handoff", FILES)
    for path in (".github/workflows/other.yml", ""):
        assert jobs.client(replace(run.facts, workflow_path=path)).find(run.id, "handoff") is None
    assert jobs.client(run.facts).find(999, "handoff") is None
    world.store.create_repository("octo/other")
    token = world.store.create_token("octo")
    other = jobs.client(replace(run.facts, repository="octo/other"), token)
    assert other.find(run.id, "handoff") is None
    assert jobs.client(replace(run.facts, workflow_path=PATH)).find(run.id, "handoff") is not None


def test_names_are_immutable_in_a_run_and_the_same_files_again_are_found(jobs):
    run = jobs.run()
    first = run.client.upload("evidence", FILES)
    assert run.client.upload("evidence", FILES) == first
    again = jobs.run(of=run.id, attempt=2)
    assert again.client.upload("evidence", FILES) == first
    with pytest.raises(ForgeError, match="not overwritten"):
        again.client.upload("evidence", {"report.md": b"other"})


@pytest.mark.parametrize("ending", ["/CreateArtifact", "/FinalizeArtifact"])
@pytest.mark.parametrize("fault", ["lost", "down"])
def test_answers_that_are_lost_are_asked_for_again(jobs, world, ending, fault):
    run = jobs.run()
    world.faults.times(2, "POST", ending, fault)
    made = run.client.upload("evidence", FILES)
    assert run.client.download(run.client.find(run.id, "evidence")) == FILES
    assert [one.id for one in world.player.artifacts.of_run(run.id)] == [made.id]


def test_a_zip_whose_answer_is_lost_is_put_again(jobs, world):
    run = jobs.run()
    world.faults.plan = _first("PUT", "lost")
    run.client.upload("evidence", FILES)
    assert run.client.download(run.client.find(run.id, "evidence")) == FILES


def _first(method, fault):
    left = [fault]
    return lambda asked, path: left.pop() if asked == method and left else None


def test_a_service_that_stays_down_is_an_error_that_shows_neither_token_nor_address(jobs, world, caplog):
    caplog.set_level(0)
    run = jobs.run()
    for method, path in (("POST", "CreateArtifact"), ("PUT", "/_actions/artifacts/1")):
        world.faults.plan = lambda asked, there, m=method, p=path: (
            "down" if asked == m and there.endswith(p) else None
        )
        with pytest.raises(UnansweredError) as caught:
            run.client.upload("evidence", FILES)
        said = f"{caught.value}{caught.value!r}{caught.value.__context__!r}"
        assert "HTTP 502" in said
        assert "sig=" not in said
        assert run.facts.runtime_token not in said
    # httpx2 logs the addresses it asks; a signed one must not stand in a log.
    world.faults.plan = lambda asked, there: None
    run.client.download(run.client.find(run.id, run.client.upload("evidence", FILES).name))
    assert "sig=***" in caplog.text
    assert not re.search("sig=[^*]", caplog.text)
    assert run.facts.runtime_token not in caplog.text + repr(run.facts)


def test_a_blob_store_that_is_shown_a_token_refuses_and_ours_is_not(jobs):
    run = jobs.run()
    run.client.upload("evidence", FILES)
    found = run.client.find(run.id, "evidence")
    assert run.client.download(found) == FILES
    # The same without our care: urllib takes the token along.
    request = urllib.request.Request(found.url)
    request.add_header("Authorization", f"Bearer {jobs.token}")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        assert (answer.code, b"InvalidAuthenticationInfo" in answer.read()) == (400, True)


def test_a_zip_that_is_not_the_digests_or_too_large_is_refused(jobs, world):
    run = jobs.run()
    made = run.client.upload("evidence", FILES)
    found = run.client.find(run.id, "evidence")
    with pytest.raises(ForgeError, match="GitHub sent more than 100 bytes"):
        run.client.download(found, most_bytes=100)
    with pytest.raises(ForgeError, match="digest"):
        run.client.download(replace(found, digest=""))
    file = world.player.artifacts.file(made.id)
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ForgeError, match="digest"):
        run.client.download(found)


def test_a_job_without_the_service_is_told_what_to_do(jobs):
    run = jobs.run()
    for without in (
        {"results_url": ""},
        {"runtime_token": ""},
        {"runtime_token": "a.b.c"},
        {"results_url": "x"},
    ):
        with pytest.raises(ConfigurationError, match="cannot keep artifacts") as caught:
            jobs.client(replace(run.facts, **without)).upload("evidence", FILES)
        assert "handoff-store" in caught.value.hint


# --- the service itself is as strict as the real one


def ask(world, token, method, body):
    request = urllib.request.Request(
        f"{world.url}{SERVICE}/{method}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def put(url, data, **headers):
    request = urllib.request.Request(url, data=data, method="PUT", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def desk(jobs, world):
    """Asks the service by hand, as a job does: method, fields, what to change."""
    run = jobs.run()
    scope = world.player.artifacts.scope_of(run.facts.runtime_token)
    ids = {"workflowRunBackendId": scope.run_backend, "workflow_job_run_backend_id": scope.job_backend}

    def asked(method, token=run.facts.runtime_token, **fields):
        return ask(world, token, method, {**ids, **fields})

    return asked


def test_the_service_refuses_what_it_does_not_know(desk, jobs, world):
    good = {"name": "a", "version": 7}
    assert desk("CreateArtifact", **good)[0] == 200
    for bad in (
        {"extra": 1}, {"version": 4}, {"name": "a/b"}, {"name": 'a"b'}, {"name": ""}, {"name": 3},
        {"version": "7"},
    ):  # fmt: skip
        assert desk("CreateArtifact", **{**good, **bad})[0] == 400, bad
    assert desk("CreateArtifact", token="nobody's", **good)[0] == 401
    assert desk("CreateArtifact", token=jobs.run().facts.runtime_token, **good)[0] == 403
    assert desk("DeleteEverything")[0] == 404


def test_blocks_become_one_zip_and_size_and_hash_are_checked(desk, world):
    url = desk("CreateArtifact", name="a", version=7)[1]["signed_upload_url"]
    assert put(url, b"12") == 400  # no x-ms-blob-type
    assert put(url.replace("sig=", "sig=0"), b"12", **{"x-ms-blob-type": "BlockBlob"}) == 403
    assert put(f"{url}&comp=block&blockid=MDE=", b"123") == 201
    assert put(f"{url}&comp=block&blockid=MDI=", b"456") == 201
    assert put(f"{url}&comp=block&blockid=-", b"456") == 400
    missing = b"<BlockList><Latest>MDM=</Latest></BlockList>"
    assert put(f"{url}&comp=blocklist", missing) == 400
    assert put(f"{url}&comp=blocklist", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>') == 400
    listed = b"<BlockList><Latest>MDI=</Latest><Latest>MDE=</Latest></BlockList>"
    assert put(f"{url}&comp=blocklist", listed) == 201
    assert desk("FinalizeArtifact", name="a", size="5")[0] == 400
    assert desk("FinalizeArtifact", name="a", size="6", hash="sha256:" + "0" * 64)[0] == 400
    status, done = desk("FinalizeArtifact", name="a", size=6)
    assert (status, world.player.artifacts.file(int(done["artifact_id"])).read_bytes()) == (200, b"456123")
    assert put(url, b"12", **{"x-ms-blob-type": "BlockBlob"}) == 409  # finished is finished
    assert desk("CreateArtifact", name="a", version=7)[0] == 409
    assert desk("FinalizeArtifact", name="b", size="1")[0] == 404
    assert [one["name"] for one in desk("ListArtifacts")[1]["artifacts"]] == ["a"]
    assert desk("ListArtifacts", name_filter="b")[1]["artifacts"] == []
    signed = desk("GetSignedArtifactURL", name="a")[1]["signed_url"]
    with urllib.request.urlopen(signed) as answer:
        assert answer.read() == b"456123"


def test_rest_lists_shows_and_deletes_artifacts_as_github_describes_it(jobs, world):
    run = jobs.run()
    made = [run.client.upload(name, FILES) for name in ("one", "two", "three")]

    def rest(path, method="GET"):
        request = urllib.request.Request(
            f"{world.url}/api/v3/repos/{REPO}/actions{path}",
            method=method,
            headers={"Authorization": f"Bearer {jobs.token}"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return json.loads(text) if text else answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    listed = rest(f"/runs/{run.id}/artifacts?per_page=2")
    assert (listed["total_count"], [one["name"] for one in listed["artifacts"]]) == (3, ["three", "two"])
    assert rest("/artifacts?name=one")["artifacts"][0]["workflow_run"]["id"] == run.id
    assert rest(f"/artifacts/{made[0].id}")["digest"] == made[0].digest
    assert rest(f"/artifacts/{made[0].id}", "DELETE") == 204
    assert rest(f"/artifacts/{made[0].id}") == 404
    assert rest(f"/artifacts/{made[1].id}/tar") == 404
