import signal
from datetime import datetime, timedelta

import pytest

from autonomous_loop import AutonomousLoop, LoopConfig
from git_world import git
from loop_world import (
    bash,
    create,
    honest,
    journal_events,
    listed,
    make_project,
    model,
    plan,
    run,
    running,
    submit,
)
from waiting import wait_for

pytestmark = pytest.mark.root
LOOP = "run-two-numbers"
TWO = plan(listed("two", priority=1), listed("three", priority=2, depends_on=["two"]))


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture
def request_file(tmp_path):
    path = tmp_path / "request.md"
    path.write_text("# Two numbers\n\nI want two() and three().\n")
    return path


async def test_the_snippet_of_the_readme_works(project, request_file, monkeypatch):
    (project / "feature_list.json").write_text(
        '[{"category": "x", "description": "two", "steps": [], "passes": false}]'
    )
    with model(TWO, {"two": [honest("two", 2)]}) as (url, _):
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-0123456789")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        project_dir = project
        loop = AutonomousLoop(project_dir)
        result = await loop.run(LoopConfig(max_sessions=10, token_budget=500_000, auto_checkpoint=True))
    assert result.success
    assert (result.features_completed, result.features_total, result.sessions_used) == (1, 1, 1)
    assert result.total_tokens > 0
    assert result.errors_recovered == 0
    assert result.duration_minutes > 0
    assert result.handoff_reason == "complete"


def test_a_request_becomes_one_commit_a_feature_and_the_checkout_is_never_touched(project, request_file):
    (project / "app.py").write_text("uncommitted\n")
    with model(TWO, {"two": [honest("two", 2)], "three": [honest("three", 3)]}) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert result["success"]
    assert "app.py" in said.split("left out")[1].splitlines()[0]
    assert (project / "app.py").read_text() == "uncommitted\n"
    assert git(project, "status", "--short") == "M app.py"
    pr = f"autonomous-loop/{LOOP}/pr"
    subjects = git(project, "log", "--format=%s", f"main..{pr}").splitlines()
    assert [one.split(":")[0] for one in subjects] == ["three", "two"]
    assert git(project, "rev-parse", pr) == git(project, "rev-parse", f"autonomous-loop/{LOOP}/checkpoint/1")
    assert git(project, "diff", "--name-only", "main", pr).split() == [
        "app.py", "tests/test_three.py", "tests/test_two.py",
    ]  # fmt: skip


def test_running_a_finished_loop_again_does_nothing_and_says_so(project, request_file):
    with model(TWO, {"two": [honest("two", 2)], "three": [honest("three", 3)]}) as (url, log):
        run(project, url, "--request", request_file)
        asked, tip = len(log.records), git(project, "rev-parse", f"autonomous-loop/{LOOP}/state")
        code, result, _ = run(project, url, "--request", request_file)
        assert (code, result["handoff_reason"], result["sessions_used"]) == (0, "complete", 1)
        assert len(log.records) == asked
        assert git(project, "rev-parse", f"autonomous-loop/{LOOP}/state") == tip


def test_a_killed_session_loses_nothing_that_was_proved_and_its_spending_is_counted(project, request_file):
    slow = honest(
        "three",
        3,
        before=[{"tools": [bash("echo half > half.txt")]}, {"tools": [bash("true")]}],
        delay_s=60,  # of the turn after these: the model logs a turn once it has answered
    )
    with model(TWO, {"two": [honest("two", 2)], "three": [slow, honest("three", 3)]}) as (url, log):
        with running(project, url, "--request", request_file) as process:
            wait_for(
                lambda: any(one.conversation == "three#1" and one.turn == 1 for one in log.records),
                seconds=120,
            )
            process.send_signal(signal.SIGKILL)
            process.wait()
        proved = git(project, "rev-parse", f"autonomous-loop/{LOOP}/checkpoint/1")
        code, result, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert result["sessions_used"] == 2
    assert git(project, "merge-base", "--is-ancestor", proved, f"autonomous-loop/{LOOP}/pr") == ""
    events = journal_events(project, LOOP)
    kept = [one["event"]["proof"]["feature_id"] for one in events if one["event"]["type"] == "kept"]
    assert kept == ["two", "three"]
    reserved = [one["event"] for one in events if one["event"]["type"] == "attempt-started"][-2]["reserved"]
    spent = sum(
        one["event"]["spending"]["tokens"]["input"] + one["event"]["spending"]["tokens"]["output"]
        + one["event"]["spending"]["tokens"]["cache_write"] + one["event"]["spending"]["tokens"]["cache_read"]
        for one in events if "spending" in one["event"]
    )  # fmt: skip
    assert result["total_tokens"] == spent + reserved["tokens"]["input"] + reserved["tokens"]["output"]


def test_of_two_sessions_started_at_once_one_works_and_the_other_ends_neutrally(project, request_file):
    features = {"two": [honest("two", 2, delay_s=8)], "three": [honest("three", 3)]}
    with (
        model(TWO, features) as (url, _),
        running(project, url, "--request", request_file) as first,
        running(project, url, "--request", request_file) as second,
    ):
        codes = {first: first.wait(timeout=200), second: second.wait(timeout=200)}
        said = {process: process.stderr.read() for process in codes}
    assert list(codes.values()) == [0, 0], said
    assert sum("nothing to do" in text for text in said.values()) == 1
    claims = [one for one in journal_events(project, LOOP) if one["event"]["type"] == "claimed"]
    assert len(claims) == 1


def test_a_persons_stop_saves_the_work_and_the_next_run_takes_it_up(project, request_file):
    slow = honest(
        "two",
        2,
        before=[{"tools": [create("notes.txt", "half\n")]}, {"tools": [bash("true")]}],
        delay_s=60,  # of the turn after these: the model logs a turn once it has answered
    )
    again = {"turns": [{"tools": [bash("cat notes.txt && rm notes.txt")]}, *honest("two", 2)["turns"]]}
    again["turns"][1]["expect"] = "half"
    with model(TWO, {"two": [slow, again], "three": [honest("three", 3)]}) as (url, log):
        with running(project, url, "--request", request_file) as process:
            wait_for(
                lambda: any(one.conversation == "two#1" and one.turn == 1 for one in log.records), seconds=120
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=50) == 3
        code, result, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert result["sessions_used"] == 2
    reasons = [
        one["event"]["reason"] for one in journal_events(project, LOOP) if one["event"]["type"] == "ended"
    ]
    assert reasons == ["stopped", "complete"]


def test_a_money_limit_stops_the_loop_with_work_left(project, request_file):
    with model(TWO, {"two": [honest("two", 2)], "three": [honest("three", 3)]}) as (url, _):
        code, result, said = run(project, url, "--request", request_file, "--set", "max-usd=0.01")
    assert code == 3, said
    assert result["handoff_reason"] == "money"
    assert not result["success"]


def test_an_outage_pauses_the_loop_instead_of_using_its_sessions_up(project, request_file):
    down = [{"turns": [{"text": "never said", "fault": {"kind": "server_error", "times": 99}}]}]
    with model(down, {}) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
    assert code == 3, said
    assert (result["handoff_reason"], result["sessions_used"]) == ("outage", 1)
    ended = journal_events(project, LOOP)[-1]
    pause = datetime.fromisoformat(ended["event"]["not_before"]) - datetime.fromisoformat(ended["at"])
    assert timedelta(minutes=9) < pause <= timedelta(minutes=10)


def test_a_usage_limit_that_names_no_end_pauses_the_loop_as_an_outage_does(project, request_file):
    limited = [{"turns": [{"text": "x", "fault": {"kind": "rate_limit", "times": 99, "names_end": False}}]}]
    with model(limited, {}) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
        assert code == 3, said
        assert (result["handoff_reason"], result["sessions_used"]) == ("usage-limit", 1)
        run(project, url, "--request", request_file)
    events = journal_events(project, LOOP)
    ended = [one for one in events if one["event"]["type"] == "ended"]
    assert "after a pause" in ended[0]["event"]["note"]
    pauses = [
        datetime.fromisoformat(one["event"]["not_before"]) - datetime.fromisoformat(one["at"])
        for one in ended
    ]
    assert [round(pause / timedelta(minutes=1)) for pause in pauses] == [10, 20]


def test_a_usage_limit_while_planning_is_waited_for_until_it_ends(project, request_file):
    limited = [{"turns": [{"text": "x", "fault": {"kind": "rate_limit", "times": 99, "retry_after": 7200}}]}]
    with model(limited, {}) as (url, _):
        run(project, url, "--request", request_file)
    ended = journal_events(project, LOOP)[-1]
    pause = datetime.fromisoformat(ended["event"]["not_before"]) - datetime.fromisoformat(ended["at"])
    assert timedelta(minutes=119) < pause <= timedelta(minutes=120)


def test_a_feature_that_never_passes_is_blocked_and_the_others_go_on(project, request_file):
    lazy = {"turns": [{"tools": [create("tests/test_two.py", "def test_two():\n    assert True\n")]},
                      *({"tools": [submit("two", "tests/test_two.py")]} for _ in range(3))]}  # fmt: skip
    features = {"two": [lazy], "other": [honest("other", 5)]}
    with model(plan(listed("two"), listed("other", priority=2)), features) as (url, _):
        code, result, said = run(project, url, "--request", request_file)
    assert code == 1, said
    assert result["handoff_reason"] == "blocked"
    assert (result["features_completed"], result["features_total"]) == (1, 2)


def test_a_protected_path_is_held_back_and_the_rest_is_proved(project, request_file):
    turns = honest("two", 2, before=[{"tools": [create(".github/workflows/evil.yml", "on: push\n")]}])
    with model(plan(listed("two")), {"two": [turns]}) as (url, _):
        code, _, said = run(project, url, "--request", request_file)
    assert code == 0, said
    pr = f"autonomous-loop/{LOOP}/pr"
    assert ".github" not in git(project, "ls-tree", "--name-only", pr)


def test_keys_are_in_no_environment_of_the_hands(project, request_file):
    look = bash(
        "env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a -i anthropic; cat ~/.netrc; true"
    )
    turns = honest("two", 2, before=[{"tools": [look]}])
    with model(plan(listed("two")), {"two": [turns]}) as (url, log):
        log_bodies = log
        code, _, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert "sk-ant-test" not in said
    assert all("sk-ant-test" not in str(one.body) for one in log_bodies.records)


def test_the_network_is_open_and_that_is_said(project, request_file):
    with model(plan(listed("two")), {"two": [honest("two", 2)]}) as (url, _):
        code, _, said = run(project, url, "--request", request_file)
    assert code == 0, said
    assert "the hands' network is open: what the model runs reaches everything" in said


def test_a_closed_network_lets_out_only_what_is_listed(project, request_file):
    look = bash(
        "curl -sS -m 20 http://not-listed.example/ 2>&1; "
        "curl -sS -m 20 --noproxy '*' http://192.0.2.1/ 2>&1; true"
    )
    turns = honest("two", 2, before=[{"tools": [look]}])
    with model(plan(listed("two")), {"two": [turns]}) as (url, _):
        code, _, said = run(
            project, url, "--request", request_file,
            "--network", "allowed", "--allowed-host", "listed.example",
        )  # fmt: skip
    assert code == 0, said
    assert "the hands' network is allowed: what the model runs reaches listed.example" in said
    assert "the hands' network: not-listed.example:80 is not in allowed-hosts" in said


def test_hosts_without_a_network_that_uses_them_are_an_error(project, request_file):
    code, found, _ = run(
        project, "http://127.0.0.1:9", "--request", request_file, "--allowed-host", "example.org"
    )
    assert code == 2
    assert "network to allowed" in found["hint"]


def test_two_credentials_are_an_error(project, request_file):
    code, found, said = run(
        project, "http://127.0.0.1:9", "--request", request_file, ANTHROPIC_AUTH_TOKEN="gate-secret"
    )
    assert code == 2
    assert "anthropic-auth-token are all set" in found["error"]
    assert "gate-secret" not in said
