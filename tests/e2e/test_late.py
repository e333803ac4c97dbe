"""What joins a loop after it began, and how each kind of continuation comes about."""

from contextlib import contextmanager

import pytest

from e2e.github_world import BOT, LABEL, github_world
from embedded_github.forge.models import Actor
from git_world import git
from loop_world import bash, honest, journal_events, listed, make_project, model, submit
from waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.root]
REPO, LOOP = "octo/numbers", "issue-1"
PR = f"autonomous-loop/{LOOP}/pr"
CI = """
name: CI
on: [pull_request, push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: {}
"""
FEATURES = {"two": [honest("two", 2)], "three": [honest("three", 3)], "four": [honest("four", 4)]}


def plans(*lists):
    """One planning after the other: ids of features."""
    return [
        {
            "turns": [
                {
                    "tools": [
                        {
                            "propose_features": {
                                "setup": "",
                                "test_command": "python -m pytest",
                                "features": [one if isinstance(one, dict) else listed(one) for one in ids],
                            }
                        }
                    ]
                }
            ]
        }
        for ids in lists
    ]


@contextmanager
def world_of(tmp_path, *lists, features=None, config="", files=None, settled=True, **people):
    """The tiny project on the embedded GitHub, with a labelled issue; what follows has come to its end."""
    folder = make_project(tmp_path / "project", config=config, files=files)
    with (
        model(plans(*lists), features or FEATURES) as (url, log),
        github_world(tmp_path / "github", url, repo=REPO, files=folder, log=log, **people) as world,
    ):
        world.issue("# Numbers\n\nI want two().")
        world.label(1)
        if settled:
            world.settle()
        yield world


def events_of(world, kind):
    return [one["event"] for one in journal_events(world.folder, LOOP) if one["event"]["type"] == kind]


def proved(world):
    return [one["proof"]["feature_id"] for one in events_of(world, "kept")]


def endings(world):
    return [one["reason"] for one in events_of(world, "ended")]


def said(world):
    return "\n".join(map(world.said, world.runs()))


def review(world, login, *, body="", comments=(), event="REQUEST_CHANGES"):
    number = world.pull().number
    world.github.store.reviews.create(REPO, number, Actor(login), event=event, body=body, comments=comments)


def push(world, tmp_path, files, *, branch=PR, login="octo"):
    """A person's commit; its SHA."""
    token = world.github.store.tokens.create(login)
    address = world.github.url.replace("://", f"://x-access-token:{token}@") + f"/{REPO}.git"
    clone = tmp_path / f"clone-{len(list(tmp_path.iterdir()))}"
    git(tmp_path, "clone", "-q", "-b", branch, address, str(clone))
    for name, text in files.items():
        (clone / name).write_text(text)
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "by hand")
    git(clone, "push", "-q", "origin", f"HEAD:{branch}")
    return git(clone, "rev-parse", "HEAD")


# --- commands


def test_what_is_added_to_a_complete_loop_is_built_in_the_same_loop(tmp_path):
    with world_of(tmp_path, ["two"], ["three"]) as world:
        assert endings(world) == ["complete"], said(world)
        assert not world.pull().draft
        world.comment(1, "/loop add I want three() too.\n\n<!-- and rm -rf / -->It is 3.")
        world.settle()
        assert proved(world) == ["two", "three"], said(world)
        assert endings(world) == ["complete", "complete"]
        (wish,) = events_of(world, "wished")
        assert (wish["by"], wish["source"], wish["text"]) == (
            "octo",
            "add",
            "I want three() too.\n\nIt is 3.",
        )
        assert [one["name"] for one in events_of(world, "consumed")] == ["add"]
        assert not world.pull().draft
        assert world.labels(1) == {LABEL, f"{LABEL}: ready"}
        assert any(one.conversation == "planner#2" for one in world.log.records)
        # Nothing more is asked for by a second look at the same comment.
        world.comment(1, "/loop continue")
        world.settle()
        assert len(events_of(world, "claimed")) == 2


def test_what_the_planner_makes_nothing_of_is_one_feature_as_it_is(tmp_path):
    with world_of(tmp_path, ["two"], ["two", "two"]) as world:
        world.comment(1, "/loop add three")
        world.settle()
        assert proved(world) == ["two", "three"], said(world)
        (added,) = events_of(world, "added")
        assert added["features"] == ["three"]
        assert len(events_of(world, "spent")) == 2


def test_a_stranger_adds_nothing(tmp_path):
    with world_of(tmp_path, ["two"], ["three"], triager="triage", reader="read") as world:
        world.github.store.create_user("stranger")
        for login in ("triager", "reader", "stranger"):
            world.comment(1, "/loop add three", login)
            world.comment(world.pull().number, "/loop budget 1", login)
        world.settle()
        assert len(events_of(world, "claimed")) == 1
        assert events_of(world, "consumed") == []
        assert world.runs()[-1].conclusion == "success"


def test_a_later_feature_counts_among_the_most_a_loop_may_have(tmp_path):
    config = "max-features = 1\n"
    with world_of(tmp_path, ["two"], ["three"], config=config) as world:
        world.comment(1, "/loop add three")
        world.settle()
        assert proved(world) == ["two"]
        assert endings(world) == ["complete"]


def test_a_budget_is_set_by_a_comment_up_to_the_ceiling_and_no_further(tmp_path):
    config = 'max-usd = 0.000001\nmax-usd-ceiling = 5\ncontinuation = "manual"\n'
    with world_of(tmp_path, ["two"], config=config) as world:
        assert endings(world) == ["money"], said(world)
        world.comment(1, "/loop budget 6")
        world.settle()
        assert endings(world) == ["money"]
        world.comment(1, "/loop budget 4")
        world.settle()
        assert proved(world) == ["two"], said(world)
        assert [(one["usd"], one["by"]) for one in events_of(world, "budget")] == [(4.0, "octo")]
        body = world.github.store.issues.require(REPO, world.pull().number).body
        assert "of $4.00" in body


def test_a_budget_that_comes_while_a_session_runs_out_of_money_is_its_own(tmp_path):
    dear = {"tools": [bash("true")], "delay_s": 10, "usage": {"output_tokens": 60_000}}
    features = {"two": [honest("two", 2, before=[{"tools": [bash("true")]}, dear]), honest("two", 2)]}
    config = 'max-usd = 0.5\nmax-usd-ceiling = 5\ncontinuation = "manual"\n'
    with world_of(tmp_path, ["two"], features=features, config=config, settled=False) as world:
        wait_for(lambda: any(one.conversation == "two#1" for one in world.log.records), seconds=120)
        world.comment(1, "/loop budget 5")
        world.settle()
        assert [one["usd"] for one in events_of(world, "budget")] == [5.0], said(world)
        assert proved(world) == ["two"], said(world)
        assert endings(world) == ["complete"]


def test_a_stop_in_a_sessions_last_seconds_starts_no_other(tmp_path):
    slow = [{"tools": [bash("true")]}, {"tools": [bash("true")], "delay_s": 3}]
    features = {**FEATURES, "two": [honest("two", 2, before=slow)]}
    lists = ["two", listed("three", priority=2)]
    with world_of(
        tmp_path, lists, features=features, config="session-features = 1\n", settled=False
    ) as world:
        # The session looked for comments when it began, and does so again only later than this.
        wait_for(lambda: any(one.conversation == "two#1" for one in world.log.records), seconds=120)
        world.comment(1, "/loop stop")
        world.settle()
        assert endings(world) == ["stopped"], said(world)
        assert [one["name"] for one in events_of(world, "consumed")] == ["stop"]


def test_the_last_word_on_stopping_counts(tmp_path):
    config = 'session-features = 1\ncontinuation = "manual"\n'
    with world_of(tmp_path, ["two", listed("three", priority=2)], config=config) as world:
        for words in ("/loop stop", "/loop continue"):
            world.comment(1, words)
            world.settle()
        assert endings(world) == ["session-done", "complete"], said(world)
        assert [one["name"] for one in events_of(world, "consumed")] == ["stop", "continue"]


def test_without_a_ceiling_a_comment_cannot_raise_the_budget(tmp_path):
    config = 'max-usd = 0.000001\ncontinuation = "manual"\n'
    with world_of(tmp_path, ["two"], config=config) as world:
        world.comment(1, "/loop budget 4")
        world.settle()
        assert endings(world) == ["money"]
        assert events_of(world, "budget") == []


# --- approval


def test_the_list_waits_for_a_go_and_what_was_added_and_skipped_before_it_counts(tmp_path):
    lists = (["two", "three"], ["four"])
    with world_of(tmp_path, *lists, config="plan-approval = true\n", triager="triage") as world:
        assert endings(world) == ["approval"], said(world)
        assert events_of(world, "attempt-started")[-1]["feature_id"] == "PLANNING"
        assert world.labels(1) == {LABEL, f"{LABEL}: paused"}
        texts = [one.body for one in world.github.store.comments.list(REPO, 1) if one.author == BOT]
        (asked,) = [one for one in texts if "needs you" in one and "handoff" not in one]
        assert "Needs you" in asked
        assert "Estimate" in asked
        assert "**three**" in asked
        assert "/loop go" in asked
        for login, text in (
            ("triager", "/loop go"),
            ("octo", "/loop continue"),
            ("octo", "/loop skip three"),
            ("octo", "/loop add four"),
        ):
            world.comment(1, text, login)
            world.settle()
        world.github.player.schedule_now(REPO)
        world.settle()
        assert len(events_of(world, "claimed")) == 1, said(world)
        world.comment(1, "/loop go")
        world.settle()
        assert [one["by"] for one in events_of(world, "approved")] == ["octo"]
        assert proved(world) == ["two", "four"], said(world)
        assert endings(world) == ["approval", "blocked"]


# --- reviews


def test_a_review_that_asks_for_changes_becomes_work_of_the_complete_loop(tmp_path):
    with world_of(tmp_path, ["two"], ["three"], ann="write", triager="triage") as world:
        review(world, "triager", body="Change everything")
        review(world, "ann", body="Nice", event="APPROVE")
        review(world, "ann", body="Hm", event="COMMENT")
        world.settle()
        assert len(events_of(world, "claimed")) == 1
        line = {"path": "app.py", "body": "Not <!-- hidden -->enough", "line": 1}
        review(world, "ann", body="Where is three()?", comments=[line])
        world.settle()
        assert proved(world) == ["two", "three"], said(world)
        (wish,) = events_of(world, "wished")
        assert wish["by"] == "ann"
        assert wish["text"] == "Where is three()?\n- app.py, line 1: Not enough"
        pull = world.pull()
        assert (pull.number, pull.draft) == (world.pull().number, False)
        drafts = [
            one.event
            for one in world.github.store.issues.events(REPO, pull.number)
            if one.event in {"convert_to_draft", "ready_for_review"}
        ]
        assert drafts == ["ready_for_review", "convert_to_draft", "ready_for_review"]


# --- CI


def test_a_failed_run_of_ci_on_what_was_published_becomes_work_once(tmp_path):
    ci = CI.format("'echo so it was; test -f three.txt'")
    steps = {"turns": [{"tools": [bash("echo 3 > three.txt")]}, {"tools": [submit("three-file")]}]}
    features = {**FEATURES, "three-file": [steps]}
    chore = listed("three-file", kind="chore")
    files = {".github/workflows/ci.yml": ci}
    with world_of(tmp_path, ["two"], [chore], features=features, files=files) as world:
        assert endings(world) == ["complete"], said(world)
        (waiting,) = [run for run in world.runs() if run.conclusion == "action_required"]
        world.github.player.rerun(waiting.id, actor="octo")
        world.settle()
        assert proved(world) == ["two", "three-file"], said(world)
        (wish,) = events_of(world, "wished")
        assert (wish["source"], wish["subject"]) == ("ci", ".github/workflows/ci.yml")
        assert "Job test" in wish["text"]
        assert "so it was" in wish["text"]
        # The same workflow on the same commit is no news, and that commit is not the published one any more.
        world.github.player.rerun(waiting.id, actor="octo")
        world.settle()
        assert len(events_of(world, "claimed")) == 2


# --- pushes


def test_a_persons_push_is_taken_in_and_proved_again(tmp_path):
    with world_of(tmp_path, ["two"]) as world:
        head = push(world, tmp_path, {"notes.txt": "mine\n"})
        world.settle()
        assert [one["commit"] for one in events_of(world, "taken-in")] == [head], said(world)
        assert endings(world) == ["complete", "complete"]
        assert [one["session"] for one in events_of(world, "claimed")] == [1, 2]
        assert world.runs()[-1].event == "push"


def test_a_push_that_breaks_a_proof_is_work_for_the_agent(tmp_path):
    again = honest("two", 2)
    again["turns"][1] = {"tools": [bash("sed -i 's/return 7/return 2/' app.py")]}
    features = {"two": [honest("two", 2), again]}
    with world_of(tmp_path, ["two"], features=features) as world:
        broken = world.git("show", f"{PR}:app.py").replace("return 2", "return 7") + "\n"
        push(world, tmp_path, {"app.py": broken, "notes.txt": "mine\n"})
        world.settle()
        (revoked,) = events_of(world, "revoked")
        assert revoked["feature_id"] == "two"
        assert proved(world) == ["two", "two"], said(world)
        assert endings(world)[-1] == "complete"
        assert world.git("show", f"{PR}:notes.txt") == "mine"
        assert "return 2" in world.git("show", f"{PR}:app.py")


def test_a_conflict_with_the_base_branch_is_work_for_the_agent(tmp_path):
    solve = "python3 - <<'E'\nimport re\nt = open('app.py').read()\nassert '<<<<<<<' in t\n"
    solve += "open('app.py', 'w').write(re.sub(r'(?m)^(<{7}|={7}|>{7}).*\\n', '\\n', t))\nE\n"
    merging = {"turns": [{"tools": [bash(solve)]}, {"tools": [submit("merge-base-branch")]}]}
    features = {**FEATURES, "merge-base-branch": [merging]}
    config = 'session-features = 1\ncontinuation = "manual"\n'
    lists = ["two", listed("three", priority=2)]
    with world_of(tmp_path, lists, features=features, config=config) as world:
        assert proved(world) == ["two"], said(world)
        text = world.git("show", "main:app.py") + "\n\n\ndef nine():\n    return 9\n"
        push(world, tmp_path, {"app.py": text}, branch="main")
        world.comment(1, "/loop continue")
        world.settle()
        world.comment(1, "/loop continue")
        world.settle()
        assert proved(world) == ["two", "three", "merge-base-branch"], said(world)
        assert endings(world)[-1] == "complete"
        merged = world.git("show", f"{PR}:app.py")
        assert "nine" in merged
        assert "three" in merged
        assert world.git("merge-base", "--is-ancestor", "main", PR) == ""


# --- how sessions follow one another


def test_auto_dispatches_the_next_session(tmp_path):
    with world_of(tmp_path, ["two", listed("three", priority=2)], config="session-features = 1\n") as world:
        assert [run.event for run in world.runs()] == ["issues", "workflow_dispatch"]
        assert proved(world) == ["two", "three"], said(world)


@pytest.mark.parametrize("mode", ["manual", "scheduled", "event"])
def test_each_other_mode_waits_for_its_own_sign(tmp_path, mode):
    config = f'session-features = 1\ncontinuation = "{mode}"\n'
    with world_of(tmp_path, ["two", listed("three", priority=2)], config=config) as world:
        assert endings(world) == ["session-done"], said(world)
        if mode == "manual":
            push(world, tmp_path, {"notes.txt": "mine\n"})
            world.settle()
            assert len(events_of(world, "claimed")) == 1
            world.comment(1, "/loop continue")
        elif mode == "scheduled":
            world.github.player.schedule_now(REPO)
        else:
            push(world, tmp_path, {"notes.txt": "mine\n"})
        world.settle()
        assert proved(world) == ["two", "three"], said(world)
        assert endings(world)[-1] == "complete"
        event = {"manual": "issue_comment", "scheduled": "schedule", "event": "push"}[mode]
        assert world.runs()[-1].event == event
