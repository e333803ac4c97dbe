"""The instants at which work, money or a word of people could be lost."""

import json
import os
import shutil
import subprocess

import pytest

from autonomous_loop import AutonomousLoop, LoopConfig
from autonomous_loop.engine.attempt import FeatureAttempt
from autonomous_loop.engine.full_suite import FullSuite
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.repository import Repository
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.wiring.environment import RuntimeEnvironment
from git_world import git
from loop_world import KEY, bash, create, honest, journal_events, make_project, model, submit

pytestmark = pytest.mark.root
LOOP = {1: "run-1-features-of-feature-list-json", 2: "run-2-features-of-feature-list-json"}
TWO = {"two": [honest("two", 2)]}
THREE = {**TWO, "three": [honest("three", 3)]}


class Killed(BaseException):
    """What nothing in the program can catch: as if the process had ended."""


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


async def play(project, url, *names, path=None, observe=(), **config):
    """The loop on an imported list of these features."""
    listed = [{"id": name, "description": f"{name} works"} for name in names]
    (project / "feature_list.json").write_text(json.dumps(listed))
    runtime = RuntimeEnvironment.from_environment(
        {
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": url,
            "PATH": path or os.environ["PATH"],
            "HOME": os.environ["HOME"],
        },
        observe=observe,
    )
    return await AutonomousLoop(project, surroundings=runtime).run(LoopConfig(**config))


def types(project, count):
    return [one["event"]["type"] for one in journal_events(project, LOOP[count])]


def reasons(project, count):
    return [
        e["event"]["reason"] for e in journal_events(project, LOOP[count]) if e["event"]["type"] == "ended"
    ]


def branch(project, count, name):
    return f"autonomous-loop/{LOOP[count]}/{name}"


def exists(project, name):
    argv = ["git", "rev-parse", "-q", "--verify", name]
    done = subprocess.run(argv, cwd=project, capture_output=True, check=False)
    return done.returncode == 0


def kill_after(monkeypatch, kind):
    """The session dies once, right after an event of this kind was pushed."""
    real, left = StateTracker.append, [1]

    def append(self, events, **more):
        made = real(self, events, **more)
        if left and any(event.type == kind for event in events):
            left.clear()
            raise Killed
        return made

    monkeypatch.setattr(StateTracker, "append", append)


# --- complete is what was proved and published --------------------------------------------------------------


async def test_a_clean_room_that_refuses_is_not_taken_for_complete_by_the_next_run(tmp_path):
    project = make_project(tmp_path / "project", {".gitignore": "local.txt\n__pycache__/\n"})
    test = "from app import two\n\n\ndef test_two():\n    assert two() == 2\n"
    code = "printf '\\n\\ndef two():\\n    return int(open(\"local.txt\").read())\\n' >> app.py"
    turns = [
        {"tools": [create("tests/test_two.py", test)]},
        {"tools": [bash(code), bash("echo 2 > local.txt")]},
        {"tools": [submit("two", "tests/test_two.py")]},
    ]
    with model(None, {"two": [{"turns": turns}]}) as (url, _):
        first = await play(project, url, "two")
        second = await play(project, url, "two")
    assert (first.success, first.handoff_reason) == (False, "blocked")
    assert (second.success, second.handoff_reason) == (False, "blocked")


async def test_a_session_killed_after_its_clean_room_is_published_by_the_next(project, monkeypatch):
    with model(None, TWO) as (url, _):
        kill_after(monkeypatch, "clean-room")
        with pytest.raises(Killed):
            await play(project, url, "two")
        assert not exists(project, branch(project, 1, "pr"))
        result = await play(project, url, "two")
    assert result.success
    assert git(project, "rev-parse", branch(project, 1, "pr")) == git(
        project, "rev-parse", branch(project, 1, "checkpoint/1")
    )
    assert reasons(project, 1) == ["complete"]


async def test_a_push_of_a_person_in_the_last_session_is_taken_in_before_the_loop_is_complete(
    project, monkeypatch
):
    pr, real = branch(project, 2, "pr"), FullSuite.clean_room
    pushed = []

    async def clean_room(self):
        found = await real(self)
        if not pushed:
            tree = git(project, "rev-parse", f"{pr}^{{tree}}")
            pushed.append(git(project, "commit-tree", tree, "-p", pr, "-m", "a person's"))
            git(project, "update-ref", f"refs/heads/{pr}", pushed[0])
        return found

    monkeypatch.setattr(FullSuite, "clean_room", clean_room)
    with model(None, THREE) as (url, _):
        result = await play(project, url, "two", "three", session_features=1)
    assert result.success
    assert result.sessions_used == 3
    assert reasons(project, 2) == ["session-done", "session-done", "complete"]
    git(project, "merge-base", "--is-ancestor", pushed[0], pr)
    assert "def three" in git(project, "show", f"{pr}:app.py")


# --- faults after the claim ---------------------------------------------------------------------------------


def git_that_fails(folder, *, at, pushes_first, down=0):
    """A `git` whose push number `at` ends as when the network is gone; so do `down` more calls."""
    folder.mkdir()
    real = shutil.which("git")
    script = folder / "git"
    script.write_text(
        f"""#!/bin/bash
gone() {{ echo "fatal: unable to access 'https://x/': Could not resolve host: x" >&2; exit 128; }}
case " $* " in *" push "* | *" ls-remote "*)
  left=$(cat {folder}/down 2>/dev/null || echo 0)
  if [ "$left" -gt 0 ]; then echo $((left - 1)) >{folder}/down; gone; fi;;
esac
case " $* " in *" push "*)
  echo x >>{folder}/pushes
  if [ "$(wc -l <{folder}/pushes)" -eq {at} ]; then
    {f'{real} "$@" >/dev/null 2>&1' if pushes_first else ":"}
    echo {down} >{folder}/down; gone
  fi;;
esac
exec {real} "$@"
"""
    )
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("pushes_first", [False, True], ids=["nothing arrived", "only the answer was lost"])
async def test_a_push_that_fails_for_a_moment_costs_nothing(project, tmp_path, pushes_first):
    path = git_that_fails(tmp_path / "bin", at=5, pushes_first=pushes_first)
    with model(None, TWO) as (url, _):
        result = await play(project, url, "two", path=path)
    assert result.success
    assert result.sessions_used == 1
    assert types(project, 1).count("kept") == 1


@pytest.mark.parametrize("pushes_first", [False, True], ids=["nothing arrived", "only the answers were lost"])
@pytest.mark.parametrize("at", [2, 4, 5, 8])
async def test_a_push_whose_end_nobody_learned_is_settled_by_what_comes_next(
    project, tmp_path, at, pushes_first
):
    # The push, both times it is tried again, and the look at what became of it (three times).
    path = git_that_fails(tmp_path / "bin", at=at, pushes_first=pushes_first, down=5)
    with model(None, TWO) as (url, _):
        result = await play(project, url, "two", path=path)
        again = result if result.success else await play(project, url, "two")
    assert again.success
    # Everything once, and the session said how it ended: nobody was told that another one had pushed.
    told = types(project, 1)
    assert [told.count(one) for one in ("planned", "baseline", "kept", "published")] == [1] * 4
    assert told.count("attempt-ended") == 1
    assert told.count("ended") == told.count("claimed") == again.sessions_used
    if at == 5:  # the proof: the session goes on where it stood
        assert result.sessions_used == 1


@pytest.mark.parametrize("pushes_first", [False, True], ids=["nothing arrived", "only the answers were lost"])
async def test_what_was_held_back_is_written_once_though_the_end_of_its_push_is_not_known(
    project, tmp_path, pushes_first
):
    path = git_that_fails(tmp_path / "bin", at=6, pushes_first=pushes_first, down=5)
    with model(None, TWO) as (url, _):
        result = await play(project, url, "two", path=path, auto_checkpoint=False)
        again = result if result.success else await play(project, url, "two", auto_checkpoint=False)
    assert again.success
    assert types(project, 1).count("kept") == 1


async def test_an_unexpected_error_ends_the_session_saves_its_work_and_shows_no_key(project, monkeypatch):
    real, left = FeatureAttempt.remember, [1]

    async def remember(self, note):
        if left:
            left.clear()
            raise RuntimeError(f"boom {KEY}")
        await real(self, note)

    monkeypatch.setattr(FeatureAttempt, "remember", remember)
    before = [{"tools": [create("notes.txt", "half\n")]}, {"tools": [{"remember": {"note": "x"}}]}]
    again = {"turns": [{"tools": [bash("cat notes.txt && rm notes.txt")]}, *honest("two", 2)["turns"]]}
    again["turns"][1]["expect"] = "half"
    with model(None, {"two": [honest("two", 2, before=before), again]}) as (url, _):
        first = await play(project, url, "two")
        second = await play(project, url, "two")
    assert first.handoff_reason == "failed"
    assert second.success
    assert reasons(project, 1) == ["failed", "complete"]
    whole = json.dumps(journal_events(project, LOOP[1]))
    assert "RuntimeError: boom" in whole
    assert KEY not in whole


async def test_hands_that_fail_at_the_start_hand_the_session_off(project, monkeypatch):
    real, left = ScratchWorkspace.open, [1]

    async def opened(self, commit):
        if left:
            left.clear()
            raise SandboxCallError("no room")
        await real(self, commit)

    monkeypatch.setattr(ScratchWorkspace, "open", opened)
    with model(None, TWO) as (url, _):
        result = await play(project, url, "two")
    assert result.success
    assert reasons(project, 1) == ["environment", "complete"]


async def test_a_refusal_may_name_a_file_whose_name_is_no_utf8(project):
    link = {"tools": [bash(r"ln -s /etc/passwd $'l\xe9'")]}
    again = {"tools": [bash("rm l*")], "expect": r"l\351 is a link that points out of the project"}
    before = [link, {"tools": [submit("two", "tests/test_one.py")]}, {**again}]
    with model(None, {"two": [honest("two", 2, before=before)]}) as (url, _):
        result = await play(project, url, "two")
    assert result.success


# --- budgets ------------------------------------------------------------------------------------------------


async def test_what_a_dead_session_reserved_counts_before_the_next_one_claims(project, monkeypatch):
    with model(None, TWO) as (url, log):
        kill_after(monkeypatch, "attempt-started")
        with pytest.raises(Killed):
            await play(project, url, "two", max_usd=0.2)
        result = await play(project, url, "two", max_usd=0.2)
        assert not [one for one in log.records if one.conversation == "two#1"]
    assert result.handoff_reason == "money"
    assert result.sessions_used == 1


async def test_answers_that_break_off_spend_no_more_than_there_is(project):
    long = {"turns": [{"text": "word " * 40_000, "fault": {"kind": "clean_end", "times": 99}}]}
    with model(None, {"two": [long]}) as (url, log):
        result = await play(project, url, "two", max_usd=1.0)
    assert result.handoff_reason == "money"
    assert len([one for one in log.records if one.conversation]) == 1


# --- a checkpoint only at the end ---------------------------------------------------------------------------


async def test_without_auto_checkpoint_only_the_end_of_a_session_moves_the_checkpoint(project):
    seen = {}

    def look(snapshot):
        if snapshot.step in {"three: attempt 1", "three: proved and kept"}:
            kept = types(project, 2).count("kept")
            moved = exists(project, branch(project, 2, "checkpoint/1"))
            seen[snapshot.step] = (moved, kept, snapshot.passing)

    with model(None, THREE) as (url, _):
        result = await play(project, url, "two", "three", auto_checkpoint=False, observe=(look,))
    assert result.success
    assert seen == {"three: attempt 1": (False, 0, 1), "three: proved and kept": (False, 0, 2)}
    assert types(project, 2).count("kept") == 2
    pr = branch(project, 2, "pr")
    assert git(project, "rev-parse", pr) == git(project, "rev-parse", branch(project, 2, "checkpoint/1"))
    assert "def three" in git(project, "show", f"{pr}:app.py")
    for name in ("two", "three"):
        git(project, "show", f"{branch(project, 2, 'state')}:proofs/{name}.json")


async def test_without_auto_checkpoint_a_dead_session_costs_its_features_but_not_its_spending(
    project, monkeypatch
):
    real, left = FeatureAttempt.submit, [1]

    async def submitted(self, submission):
        if left and submission.feature_id == "three":
            left.clear()
            raise Killed
        return await real(self, submission)

    monkeypatch.setattr(FeatureAttempt, "submit", submitted)
    with model(None, THREE) as (url, _):
        with pytest.raises(Killed):
            await play(project, url, "two", "three", auto_checkpoint=False)
        events = [one["event"] for one in journal_events(project, LOOP[2])]
        spent = [one for one in events if one["type"] == "attempt-ended"]
        assert [one["attempt"]["outcome"] for one in spent] == ["proved"]
        assert spent[0]["spending"]["usd"] > 0
        result = await play(project, url, "two", "three", auto_checkpoint=False)
    assert result.success


# --- secrets ------------------------------------------------------------------------------------------------


async def test_a_key_in_the_models_words_reaches_neither_journal_nor_commit(project):
    turns = honest("two", 2, before=[{"tools": [{"remember": {"note": f"the key is {KEY}"}}]}])
    turns["turns"][-1]["tools"] = [submit("two", "tests/test_two.py", summary=f"done with {KEY}")]
    with model(None, {"two": [turns]}) as (url, _):
        result = await play(project, url, "two")
    assert result.success
    state = branch(project, 1, "state")
    for name in git(project, "ls-tree", "-r", "--name-only", state).splitlines():
        if not name.startswith("evidence/"):
            assert KEY not in git(project, "show", f"{state}:{name}"), name
    assert KEY not in git(project, "log", branch(project, 1, "pr"))


LONG_IDS = """
import pytest
from app import two

IDS = [f"{number} " + "lorem ipsum " * 8000 for number in range(25)]


@pytest.mark.parametrize("text", IDS, ids=IDS)
def test_two(text):
    assert two() == 2
"""


async def test_test_ids_longer_than_the_journal_takes_are_refused_and_the_feature_can_be_mended(project):
    turns = honest("two", 2)["turns"]
    long = {"tools": [create("tests/test_two.py", LONG_IDS)]}
    shorter = {"tools": [bash("sed -i 's/, ids=IDS//; s/range(25)/range(3)/' tests/test_two.py")]}
    script = {"turns": [long, *turns[1:], shorter, turns[-1]]}
    steps = []
    with model(None, {"two": [script]}) as (url, _):
        result = await play(project, url, "two", observe=(lambda shown: steps.append(shown.step),))
    assert result.success
    assert "two: refused: too-many-ids" in steps


async def test_no_patch_is_made_of_a_file_that_is_too_large_to_be_taken(project, monkeypatch):
    real, made = Repository.patch, []

    def patch(*args, **more):
        found = real(*args, **more)
        made.append(len(found or b""))
        return found

    monkeypatch.setattr(Repository, "patch", patch)
    log = bash("yes 'a request was served' | head -c 6000000 > run.log")
    with model(None, {"two": [honest("two", 2, before=[{"tools": [log]}])]}) as (url, _):
        result = await play(project, url, "two", max_attempts=1)
    assert result.handoff_reason == "blocked"
    assert max(made, default=0) < 6_000_000
