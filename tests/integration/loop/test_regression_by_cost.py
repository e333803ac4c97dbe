"""The whole suite at the end of a session, or of the loop: cheaper, and what broke is found and named."""

import hashlib
import json

import pytest

from autonomous_loop.verify.execution.bench import TestBench
from git_world import git
from integration.loop.test_faults import LOOP, branch, play, reasons, types
from loop_world import bash, create, honest, journal_events, make_project, model, submit

pytestmark = pytest.mark.root

TEST_TWO = "from app import two\n\n\ndef test_two():\n    assert two() == 2\n"
CODE_TWO = "sed -i 's/return 1/return 7/' app.py\nprintf '\\n\\ndef two():\\n    return 2\\n' >> app.py"
BREAKS = {
    "turns": [
        {"tools": [create("tests/test_two.py", TEST_TWO)]},
        {"tools": [bash(CODE_TWO)]},
        {"tools": [submit("two", "tests/test_two.py")]},
    ]
}
MENDS = {
    "turns": [
        {"tools": [bash("sed -i 's/return 7/return 1/' app.py")]},
        {"tools": [submit("two", "tests/test_two.py", "tests/test_one.py")]},
    ]
}


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


def events(project, count, kind):
    found = [one["event"] for one in journal_events(project, LOOP[count])]
    return [one for one in found if one["type"] == kind]


async def test_a_feature_that_broke_the_suite_unseen_loses_its_proof_and_mends_it(project):
    features = {"two": [BREAKS, MENDS], "three": [honest("three", 3)]}
    with model(None, features) as (url, log):
        log.bodies = True
        result = await play(project, url, "two", "three", regression="end")
    assert result.success
    (revoked,) = events(project, 2, "revoked")
    kept = events(project, 2, "kept")
    assert [one["proof"]["feature_id"] for one in kept] == ["two", "three", "two"]
    assert revoked["feature_id"] == "two"
    assert revoked["commit"] == kept[0]["proof"]["after"]
    assert revoked["tests"] == ["tests/test_one.py::test_one"]
    assert "regression" not in kept[0]["proof"]  # it did not run for each feature
    assert [one["accepted"] for one in events(project, 2, "suite")] == [False, True]
    # The next attempt was told, and its red is what it had broken.
    told = json.dumps([one.body for one in log.records])
    assert "attempt 1 (revoked): this feature was proved" in told
    assert kept[2]["proof"]["red"]["failing"] == ["tests/test_one.py::test_one"]
    assert "return 1" in git(project, "show", f"{branch(project, 2, 'pr')}:app.py")
    assert types(project, 2).count("clean-room") == 1


async def test_the_next_session_looks_where_the_one_before_could_not(project):
    features = {"two": [BREAKS, MENDS], "three": [honest("three", 3)]}
    with model(None, features) as (url, _):
        result = await play(project, url, "two", "three", regression="session", session_features=1)
    assert result.success
    assert reasons(project, 2) == ["session-done", "session-done", "complete"]
    kept = [one["proof"]["feature_id"] for one in events(project, 2, "kept")]
    assert kept == ["two", "two", "three"]


async def test_a_feature_that_breaks_the_suite_again_and_again_waits_for_a_person(project):
    again = {
        "turns": [
            {
                "tools": [
                    bash("sed -i 's/return 2/return 4/' app.py; sed -i 's/== 2/== 4/' tests/test_two.py")
                ]
            },
            {"tools": [submit("two", "tests/test_two.py")]},
        ]
    }
    with model(None, {"two": [BREAKS, again]}) as (url, _):
        result = await play(project, url, "two", regression="session", max_attempts=2)
    assert (result.success, result.handoff_reason, result.features_completed) == (False, "blocked", 0)
    assert len(events(project, 1, "revoked")) >= 1
    (blocked,) = events(project, 1, "blocked")
    assert "tests/test_one.py::test_one" in blocked["reason"]


async def test_a_setup_that_worked_before_and_fails_now_is_the_environment_s_fault(project):
    breaks = honest("two", 2, before=[{"tools": [bash("touch broken.txt")]}])
    with model(None, {"two": [breaks], "three": [honest("three", 3)]}) as (url, _):
        result = await play(
            project, url, "two", "three", setup="test ! -f broken.txt", session_features=1, max_sessions=3
        )
    assert reasons(project, 2)[:2] == ["session-done", "environment"]
    assert not result.success


async def test_a_new_session_knows_from_the_proofs_what_passed(project, monkeypatch):
    trees, real = [], TestBench.suite

    async def suite(self, before, tree):
        trees.append(tree)
        return await real(self, before, tree)

    monkeypatch.setattr(TestBench, "suite", suite)
    features = {"two": [honest("two", 2)], "three": [honest("three", 3)]}
    with model(None, features) as (url, _):
        result = await play(project, url, "two", "three", session_features=1)
    assert result.success
    assert result.sessions_used == 2
    # The untouched code twice, each candidate, and the clean room: nothing more.
    assert len(trees) == 5
    assert trees[0] == trees[1]
    assert trees[3] == trees[4]
    for kept in events(project, 2, "kept"):
        name = kept["proof"]["feature_id"]
        file = git(project, "show", f"{branch(project, 2, 'state')}:proofs/{name}.json")
        assert hashlib.sha256(file.encode()).hexdigest() == kept["digest"]
        whole = json.loads(file)["regression"]
        assert whole["counts"] == kept["proof"]["regression"]["counts"]
        assert len(whole["passed"]) == whole["counts"]["passed"]
        assert "passed" not in kept["proof"]["regression"] or not kept["proof"]["regression"]["passed"]
