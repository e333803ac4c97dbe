"""What a job sees and says: environment, outputs, masks, checkout."""

import json
import subprocess

import pytest

from integration.embedded_github.player_world import REPO, World, run_step, steps


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
