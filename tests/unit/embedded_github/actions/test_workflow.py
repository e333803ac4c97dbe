"""Workflow files are read as GitHub reads them, and refused where the player would play something else."""

import pytest

from embedded_github.actions.workflow.definition import Concurrency
from embedded_github.actions.workflow.reader import read_workflow

PATH = ".github/workflows/loop.yml"
JOB = "jobs: {j: {runs-on: x, steps: [{run: 'true'}]}}\n"


def read(text: str):
    return read_workflow(PATH, text.encode())


def test_a_whole_file():
    workflow = read("""
name: Loop
on:
  issues: {types: [labeled]}
  issue_comment:
  schedule: [{cron: '23 5 * * *'}]
  workflow_dispatch:
    inputs:
      loop: {description: which, required: true}
      dry: {type: boolean, default: true}
      how: {type: choice, options: [a, b], default: b}
  push: {branches: [main]}
permissions: {contents: write, actions: write}
env: {A: 1}
concurrency: top
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: {n: '${{ steps.s.outputs.n }}'}
    steps: [{id: s, run: echo}]
  session:
    needs: plan
    if: github.event_name != 'push'
    runs-on: [self-hosted, linux]
    permissions: {}
    timeout-minutes: 55
    concurrency: {group: 'loop-${{ github.event.issue.number }}', queue: max, cancel-in-progress: false}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0, on: yes}
      - {name: Say, run: echo, continue-on-error: true, shell: bash}
""")
    assert workflow.problems == ()
    assert (workflow.title, workflow.file) == ("Loop", "loop.yml")
    assert set(workflow.on) == {"issues", "issue_comment", "schedule", "workflow_dispatch", "push"}
    assert workflow.on["issues"].takes("labeled")
    assert not workflow.on["issues"].takes("opened")
    assert workflow.on["issue_comment"].takes("edited")
    assert workflow.on["schedule"].crons == ("23 5 * * *",)
    inputs = workflow.on["workflow_dispatch"].inputs
    assert inputs["loop"].required
    assert inputs["dry"].default is True
    assert inputs["how"].options == ("a", "b")
    assert workflow.permissions == {"contents": "write", "actions": "write"}
    assert workflow.concurrency == Concurrency("top")
    session = workflow.jobs["session"]
    assert (session.needs, session.permissions, session.timeout_minutes) == (("plan",), {}, 55)
    assert session.concurrency == Concurrency("loop-${{ github.event.issue.number }}", False, "max")
    # YAML 1.1 would make `on` and `yes` booleans.
    assert dict(session.steps[0].with_) == {"fetch-depth": 0, "on": "yes"}
    assert session.steps[1].title == "Say"


@pytest.mark.parametrize("on", ["push", "[push, issues]", "{push: , issues: {types: labeled}}"])
def test_the_forms_of_on(on):
    assert "push" in read(f"on: {on}\n{JOB}").on


def test_pull_requests_have_default_activity_types():
    trigger = read(f"on: pull_request\n{JOB}").on["pull_request"]
    every = ("opened", "synchronize", "reopened", "closed", "labeled")
    assert [action for action in every if trigger.takes(action)] == ["opened", "synchronize", "reopened"]


@pytest.mark.parametrize(
    ("filters", "kind", "name", "taken"),
    [
        ("{}", "tags", "v1", True),
        ("{branches: [main]}", "branches", "main", True),
        ("{branches: [main]}", "branches", "maint", False),
        ("{branches: [main]}", "tags", "v1", False),
        ("{tags: ['v*']}", "branches", "main", False),
        ("{tags: ['v[12].*']}", "tags", "v2.0", True),
        ("{branches: ['release/*']}", "branches", "release/1/2", False),
        ("{branches: ['release/**']}", "branches", "release/1/2", True),
        ("{branches: ['**', '!wip/**']}", "branches", "wip/a", False),
        ("{branches: ['**', '!wip/**', 'wip/keep']}", "branches", "wip/keep", True),
        ("{branches-ignore: ['wip/**']}", "branches", "wip/a", False),
        ("{branches-ignore: ['wip/**']}", "branches", "main", True),
    ],
)
def test_filters_of_branches_and_tags(filters, kind, name, taken):
    assert read(f"on: {{push: {filters}}}\n{JOB}").on["push"].takes_ref(kind, name) is taken


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("on: [push", "line 1, column"),
        ("- a", "not a mapping"),
        (JOB, "no 'on:'"),
        ("on: push\n", "no jobs"),
        (f"on: push\non: issues\n{JOB}", "'on' is already defined"),
        (f"on: push\nextra: 1\n{JOB}", "'extra' in the workflow is unknown"),
        (f"on: {{schedule: [{{cron: '* * * *'}}]}}\n{JOB}", "five fields"),
        (f"on: {{workflow_dispatch: {{inputs: {{a: {{type: choice}}}}}}}}\n{JOB}", "choice without options"),
        (f"on: {{workflow_dispatch: {{inputs: {{a: {{type: list}}}}}}}}\n{JOB}", "it must be string"),
        (f"on: push\npermissions: {{workflows: write}}\n{JOB}", "no permission 'workflows'"),
        (f"on: push\nconcurrency: {{group: a, queue: all}}\n{JOB}", "single or max"),
        ("on: push\njobs: {a: {runs-on: x, strategy: {fail-fast: true}, steps: [{run: x}]}}", "no matrix"),
        ("on: push\njobs: {a: {uses: ./x.yml, steps: [{run: x}]}}", "'steps' in jobs.a, which calls"),
        ("on: push\njobs: {a: {uses: ./x.yml, strategy: {matrix: {b: [1]}}}}", "'strategy' in jobs.a, which"),
        ("on: push\njobs: {a: {uses: ./x.yml, with: {k: '${{ secrets.K }}'}}}", "named-value: 'secrets'"),
        (f"on: {{workflow_call: {{inputs: {{a: {{type: choice}}}}}}}}\n{JOB}", "string, boolean or number"),
        ("on: push\njobs: {a: {steps: [{run: x}]}}", "no 'runs-on'"),
        ("on: push\njobs: {a: {runs-on: x}}", "no steps"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{name: b}]}}", "either 'uses' or 'run'"),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: b, shell: pwsh}]}}", "plays bash and sh"),
        ("on: push\njobs: {a: {runs-on: x, needs: b, steps: [{run: b}]}}", "unknown job 'b'"),
        ("on: push\njobs: {a: &a {runs-on: x, needs: b, steps: [{run: b}]}, b: *a}", "a circle"),
        ("on: push\njobs: {a: {runs-on: x, if: secrets.K, steps: [{run: b}]}}", "named-value: 'secrets'"),
        ("on: push\njobs: {a: {runs-on: x, if: 'a ==', steps: [{run: b}]}}", "malformed"),
        (
            "on: push\njobs: {a: {runs-on: x, steps: [{run: b, if: 'nope()'}]}}",
            "Unrecognized function: 'nope'",
        ),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: b, id: c}, {run: b, id: c}]}}", "same id"),
    ],
)
def test_what_cannot_be_played_as_meant_is_a_problem(text, message):
    workflow = read(text)
    assert len(workflow.problems) == 1
    assert message in workflow.problems[0]
    assert workflow.problems[0].startswith("Invalid workflow file: .github/workflows/loop.yml: ")


def test_a_filter_the_player_does_not_know_is_a_problem_of_that_event_alone():
    workflow = read(f"on: {{push: {{paths: [src/**]}}, issues: }}\n{JOB}")
    assert workflow.problems == ()
    assert workflow.on["push"].unsupported == ("paths",)
    assert workflow.on["issues"].unsupported == ()
