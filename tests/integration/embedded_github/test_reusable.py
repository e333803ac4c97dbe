"""Workflows that call others, and matrices: what GitHub passes on, refuses, names and counts."""

import pytest

from integration.embedded_github.player_world import World

CALLED = """
on:
  workflow_call:
    inputs:
      issue: {type: number, default: 3}
      dry: {type: boolean, default: true}
      who: {type: string, required: true}
    secrets:
      key: {required: true}
    outputs:
      word: {value: '${{ jobs.one.outputs.word }}'}
env: {OF: called}
jobs:
  one:
    runs-on: x
    permissions: {contents: write}
    outputs: {word: '${{ steps.s.outputs.word }}'}
    steps:
      - id: s
        run: |
          echo "word=$WORD" >> "$GITHUB_OUTPUT"
          echo "$GITHUB_EVENT_NAME ${GITHUB_WORKFLOW_REF#*workflows/} $GITHUB_JOB $OF ${CALLER:-unset}"
          echo '${{ toJSON(inputs) }} ${{ github.event.label.name }} [${{ secrets.OTHER }}]'
          test '${{ secrets.key }}' = kkkkkk && test -n '${{ secrets.GITHUB_TOKEN }}' && echo has both
        env: {WORD: 'for ${{ inputs.who }}'}
  two:
    needs: one
    if: inputs.dry
    runs-on: x
    steps: [{run: 'echo ${{ needs.one.outputs.word }}'}]
  three: {needs: one, if: '!inputs.dry', runs-on: x, steps: [{run: 'false'}]}
"""
CALLER = """
on: {issues: {types: [labeled]}}
permissions: {}
env: {CALLER: set}
jobs:
  loop:
    uses: octo/stand-in/.github/workflows/called.yml@v1
    permissions: {contents: write, issues: read}
    with: {who: '${{ github.event.label.name }}'}
    secrets: {key: '${{ secrets.KEY }}'}
  after:
    needs: loop
    runs-on: x
    steps: [{run: 'echo "after: ${{ needs.loop.outputs.word }} ${{ needs.loop.result }}"'}]
"""


@pytest.fixture
def world(tmp_path):
    with World(tmp_path, secrets={"KEY": "kkkkkk", "OTHER": "oooooo"}) as made:
        folder = tmp_path / "action" / ".github" / "workflows"
        folder.mkdir(parents=True)
        (folder / "called.yml").write_text(CALLED)
        yield made


def names(world, run):
    return {job.name: job.conclusion for job in world.player.runs.jobs(run.id)}


def test_a_called_workflow_sees_the_callers_event_and_only_what_it_is_given(world):
    world.workflow(CALLER)
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "success", world.log(run)
    assert names(world, run) == {
        "after": "success", "loop / one": "success", "loop / two": "success", "loop / three": "skipped"
    }  # fmt: skip
    log = world.log(run)
    assert "issues w.yml@refs/heads/main one called unset" in log
    assert "has both" in log
    assert "[]" in log
    assert '"issue": 3' in log
    assert '"dry": true' in log
    assert "after: for go success" in log
    asked = [permissions for permissions, _ in world.forge.minted.values()]
    # A job that names none has its caller's.
    assert {"contents": "write", "metadata": "read"} in asked
    assert {"contents": "write", "issues": "read", "metadata": "read"} in asked


def test_inherited_secrets_are_all_there(world):
    world.forge.files["here.yml"] = (
        b"on: workflow_call\njobs: {j: {runs-on: x, steps: [{run: 'test ${{ secrets.OTHER }} = oooooo'}]}}"
    )
    world.workflow(
        "on: {issues: {types: [labeled]}}\n"
        "jobs: {c: {uses: ./.github/workflows/here.yml, secrets: inherit}}\n"
    )
    world.label()
    (run,) = world.settle()
    assert names(world, run) == {"c / j": "success"}, world.log(run)


def test_a_caller_whose_condition_fails_is_one_skipped_job(world):
    world.workflow(CALLER.replace("    uses:", "    if: github.event.label.name == 'other'\n    uses:"))
    world.label()
    (run,) = world.settle()
    assert names(world, run) == {"loop": "skipped", "after": "skipped"}


def test_a_failed_job_fails_the_caller_and_what_needs_it(world):
    world.workflow(CALLER.replace("with: {", "with: {dry: false, "))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert names(world, run)["after"] == "skipped"


def test_inside_a_called_workflow_another_may_be_called(world):
    world.forge.files["middle.yml"] = (
        b"on: workflow_call\njobs: {m: {uses: octo/stand-in/.github/workflows/called.yml@v1,"
        b" permissions: {contents: write}, with: {who: x}, secrets: {key: '${{ secrets.KEY }}'}}}"
    )
    world.workflow(
        "on: {issues: {types: [labeled]}}\npermissions: {contents: write}\n"
        "jobs: {top: {uses: ./.github/workflows/middle.yml, secrets: inherit}}\n"
    )
    world.label()
    (run,) = world.settle()
    assert names(world, run)["top / m / one"] == "success", world.log(run)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (
            "contents: write, issues",
            "contents: read, issues",
            "The nested job 'one' is requesting 'contents: wri",
        ),
        ("who:", "whom:", "Invalid input, whom is not defined"),
        ("with: {who: '${{ github.event.label.name }}'}", "with: {}", "Input who is required"),
        ("secrets: {key: '${{ secrets.KEY }}'}", "secrets: {}", "Secret key is required"),
        ("secrets: {key: '${{ secrets.KEY }}'}", "secrets: {key: a, b: a}", "Invalid secret, b"),
        ("secrets.KEY", "secrets.GITHUB_TOKEN", "which it has anyway"),
        ("called.yml", "absent.yml", "workflow was not found"),
        ("octo/stand-in", "octo/other", "repository not found"),
        ("called.yml@v1", "called.yml", "invalid value workflow reference"),
    ],
)
def test_a_call_github_refuses_starts_nothing(world, old, new, word):
    assert old in CALLER
    world.workflow(CALLER.replace(old, new))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "startup_failure"
    assert word in run.message


def test_a_workflow_that_is_not_reusable_or_calls_itself_is_refused(world):
    world.forge.files["plain.yml"] = b"on: push\njobs: {j: {runs-on: x, steps: [{run: 'true'}]}}"
    self = b"on: workflow_call\njobs: {j: {uses: ./.github/workflows/self.yml}}"
    world.forge.files["self.yml"] = self
    for name, word in {"plain": "it is not reusable", "self": "10 levels"}.items():
        world.workflow(
            f"on: {{issues: {{types: [labeled]}}}}\njobs: {{c: {{uses: ./.github/workflows/{name}.yml}}}}"
        )
        world.label()
        assert word in world.settle()[-1].message


MATRIX = """
on: {issues: {types: [labeled]}}
jobs:
  plan:
    runs-on: x
    outputs: {matrix: '${{ steps.s.outputs.matrix }}'}
    steps: [{id: s, run: 'echo ''matrix=%s'' >> "$GITHUB_OUTPUT"'}]
  session:
    needs: plan
    strategy: {fail-fast: false, max-parallel: 1, matrix: '${{ fromJSON(needs.plan.outputs.matrix) }}'}
    concurrency: {group: 'loop-${{ matrix.loop }}', queue: max}
    runs-on: x
    steps: [{run: '%s'}]
"""


def test_a_matrix_made_by_a_job_becomes_a_job_each_no_more_than_max_parallel_at_once(world, tmp_path):
    said = 'echo "${{ matrix.loop }} of ${{ strategy.job-total }}"'
    step = f"mkdir {tmp_path}/busy && {said} && rmdir {tmp_path}/busy"
    entries = (
        '{"include":[{"issue":1,"loop":"issue-1"},{"issue":2,"loop":"issue-2"},{"issue":3,"loop":"issue-3"}]}'
    )
    world.workflow(MATRIX % (entries, step))
    world.label()
    (run,) = world.settle()
    assert names(world, run) == {
        "plan": "success", "session (1, issue-1)": "success", "session (2, issue-2)": "success",
        "session (3, issue-3)": "success",
    }, world.log(run)  # fmt: skip
    assert "issue-3 of 3" in world.log(run)


def test_jobs_of_a_matrix_fail_each_for_itself_unless_it_fails_fast(world):
    step = "test ${{ matrix.n }} != 1"
    text = MATRIX % ('{"n":[1,2]}', step)
    for fast, second in {"false": "success", "true": "cancelled"}.items():
        world.workflow(text.replace("fail-fast: false", f"fail-fast: {fast}"))
        world.label()
        run = world.settle()[-1]
        assert run.conclusion == "failure"
        assert names(world, run) == {"plan": "success", "session (1)": "failure", "session (2)": second}


def test_an_empty_matrix_fails_the_job(world):
    world.workflow(MATRIX % ('{"include":[]}', "true"))
    world.label()
    (run,) = world.settle()
    assert names(world, run) == {"plan": "success", "session": "failure"}
    assert "at least one vector" in world.jobs(run)["session"].annotations[0].message
