"""Dispatch over HTTP: chains, inputs, refusals in GitHub's words."""

import pytest

from integration.embedded_github.player_world import BOT, REPO, run_step, steps

CHAIN = """
name: Chain
run-name: generation ${{ inputs.generation }}
on:
  workflow_dispatch:
    inputs:
      generation: {type: number, default: 1}
      auto: {type: boolean, default: true}
permissions: {actions: write}
concurrency: {group: chain, queue: max}
jobs:
  j:
    runs-on: ubuntu-latest
    steps:
      - uses: octo/stand-in@v1
        if: inputs.auto
        with:
          code: |
            import json, os, urllib.request
            event = json.load(open(os.environ["GITHUB_EVENT_PATH"]))
            generation = int(event["inputs"]["generation"])
            print("generation", generation, "by", os.environ["GITHUB_ACTOR"])
            if generation < 3:
                answer = urllib.request.urlopen(urllib.request.Request(
                    os.environ["GITHUB_API_URL"] + "/repos/" + os.environ["GITHUB_REPOSITORY"]
                    + "/actions/workflows/chain.yml/dispatches",
                    data=json.dumps({"ref": "main", "inputs": {"generation": str(generation + 1)},
                                     "return_run_details": True}).encode(),
                    headers={"Authorization": "Bearer " + os.environ["INPUT_TOKEN"]}))
                print("started", json.load(answer)["workflow_run_id"])
"""


def test_three_runs_each_dispatch_the_next(world):
    world.workflow(CHAIN, "chain.yml")
    status, answer = world.ask("/workflows/chain.yml/dispatches", {"ref": "main", "return_run_details": True})
    assert status == 200
    first, second, third = world.settle()
    assert answer == {
        "workflow_run_id": first.id,
        "run_url": f"{world.url}/api/v3/repos/{REPO}/actions/runs/{first.id}",
        "html_url": f"{world.url}/{REPO}/actions/runs/{first.id}",
    }
    assert [run.conclusion for run in (first, second, third)] == ["success"] * 3
    assert [run.actor for run in (first, second, third)] == ["ada", BOT, BOT]
    assert [run.caused_by for run in (first, second, third)] == [None, first.id, second.id]
    assert [run.run_number for run in (first, second, third)] == [1, 2, 3]
    assert [run.title for run in (first, second, third)] == [f"generation {n}" for n in (1, 2, 3)]
    permissions = [given for given, _ in world.forge.minted.values()]
    assert permissions == [{"actions": "write", "metadata": "read"}] * 3
    assert world.forge.revoked == set(world.forge.minted)


INPUTS = """
on:
  workflow_dispatch:
    inputs:
      who: {required: true}
      how: {type: choice, options: [fast, slow], default: slow}
      dry: {type: boolean}
jobs:
  j: {runs-on: x, steps: [{run: "echo '${{ toJSON(inputs) }}' '${{ github.event.inputs.dry }}'"}]}
"""


@pytest.mark.parametrize(
    ("workflow", "body", "status", "message"),
    [
        ("none.yml", {"ref": "main"}, 404, "Not Found"),
        ("w.yml", {}, 422, 'Invalid request.\n\n"ref" wasn\'t supplied.'),
        ("w.yml", {"ref": "gone"}, 422, "No ref found for: gone"),
        ("plain.yml", {"ref": "main"}, 422, "Workflow does not have 'workflow_dispatch' trigger"),
        ("w.yml", {"ref": "main"}, 422, "Required input 'who' not provided"),
        (
            "w.yml",
            {"ref": "main", "inputs": {"who": "a", "b": "c"}},
            422,
            'Unexpected inputs provided: ["b"]',
        ),
        (
            "w.yml",
            {"ref": "main", "inputs": {"who": "a", "how": "x"}},
            422,
            "Provided value 'x' for input 'how' not in the list of allowed values",
        ),
        ("w.yml", {"ref": "main", "inputs": {"who": "a" * 70_000}}, 422, "inputs are too large."),
    ],
)
def test_a_dispatch_that_does_not_fit_is_refused_in_githubs_words(world, workflow, body, status, message):
    world.workflow(INPUTS)
    world.workflow(steps(run_step("true")), "plain.yml")
    answer = world.ask(f"/workflows/{workflow}/dispatches", body)
    assert answer[0] == status
    assert answer[1]["message"] == message
    assert world.settle() == []


def test_inputs_have_their_types_and_defaults(world):
    world.workflow(INPUTS)
    assert world.ask("/workflows/w.yml/dispatches", {"ref": "v1", "inputs": {"who": "ada"}}) == (204, None)
    (run,) = world.settle()
    assert (run.ref, run.head_branch) == ("refs/tags/v1", "v1")
    log = world.log(run)
    assert '"how": "slow"' in log
    assert '"dry": false' in log
    assert log.rstrip().endswith("} false")


def test_a_disabled_workflow_starts_by_nothing(world):
    world.workflow(steps(run_step("true"), on="{issues: {types: [labeled]}, workflow_dispatch: }"))
    assert world.ask("/workflows/w.yml/disable", method="PUT")[0] == 204
    world.label()
    status, answer = world.ask("/workflows/w.yml/dispatches", {"ref": "main"})
    assert (status, answer["message"]) == (422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    assert world.settle() == []
    assert world.ask("/workflows/w.yml/enable", method="PUT")[0] == 204
    world.label()
    assert len(world.settle()) == 1
