"""Composite actions: their own scope, their own order, what they hand back."""

import pytest

from integration.embedded_github.player_world import World

ACTION = """
name: Composite
inputs: {word: {default: usual}, loud: {default: 'false'}}
outputs: {said: {value: '${{ steps.one.outputs.said }}'}}
runs:
  using: composite
  steps:
    - id: one
      shell: bash
      env: {WORD: '${{ inputs.word }}', HERE: '${{ github.action_path }}'}
      run: |
        echo "said=$WORD" >> "$GITHUB_OUTPUT"
        test "$HERE" = "$GITHUB_ACTION_PATH" && test -f "$HERE/action.yml" && echo "of $OUTER, in $INNER"
        echo 'LEFT=behind' >> "$GITHUB_ENV"
    - if: inputs.loud == 'true'
      shell: bash
      run: exit 3
    - {shell: bash, run: echo "then $LEFT"}
    - {if: always(), shell: sh, run: 'echo "last, $GITHUB_EVENT_NAME"'}
"""
WORKFLOW = """
on: {issues: {types: [labeled]}}
env: {OUTER: job}
jobs:
  j:
    runs-on: x
    steps:
      - {id: c, uses: octo/stand-in/host@v1, with: {word: 'hello %s'}, env: {INNER: step}}
      - {run: 'echo "got [${{ steps.c.outputs.said }}] [${{ steps.one.outputs.said }}] $LEFT [$INNER]"'}
"""


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made


def write(world, text=ACTION):
    (world.folder / "action" / "host").mkdir(exist_ok=True)
    (world.folder / "action" / "host" / "action.yml").write_text(text)


def test_its_steps_run_in_its_scope_and_hand_back_its_outputs_alone(world):
    write(world)
    world.workflow(WORKFLOW % "there")
    world.label()
    (run,) = world.settle()
    log = world.log(run)
    assert run.conclusion == "success", log
    assert "of job, in step" in log
    assert "then behind" in log
    assert "last, issues" in log
    assert "got [hello there] [] behind []" in log


def test_a_failed_step_fails_it_and_what_runs_always_still_runs(world):
    write(world)
    world.workflow((WORKFLOW % "there").replace("with: {", "with: {loud: true, "))
    world.label()
    (run,) = world.settle()
    log = world.log(run)
    assert run.conclusion == "failure"
    assert "then behind" not in log
    assert "last, issues" in log
    assert "got [" not in log


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('    - {shell: bash, run: echo "then $LEFT"}', "    - {run: echo}", "names no shell"),
        ('    - {shell: bash, run: echo "then $LEFT"}', "    - {uses: a/b@v1}", "its scripts alone"),
        ("inputs.word }}', HERE", "secrets.WORD }}', HERE", "Unrecognized named-value: 'secrets'"),
    ],
)
def test_what_github_refuses_or_is_not_played_fails_the_job_before_any_step(world, old, new, word):
    assert old in ACTION
    write(world, ACTION.replace(old, new))
    world.workflow(WORKFLOW % "there")
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert word in world.log(run)
    assert "of job" not in world.log(run)
