"""The player on real processes: what GitHub's rules start, stop, hide and pass on."""

import io
import json
import os
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from autonomous_loop.local.actions.process import Grace
from integration.local.player_world import BOT, REPO, Happening, World
from waiting import wait_for


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made


def steps(*lines: str, on: str = "issues: {types: [labeled]}", more: str = "") -> str:
    """A workflow of one job `j`; each line is a YAML flow mapping of a step."""
    listed = "".join(f"      - {line}\n" for line in lines)
    return f"on:\n  {on}\n{more}jobs:\n  j:\n    runs-on: ubuntu-latest\n    steps:\n{listed}"


def docker(code: str, post: str = "pass", extra: str = "") -> str:
    return f"{{uses: octo/stand-in@v1, with: {{code: {json.dumps(code)}, post: {json.dumps(post)}}}{extra}}}"


def run_step(text: str, extra: str = "") -> str:
    return f"{{run: {json.dumps(text)}{extra}}}"


# -- what starts a run


def test_a_label_by_a_person_starts_a_run_and_one_by_a_workflow_token_does_not(world):
    world.workflow(steps(run_step("true")))
    world.label(actor=BOT, by_workflow_token=True)
    world.label(actor="triager")
    (run,) = world.settle()
    assert (run.actor, run.event, run.conclusion, run.title) == ("triager", "issues", "success", "Do it")


def test_only_the_listed_activity_starts_a_run(world):
    world.workflow(steps(run_step("true")))
    world.player.deliver(Happening("issues", "opened", {"issue": {"title": "x"}}))
    world.player.deliver(Happening("issue_comment", "created", {}))
    assert world.settle() == []


def test_a_job_whose_condition_fails_is_skipped_and_so_is_the_run(world):
    world.workflow(
        "on: {issues: {types: [labeled]}}\n"
        "jobs:\n  j:\n    if: github.event.label.name == 'go'\n    runs-on: x\n    steps: [{run: 'true'}]\n"
    )
    world.label("other")
    world.label("GO")
    skipped, played = world.settle()
    assert (skipped.conclusion, world.jobs(skipped)["j"].conclusion) == ("skipped", "skipped")
    assert played.conclusion == "success"


def test_a_push_starts_what_its_branch_filter_takes(world):
    world.workflow(steps(run_step("true"), on="push: {branches: [main, 'release/**']}"))
    for ref in ("refs/heads/main", "refs/heads/topic", "refs/heads/release/1/2", "refs/tags/v1"):
        world.player.deliver(
            Happening("push", None, {"ref": ref, "after": "3" * 40, "head_commit": {"message": "m"}})
        )
    world.player.deliver(
        Happening("push", None, {"ref": "refs/heads/main", "after": "0" * 40, "deleted": True})
    )
    assert [run.ref for run in world.settle()] == ["refs/heads/main", "refs/heads/release/1/2"]


def test_a_pull_request_by_a_workflow_token_waits_for_approval_and_runs_when_approved(world):
    world.workflow(steps(run_step("echo $GITHUB_HEAD_REF-$GITHUB_BASE_REF"), on="pull_request:"))
    pull = {"number": 3, "title": "P", "head": {"sha": "4" * 40, "ref": "topic"}, "base": {"ref": "main"}}
    world.player.deliver(
        Happening("pull_request", "opened", {"pull_request": pull}, BOT, by_workflow_token=True)
    )
    (run,) = world.settle()
    assert (run.status, run.conclusion) == ("completed", "action_required")
    assert world.ask(f"/runs/{run.id}/approve", {})[0] == 201
    (run,) = world.settle()
    assert (run.conclusion, run.attempt) == ("success", 1)
    assert "topic-main" in world.log(run)


def test_a_schedule_fires_on_the_default_branch_in_the_owners_name(world):
    world.workflow(
        steps(run_step("echo cron=${{ github.event.schedule }}"), on="schedule: [{cron: '17 4 * * *'}]")
    )
    (started,) = world.player.schedule_now(REPO)
    (run,) = world.settle()
    assert (run.id, run.event, run.actor, run.ref) == (started.id, "schedule", "octo", "refs/heads/main")
    assert "cron=17 4 * * *" in world.log(run)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("services: {}\n", "'services'"),
        ("env: {A: '${{ secrets.X'}\n", "not closed"),
        ("permissions: {contents: all}\n", "permissions.contents"),
        ("concurrency: {group: '${{ steps.a }}'}\n", "Unrecognized named-value: 'steps'"),
        ("concurrency: {group: a, queue: max, cancel-in-progress: true}\n", "exclude each other"),
    ],
)
def test_a_file_github_would_refuse_is_recorded_as_a_startup_failure(world, more, word):
    world.workflow(steps(run_step("true"), more=more))
    world.label()
    (run,) = world.settle()
    assert (run.status, run.conclusion) == ("completed", "startup_failure")
    assert word in run.message
    assert world.player.runs.jobs(run.id) == []


# -- dispatch over HTTP

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


# -- concurrency


def gate(folder: Path, concurrency: str, where: str = "job") -> str:
    """A workflow whose run number N waits for the file `open-N`."""
    code = (
        f"touch {folder}/began-$GITHUB_RUN_NUMBER;"
        f" until [ -e {folder}/open-$GITHUB_RUN_NUMBER ]; do sleep 0.02; done"
    )
    line = f"concurrency: {concurrency}"
    top, job = (line, "") if where == "run" else ("", line)
    return (
        f"on: {{issues: {{types: [labeled]}}}}\n{top}\njobs:\n  j:\n    runs-on: x\n    {job}\n"
        f"    steps: [{run_step(code)}]\n"
    )


@pytest.mark.parametrize("where", ["job", "run"])
def test_by_default_a_newcomer_cancels_the_one_that_waits(world, tmp_path, where):
    world.workflow(gate(tmp_path, "loop-${{ github.event.issue.number }}", where))
    world.label()
    wait_for((tmp_path / "began-1").exists)
    world.label()
    wait_for(lambda: [run.status for run in world.runs()] == ["in_progress", "pending"])
    world.label()
    wait_for(lambda: len(world.runs()) == 3 and world.runs()[1].status == "completed")
    for number in (1, 3):
        (tmp_path / f"open-{number}").touch()
    runs = world.settle()
    assert [run.conclusion for run in runs] == ["success", "cancelled", "success"]
    assert not (tmp_path / "began-2").exists()
    (annotation,) = world.jobs(runs[1])["j"].annotations
    assert annotation.message == "Canceling since a higher priority waiting request for 'loop-12' exists"


@pytest.mark.parametrize("where", ["job", "run"])
def test_queue_max_keeps_all_that_wait_in_order(world, tmp_path, where):
    world.workflow(gate(tmp_path, "{group: loop, queue: max}", where))
    for _ in range(4):
        world.label()
    wait_for((tmp_path / "began-1").exists)
    wait_for(lambda: len(world.runs()) == 4)
    for number in range(1, 5):
        assert not (tmp_path / f"began-{number + 1}").exists()
        (tmp_path / f"open-{number}").touch()
        if number < 4:
            wait_for((tmp_path / f"began-{number + 1}").exists)
    assert [run.conclusion for run in world.settle()] == ["success"] * 4


def test_cancel_in_progress_ends_the_one_that_runs(world, tmp_path):
    world.workflow(
        gate(tmp_path, "{group: LOOP, cancel-in-progress: '${{ github.event.issue.number == 12 }}'}")
    )
    world.label()
    wait_for((tmp_path / "began-1").exists)
    (tmp_path / "open-2").touch()
    world.label()
    assert [run.conclusion for run in world.settle()] == ["cancelled", "success"]


def test_no_more_jobs_are_played_at_once_than_allowed(tmp_path):
    with World(tmp_path, max_jobs=1) as world:
        world.workflow(gate(tmp_path, "g-${{ github.run_number }}"))
        world.label()
        world.label()
        wait_for((tmp_path / "began-1").exists)
        wait_for(lambda: len(world.runs()) == 2)
        assert world.runs()[1].status == "queued"
        (tmp_path / "open-1").touch()
        wait_for((tmp_path / "began-2").exists)
        (tmp_path / "open-2").touch()
        assert [run.conclusion for run in world.settle()] == ["success"] * 2


# -- how a job ends

TRAP = """
import signal, time, os
def note(number, frame):
    print("got", signal.Signals(number).name, flush=True)
signal.signal(signal.SIGINT, note); signal.signal(signal.SIGTERM, note)
with open(os.environ["GITHUB_STATE"], "a") as state: print("where=here", file=state)
print("ready", flush=True)
while True: time.sleep(0.05)
"""


def test_cancel_sends_interrupt_then_terminate_then_kills_and_the_post_step_still_runs(world):
    after = docker("print('never')")
    always = run_step("echo cleaned up", ", if: always()")
    world.workflow(steps(docker(TRAP, "print('post', os.environ['STATE_where'])"), after, always))
    world.label()
    run = wait_for(lambda: world.runs() and world.runs()[0])
    wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
    began = time.monotonic()
    assert world.ask(f"/runs/{run.id}/cancel", {})[0] == 202
    (run,) = world.settle()
    assert 0.8 <= time.monotonic() - began < 30
    log = world.log(run)
    marks = ["got SIGINT", "got SIGTERM", "cleaned up", "post here", "The operation was canceled."]
    assert [log.find(mark) for mark in marks] == sorted(log.find(mark) for mark in marks)
    assert all(mark in log for mark in marks)
    assert "never" not in log
    job = world.jobs(run)["j"]
    assert (run.conclusion, job.conclusion) == ("cancelled", "cancelled")
    assert [step.conclusion for step in job.steps] == ["cancelled", "skipped", "success", "success"]
    status, answer = world.ask(f"/runs/{run.id}/cancel", {})
    assert (status, answer["message"]) == (409, "Cannot cancel a workflow run that is completed.")


def test_a_step_that_heeds_the_interrupt_is_not_terminated(world):
    code = TRAP.replace("while True: time.sleep(0.05)", "signal.pause(); print('saved')")
    world.workflow(steps(docker(code)))
    world.label()
    run = wait_for(lambda: world.runs() and world.runs()[0])
    wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
    world.player.cancel(run.id)
    (run,) = world.settle()
    assert "saved" in world.log(run)
    assert "SIGTERM" not in world.log(run)
    assert run.conclusion == "cancelled"


def test_a_killed_process_is_a_failure_and_the_post_step_runs(world):
    world.workflow(steps(docker(TRAP, "print('post ran')")))
    world.label()
    run = wait_for(lambda: world.runs() and world.runs()[0])
    wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
    (pid,) = world.player.pids(run.id)
    os.kill(pid, signal.SIGKILL)
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert "exit code 137" in world.log(run)
    assert "post ran" in world.log(run)


def test_the_jobs_time_limit_cancels_it(world):
    world.workflow(
        steps(docker(TRAP, "print('post ran')")).replace(
            "    steps:", "    timeout-minutes: 0.01\n    steps:"
        )
    )
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "cancelled"
    assert "exceeded the maximum execution time of 0.01 minutes" in world.log(run)
    assert "got SIGINT" in world.log(run)
    assert "post ran" in world.log(run)


def test_a_steps_time_limit_fails_it(world):
    world.workflow(steps(run_step("sleep 60", ", timeout-minutes: 0.005"), run_step("echo no")))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert "timed out after 0.005 minutes" in world.log(run)


def test_what_a_step_leaves_running_ends_with_it_even_in_a_session_of_its_own(world, tmp_path):
    file = tmp_path / "pid"
    daemon = f"setsid bash -c 'echo $$ > {file}; exec sleep 60' >/dev/null 2>&1 &"
    world.workflow(steps(run_step(f"{daemon} until [ -s {file} ]; do sleep 0.01; done")))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "success"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_stop_ends_what_is_played_at_once(tmp_path):
    world = World(tmp_path, grace=Grace(interrupt_s=60, terminate_s=60))
    with world:
        world.workflow(steps(docker(TRAP), run_step("true", ", if: always()")))
        world.label()
        run = wait_for(lambda: world.runs() and world.runs()[0])
        wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
        (pid,) = world.player.pids(run.id)
        began = time.monotonic()
        world.player.stop()
        assert time.monotonic() - began < 30
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with World(tmp_path) as later:
        assert [run.conclusion for run in later.runs()] == ["cancelled"]


def test_a_player_that_died_leaves_no_run_in_progress(tmp_path):
    with World(tmp_path) as world:
        world.workflow(steps(run_step("true")))
        world.label()
        (run,) = world.settle()
        world.player.runs.update_run(run.id, status="in_progress", conclusion=None)
    with World(tmp_path) as later:
        assert [(run.status, run.conclusion) for run in later.runs()] == [("completed", "failure")]


def test_a_rerun_is_one_attempt_more_of_the_same(world):
    world.workflow(steps(run_step("echo attempt $GITHUB_RUN_ATTEMPT by $GITHUB_TRIGGERING_ACTOR; exit 1")))
    world.label(actor="eve")
    (run,) = world.settle()
    world.workflow("on: push\njobs: {}")
    assert world.ask(f"/runs/{run.id}/rerun", {})[0] == 201
    (again,) = world.settle()
    assert (again.id, again.attempt, again.actor, again.triggering_actor) == (run.id, 2, "eve", "ada")
    assert "attempt 1 by eve" in world.log(again)
    assert "attempt 2 by ada" in world.log(again)
    assert [job["run_attempt"] for job in world.ask(f"/runs/{run.id}/jobs")[1]["jobs"]] == [2]
    assert world.ask(f"/runs/{run.id}/attempts/1/jobs")[1]["total_count"] == 1


# -- what a job sees and says


def test_a_docker_action_sees_the_containers_environment_and_nothing_of_ours(world, monkeypatch):
    monkeypatch.setenv("OUR_OWN_KEY", "leak")
    world.workflow(
        steps(
            "{uses: octo/stand-in@v1, env: {MINE: '${{ vars.COLOUR }}'}, with: {dry-run: true,"
            " code: 'import json; print(json.dumps(dict(os.environ)))'}}",
            more="env: {LEVEL: top}\n",
        )
    )
    world.label()
    (run,) = world.settle()
    line = next(line for line in world.log(run).splitlines() if "GITHUB_ACTIONS" in line)
    seen = json.loads(line.partition(" ")[2])
    expected = {
        "INPUT_DRY-RUN": "true", "INPUT_MAX_SESSIONS": "7", "INPUT_TOKEN": "***", "MINE": "green",
        "LEVEL": "top",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "CI": "true", "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "ada",
        "GITHUB_TRIGGERING_ACTOR": "ada", "GITHUB_API_URL": f"{world.url}/api/v3",
        "GITHUB_GRAPHQL_URL": f"{world.url}/api/graphql", "GITHUB_SERVER_URL": world.url,
        "GITHUB_REPOSITORY": REPO, "GITHUB_REPOSITORY_ID": "5", "GITHUB_REPOSITORY_OWNER": "octo",
        "GITHUB_RUN_ID": str(run.id), "GITHUB_RUN_NUMBER": "1", "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_WORKFLOW": ".github/workflows/w.yml", "GITHUB_JOB": "j", "GITHUB_SHA": "1" * 40,
        "GITHUB_WORKFLOW_REF": f"{REPO}/.github/workflows/w.yml@refs/heads/main",
        "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch",
        "GITHUB_EVENT_NAME": "issues", "RUNNER_OS": "Linux", "LANG": "C.UTF-8",
    }  # fmt: skip
    assert {name: seen.get(name) for name in expected} == expected
    for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"):
        assert "/file_commands/" in seen[name]
    assert seen["GITHUB_EVENT_PATH"].endswith("/workflow/event.json")
    assert "GITHUB_TOKEN" not in seen
    assert "OUR_OWN_KEY" not in seen
    allowed = ("GITHUB_", "RUNNER_", "INPUT_", "ACTIONS_R")
    assert {name for name in seen if not name.startswith(allowed)} <= set(expected) | {
        "PATH",
        "HOME",
        "LC_CTYPE",
    }


def test_outputs_environment_and_summary_travel(world):
    world.workflow("""
on: {issues: {types: [labeled]}}
jobs:
  one:
    runs-on: x
    outputs: {word: '${{ steps.a.outputs.word }}', secret: '${{ steps.a.outputs.hidden }}'}
    steps:
      - id: a
        run: |
          { echo 'word<<X9'; echo 'two'; echo 'lines=2'; echo X9; } >> "$GITHUB_OUTPUT"
          echo "hidden=${{ github.token }}" >> "$GITHUB_OUTPUT"
          echo 'KEPT=yes' >> "$GITHUB_ENV"
          echo '/opt/extra' >> "$GITHUB_PATH"
          echo '# Done' >> "$GITHUB_STEP_SUMMARY"
          echo '::error file=a.py,line=3,title=Oh::broken%0Ahere'
      - run: 'echo "$KEPT ${PATH%%:*} ${{ env.KEPT }}"'
  two:
    needs: one
    if: needs.one.result == 'success' && needs.one.outputs.secret == ''
    runs-on: x
    steps: [{run: "echo '${{ toJSON(needs.one.outputs.word) }}'"}]
""")
    world.label()
    (run,) = world.settle()
    jobs = world.jobs(run)
    assert run.conclusion == "success"
    assert jobs["one"].outputs == {"word": "two\nlines=2"}
    assert jobs["one"].summary == "# Done\n"
    assert "yes /opt/extra yes" in world.log(run)
    assert '"two\\nlines=2"' in world.log(run)
    error, skipped = jobs["one"].annotations
    assert (error.level, error.message, error.title, error.path, error.line) == (
        "failure", "broken\nhere", "Oh", "a.py", 3
    )  # fmt: skip
    assert skipped.message == "Skip output 'secret' since it may contain secret."


def test_a_failed_job_skips_what_needs_it_but_not_what_runs_always(world):
    world.workflow("""
on: {issues: {types: [labeled]}}
jobs:
  bad: {runs-on: x, steps: [{run: 'exit 3'}, {run: echo never}, {if: failure(), run: echo mended}]}
  next: {needs: bad, runs-on: x, steps: [{run: echo never}]}
  last:
    {needs: [bad, next], if: always(), runs-on: x, steps: [{run: 'echo ${{ join(needs.*.result) }}'}]}
""")
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert {key: job.conclusion for key, job in world.jobs(run).items()} == {
        "bad": "failure", "next": "skipped", "last": "success"
    }  # fmt: skip
    log = world.log(run)
    assert "never" not in log
    assert "mended" in log
    assert "failure,skipped" in log


def test_secrets_are_masked_wherever_the_log_would_show_them(tmp_path):
    with World(tmp_path, secrets={"KEY": "s3cret-value", "PEM": "line-one\nline-two"}) as world:
        world.workflow(
            steps(
                run_step(
                    "echo key ${{ secrets.KEY }}; echo -n ${{ secrets.KEY }} | base64; echo x line-two x;"
                    ' echo "::add-mask::la""ter"; echo a la""ter b;'
                    " echo '::warning::w ${{ secrets.KEY }}';"
                    " echo ${{ github.token }}; echo 's ${{ secrets.KEY }}' >> $GITHUB_STEP_SUMMARY"
                )
            )
        )
        world.label()
        (run,) = world.settle()
        log = world.log(run)
        job = world.jobs(run)["j"]
        for secret in ("s3cret-value", "czNjcmV0LXZhbHVl", "line-two", "later", "ghs_"):
            assert secret not in log
        assert "key ***" in log
        assert job.annotations[0].message == "w ***"
        assert job.summary == "s ***\n"


def test_commands_in_foreign_output_are_not_obeyed_while_stopped(world):
    world.workflow(
        steps(
            run_step(
                "echo '::stop-commands::r4nd0m'; echo '::error::injected'; echo '::add-mask::visible';"
                " echo '::r4nd0m::'; echo '::notice::own'; echo visible words"
            )
        )
    )
    world.label()
    (run,) = world.settle()
    assert [one.message for one in world.jobs(run)["j"].annotations] == ["own"]
    assert "visible words" in world.log(run)
    assert "::error::injected" in world.log(run)


def test_an_unknown_action_fails_the_job_before_any_step(world):
    world.workflow(steps(run_step("echo never"), "{uses: some/thing@v1}"))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert "Unable to resolve action `some/thing@v1`" in world.log(run)
    assert "never" not in world.log(run)


def test_a_malformed_output_fails_the_step(world):
    world.workflow(steps(run_step("printf 'a<<EOF\\nb\\n' >> $GITHUB_OUTPUT")))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert "Matching delimiter not found 'EOF'" in world.log(run)


@pytest.mark.parametrize("persist", [True, False])
def test_checkout_brings_the_commit_with_the_jobs_token(tmp_path, persist):
    bare, work = tmp_path / "bare", tmp_path / "work"
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (
        ["init", "-q", "-b", "main", str(work)],
        ["-C", str(work), *identity, "commit", "-q", "--allow-empty", "-m", "one"],
        ["-C", str(work), *identity, "commit", "-q", "--allow-empty", "-m", "two"],
        ["clone", "-q", "--bare", str(work), str(bare)],
    ):
        subprocess.run(["git", *command], check=True)
    sha = subprocess.run(
        ["git", "-C", str(bare), "rev-parse", "main"], check=True, capture_output=True, text=True
    ).stdout.strip()
    with World(tmp_path / "w", bare=bare) as world:
        world.forge.refs["refs/heads/main"] = sha
        world.workflow(
            steps(
                f"{{uses: actions/checkout@v4, with: {{persist-credentials: {str(persist).lower()}}}}}",
                run_step(
                    "git log --format=%s; git status -sb; git fetch -q origin main && echo got-$((40 + 2))"
                ),
            )
        )
        world.label()
        (run,) = world.settle()
        log = world.log(run)
        assert (run.conclusion == "success", "got-42" in log) == (persist, persist)
        assert "two" in log
        assert "## main" in log
        assert "one" not in log.replace("None", "")


# -- the API


def test_runs_jobs_and_logs_can_be_read(world):
    world.workflow(steps(run_step("echo hello"), on="{issues: {types: [labeled]}, workflow_dispatch: }"))
    world.label()
    world.settle()
    world.ask("/workflows/w.yml/dispatches", {"ref": "main"})
    first, second = world.settle()
    status, listed = world.ask("/runs?event=issues&status=success&branch=main&per_page=1")
    assert (status, listed["total_count"], listed["workflow_runs"][0]["id"]) == (200, 1, first.id)
    workflows = world.ask("/workflows")[1]
    number = workflows["workflows"][0]["id"]
    assert workflows["total_count"] == 1
    assert world.ask(f"/workflows/{number}/runs")[1]["workflow_runs"][0]["id"] == second.id
    assert world.ask(f"/workflows/{number}")[1]["path"] == ".github/workflows/w.yml"
    one = world.ask(f"/runs/{first.id}")[1]
    assert (one["status"], one["conclusion"], one["display_title"]) == ("completed", "success", "Do it")
    (job,) = world.ask(f"/runs/{first.id}/jobs")[1]["jobs"]
    assert (job["name"], job["conclusion"], [step["name"] for step in job["steps"]]) == (
        "j", "success", ["Run echo hello"]
    )  # fmt: skip
    status, log = world.ask(f"/jobs/{job['id']}/logs")
    assert b"hello" in log
    archive = zipfile.ZipFile(io.BytesIO(world.ask(f"/runs/{first.id}/logs")[1]))
    whole, *parts = archive.namelist()
    assert b"hello" in archive.read(whole)
    assert [name for name in parts if b"hello" in archive.read(name)] == ["j/1_Run echo hello.txt"]
    assert world.ask(f"/runs/{first.id}/artifacts")[1] == {"total_count": 0, "artifacts": []}
    assert world.ask("/runs/999")[0] == 404
    assert world.ask("/runs", token="wrong")[0] == 401


def test_an_action_has_the_actions_service_and_a_script_has_not(tmp_path):
    with World(tmp_path) as world:
        world.workflow(
            """
            on: {workflow_dispatch: {}}
            jobs:
              j:
                runs-on: ubuntu-latest
                steps:
                  - uses: octo/stand-in@v1
                    with:
                      code: |
                        import base64, json, os
                        token = os.environ["ACTIONS_RUNTIME_TOKEN"]
                        body = token.split(".")[1]
                        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
                        print("address", os.environ["ACTIONS_RESULTS_URL"])
                        print("scope", claims["scp"].split()[0].partition(":")[0])
                        print("token", token)
                  - run: echo "script has [$ACTIONS_RUNTIME_TOKEN$ACTIONS_RESULTS_URL]"
            """
        )
        world.player.dispatch(REPO, "w.yml", "main", {}, actor="ada")
        (run,) = world.settle()
        log = world.log(run)
    assert run.conclusion == "success", log
    assert f"address {world.url}/" in log
    assert "scope Actions.Results" in log
    assert "token ***" in log
    assert "script has []" in log
