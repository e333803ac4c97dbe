from __future__ import annotations

import pytest

from autonomous_loop.domain.events import Claimant
from autonomous_loop.github.action import read_facts
from autonomous_loop.github.runs import GitHubClaimants

from .conftest import REPO


def claimants(world, run_id=7, attempt=1) -> GitHubClaimants:
    environment = {
        "GITHUB_REPOSITORY": REPO,
        "GITHUB_RUN_ID": str(run_id),
        "GITHUB_RUN_ATTEMPT": str(attempt),
        "GITHUB_EVENT_NAME": "workflow_dispatch",
    }
    return GitHubClaimants(world.repository(), read_facts(environment, {}))


def dispatch(world, pin="") -> int:
    workflow = world.repository().get_workflow("loop.yml")
    return workflow.create_dispatch("main", {"pin": pin}, throw=True, return_run_details=True).id


def claim(run_id: object, attempt: int = 1) -> Claimant:
    return Claimant(nonce="n", run_id=str(run_id), run_attempt=attempt)


def test_a_claim_names_run_and_attempt_and_is_never_the_same(world):
    one, other = claimants(world, attempt=2), claimants(world, attempt=2)
    assert (one.me().run_id, one.me().run_attempt) == ("7", 2)
    assert one.me() == one.me()
    assert one.me().nonce != other.me().nonce
    assert len(one.me().nonce) == 32


def test_a_run_that_is_over_is_not_alive(world):
    run = dispatch(world)
    assert world.player.wait_idle(20)
    assert claimants(world).is_alive(claim(run)) is False


def test_a_run_that_works_is_alive_and_its_earlier_attempt_is_not(world):
    run = dispatch(world, pin="slow")
    asked = claimants(world)
    assert asked.is_alive(claim(run)) is True
    assert asked.is_alive(claim(run, attempt=0)) is False
    world.repository().get_workflow_run(run).cancel()
    assert world.player.wait_idle(20)
    assert claimants(world).is_alive(claim(run)) is False


def test_an_earlier_attempt_of_our_own_run_is_not_alive_and_costs_no_request(world):
    asked = claimants(world, run_id=7, attempt=2)
    before = len(world.faults.seen)
    assert asked.is_alive(claim(7, attempt=1)) is False
    assert len(world.faults.seen) == before


@pytest.mark.parametrize("run_id", ["", "404404", "x"])
def test_what_cannot_be_told_may_be_alive(world, run_id):
    assert claimants(world).is_alive(claim(run_id)) is True


def test_a_run_that_was_deleted_is_not_alive(world):
    mine, gone = dispatch(world), dispatch(world)
    assert world.player.wait_idle(20)
    assert world.repository().get_workflow_run(gone).delete()
    assert claimants(world, run_id=mine).is_alive(claim(gone)) is False


@pytest.mark.parametrize("own", ["hidden", "down"])
def test_a_run_that_is_not_found_by_who_cannot_read_their_own_may_be_alive(world, own):
    mine = dispatch(world)
    assert world.player.wait_idle(20)
    world.faults.plan = lambda method, path: own if path.endswith(f"/runs/{mine}") else None
    assert claimants(world, run_id=mine).is_alive(claim(404404)) is True


def test_when_github_does_not_answer_it_may_be_alive(world):
    run = dispatch(world)
    assert world.player.wait_idle(20)
    world.faults.plan = lambda method, path: "down" if "/runs/" in path else None
    assert claimants(world).is_alive(claim(run)) is True
