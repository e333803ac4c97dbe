"""The API of runs, jobs, logs and artifacts."""

import io
import zipfile

from integration.embedded_github.player_world import REPO, World, run_step, steps


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


def test_a_run_that_is_over_can_be_deleted_one_at_work_cannot(world):
    world.workflow(steps(run_step("echo hello"), run_step("sleep 60"), on="{workflow_dispatch: }"))
    world.ask("/workflows/w.yml/dispatches", {"ref": "main"})
    (run,) = world.player.runs.runs(REPO)[1]
    assert world.ask(f"/runs/{run.id}", method="DELETE")[0] == 403
    world.player.cancel(run.id)
    world.settle()
    (job,) = world.ask(f"/runs/{run.id}/jobs")[1]["jobs"]
    assert world.ask(f"/runs/{run.id}", method="DELETE")[0] == 204
    for path in (f"/runs/{run.id}", f"/runs/{run.id}/jobs", f"/jobs/{job['id']}"):
        assert world.ask(path)[0] == 404
    assert world.ask(f"/runs/{run.id}", method="DELETE")[0] == 404


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
