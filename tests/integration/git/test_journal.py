from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from autonomous_loop.domain.budget import Limits, Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import (
    Added,
    AttemptStarted,
    Claimant,
    Claimed,
    Ended,
    LoopFacts,
    Planned,
    Remembered,
    RequestAdded,
)
from autonomous_loop.domain.feature import AttemptOutcome, Feature, FeatureList
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.domain.request import Request
from autonomous_loop.errors import JournalError, Superseded
from autonomous_loop.git.checkpoints import CheckpointManager
from autonomous_loop.git.claimants import ProcessClaimants
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.report.redactor import Redactor
from git_world import git

BRANCHES = "autonomous-loop/issue-1"
STATE = f"refs/heads/{BRANCHES}/state"


class Clock:
    def now(self):
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self):
        return 0.0


def tracker(repository, key="key"):
    keys = Keyring.derive((key,), repository="o/r", loop="issue-1")
    return StateTracker(repository, branches=BRANCHES, name="o/r", loop="issue-1", keys=keys, clock=Clock())


def facts(base):
    return LoopFacts(
        repository="o/r", loop="issue-1", base_branch="main", base=base, limits=Limits(sessions=3, usd=1),
        request=Request(title="t", body="b"), configuration_hash="h",
    )  # fmt: skip


def claim(number, nonce="n"):
    return Claimed(session=number, kind="INIT" if number == 1 else "CONTINUE", claimant=Claimant(nonce=nonce))


def ended(base):
    return Ended(reason=HandoffReason.TIME, checkpoint=base, minutes=1.5, progressed=True)


@pytest.fixture
def journal(repository, base):
    made = tracker(repository)
    made.begin(facts(base))
    made.append([claim(1)])
    return made


def test_what_was_appended_is_read_back_by_another_session(journal, repository, base):
    journal.append([Remembered(note="mind the gap")], files={"memory.md": b"- mind the gap\n"})
    journal.append([ended(base)])
    other = tracker(repository)
    record = other.read()
    assert record == journal.record()
    assert record.notes == ("mind the gap",)
    assert record.generation == 1
    assert record.sessions[0].reason is HandoffReason.TIME
    assert record.spending.minutes == 1.5
    assert other.read_file("memory.md") == b"- mind the gap\n"


def test_what_would_be_too_large_to_be_read_again_is_not_written(journal, repository, base, monkeypatch):
    journal.append([Remembered(note="kept")], files={"large.json": b"x" * 25_000_000})
    assert len(tracker_read(repository).read_file("large.json")) == 25_000_000
    monkeypatch.setattr("autonomous_loop.git.journal.MOST_FILE", 10_000)
    with pytest.raises(JournalError, match=r"proofs/two\.json .*10,001 bytes"):
        journal.append([Remembered(note="lost")], files={"proofs/two.json": b"x" * 10_001})
    with pytest.raises(JournalError, match=r"sessions/1\.jsonl"):
        journal.append([Remembered(note="x" * 10_001)])
    journal.append([ended(base)])
    record = tracker_read(repository).record()
    assert (record.notes, record.sessions[0].reason) == (("kept",), HandoffReason.TIME)


def tracker_read(repository):
    other = tracker(repository)
    other.read()
    return other


def test_of_two_sessions_that_claim_at_once_exactly_one_wins(journal, repository, base):
    journal.append([ended(base)])
    first, second = tracker(repository), tracker(repository)
    first.read()
    second.read()
    first.append([claim(2, "first")])
    with pytest.raises(Superseded):
        second.append([claim(2, "second")])
    assert tracker(repository).read().sessions[1].claimant.nonce == "first"


def test_of_two_first_sessions_exactly_one_wins(repository, base):
    first, second = tracker(repository), tracker(repository)
    first.begin(facts(base))
    second.begin(facts(base))
    first.append([claim(1, "first")])
    with pytest.raises(Superseded):
        second.append([claim(1, "second")])


def test_code_and_record_move_together_or_not_at_all(journal, repository, base, project):
    other = tracker(repository)
    other.read()
    other.append([Remembered(note="moved")])
    tree = repository.write_blob(repository.tree_of(base), "new.txt", b"new\n")
    commit = CheckpointManager(repository, branches=BRANCHES).create(base, tree, message="new\n")
    with pytest.raises(Superseded):
        journal.append([Remembered(note="late")], checkpoint=commit)
    assert "checkpoint" not in git(project, "branch", "--list", "autonomous-loop/*")
    other.append([Remembered(note="again")], checkpoint=commit)
    assert git(project, "rev-parse", f"{BRANCHES}/checkpoint/1") == commit


def test_what_is_held_back_is_in_the_record_and_goes_with_the_flush(journal, repository, base, project):
    tree = repository.write_blob(repository.tree_of(base), "new.txt", b"new\n")
    commit = CheckpointManager(repository, branches=BRANCHES).create(base, tree, message="new\n")
    before = git(project, "rev-parse", STATE)
    journal.append([Remembered(note="kept back")], checkpoint=commit, push=False)
    assert git(project, "rev-parse", STATE) == before
    journal.append([Remembered(note="at once")])
    assert tracker(repository).read().notes == ("at once",)
    assert journal.record().notes == ("at once", "kept back")
    assert not git(project, "branch", "--list", f"{BRANCHES}/checkpoint/1")
    journal.flush()
    assert tracker(repository).read().notes == ("at once", "kept back")
    assert git(project, "rev-parse", f"{BRANCHES}/checkpoint/1") == commit


def rewrite(repository, journal, change, name="sessions/1.jsonl"):
    """Change a file of the journal and push it over the branch, as somebody with write access could."""
    tree = repository.write_files(repository.tree_of(journal.tip()), {name: change(journal.read_file(name))})
    commit = repository.commit(tree, [journal.tip()], "forged\n")
    repository.push({STATE: commit})


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"mind the gap", b"mind the map"),
        lambda data: data + data.splitlines()[-1] + b"\n",
        lambda data: b"\n".join(reversed(data.splitlines())) + b"\n",
        lambda data: b"\n".join(data.splitlines()[1:]) + b"\n",
        lambda data: data + b"{}\n",
    ],
    ids=["changed", "repeated", "reordered", "beheaded", "extended"],
)
def test_a_changed_chain_stops_the_loop(journal, repository, base, change):
    journal.append([Remembered(note="mind the gap")])
    journal.append([ended(base)])
    rewrite(repository, journal, change)
    with pytest.raises(JournalError):
        tracker(repository).read()


def test_another_key_is_told_from_a_forgery(journal, repository):
    with pytest.raises(JournalError, match="another key"):
        tracker(repository, key="other").read()


def test_a_branch_that_is_no_journal_is_refused(repository, base):
    tree = repository.write_files(None, {"README": b"hello\n"})
    repository.push({STATE: repository.commit(tree, [], "not a journal\n")})
    with pytest.raises(JournalError, match=r"loop\.json"):
        tracker(repository).read()


def test_a_journal_of_a_newer_schema_pauses_the_loop(journal, repository):
    text = journal.read_file("loop.json").replace(b'"schema_version": 1', b'"schema_version": 2')
    tree = repository.write_files(repository.tree_of(journal.tip()), {"loop.json": text})
    repository.push({STATE: repository.commit(tree, [journal.tip()], "newer\n")})
    with pytest.raises(JournalError, match="another version"):
        tracker(repository).read()


def test_an_attempt_that_nobody_lived_to_end_is_settled_at_its_reservation(journal, repository):
    journal.append([AttemptStarted(feature_id="a", number=1, reserved=Spending(usd=0.5))])
    assert tracker(repository).read().spending.usd == 0
    journal.append([claim(2)])
    record = tracker(repository).read()
    assert record.spending.usd == 0.5
    assert [(one.outcome, one.session) for one in record.attempts] == [(AttemptOutcome.INTERRUPTED, 1)]
    assert record.in_progress == "a"


def test_a_claimant_that_ended_is_told_from_one_that_lives():
    claimants = ProcessClaimants()
    me = claimants.me()
    assert not claimants.is_alive(me.model_copy(update={"boot": "another boot"}))
    assert not claimants.is_alive(me.model_copy(update={"pid": 2**22 - 1}))
    assert claimants.is_alive(me.model_copy(update={"host": "elsewhere"}))
    assert claimants.is_alive(me.model_copy(update={"pid": 1, "started": _started(1)}))
    assert not claimants.is_alive(me.model_copy(update={"pid": 1, "started": 1.0}))


def _started(pid):
    return psutil.Process(pid).create_time()


def test_only_the_newest_checkpoints_are_kept(journal, repository, base, project):
    for number in range(1, 6):
        repository.push({f"refs/heads/{BRANCHES}/checkpoint/{number}": base})
    CheckpointManager(repository, branches=BRANCHES).prune(keep=3)
    left = git(project, "for-each-ref", "--format=%(refname:lstrip=5)", f"refs/heads/{BRANCHES}/checkpoint")
    assert left.split() == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("loop.json", lambda data: data.replace(b'"main"', b"7")),
        ("loop.json", lambda data: data.replace(b'"schema_version": 1', b'"schema_version": 12')),
        ("loop.json", lambda _: b"\xff"),
        ("features.json", lambda _: b"{}"),
        ("features.json", lambda data: data.replace(b"add one", b"add two")),
    ],
    ids=["loop.json", "a newer schema", "no text", "features.json", "other features"],
)
def test_a_changed_file_stops_the_loop_with_a_sentence(journal, repository, name, change):
    journal.set_features(FeatureList(features=(Feature(id="one", description="add one"),)))
    journal.append([Planned(features=1)])
    rewrite(repository, journal, change, name)
    with pytest.raises(JournalError):
        tracker(repository).read()


def test_a_key_and_half_a_character_do_not_reach_the_branch(repository, base, project):
    keys = Keyring.derive(("key",), repository="o/r", loop="issue-1")
    made = StateTracker(
        repository, branches=BRANCHES, name="o/r", loop="issue-1", keys=keys, clock=Clock(),
        redact=Redactor(["hunter22-secret"]).text,
    )  # fmt: skip
    made.begin(facts(base))
    made.append([claim(1), Remembered(note="it is hunter22-secret \ud800")])
    assert tracker(repository).read().notes == (r"it is *** \ud800",)
    assert "hunter22" not in git(project, "show", f"{BRANCHES}/state:sessions/1.jsonl")


def test_what_a_dead_session_left_unsaid_is_known_before_the_next_claims(journal, repository):
    journal.append([AttemptStarted(feature_id="one", number=1, reserved=Spending(usd=0.25))])
    assert tracker(repository).read().unsettled.usd == 0.25
    journal.append([claim(2)])
    record = tracker(repository).read()
    assert (record.unsettled.usd, record.spending.usd) == (0, 0.25)


def test_a_journal_from_before_late_wishes_is_read_and_its_chain_holds(repository):
    # Written by the version before: new events may come, but what stands must mean and sign the same.
    folder = Path(__file__).parent / "older_journal"
    files = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    commit = repository.commit(repository.write_files(None, files), [], "older\n")
    repository.push({STATE: commit})
    keys = Keyring.derive(("old",), repository="octo/x", loop="issue-1")
    older = StateTracker(
        repository, branches=BRANCHES, name="octo/x", loop="issue-1", keys=keys, clock=Clock()
    )
    record = older.read()
    assert record is not None
    assert (record.total, record.plans, record.waiting, record.wishes) == (1, 1, (), {})
    assert record.consumed == ("comment-1", "comment-2")
    assert record.limits == record.facts.limits
    assert not record.approved
    older.append([claim(2), RequestAdded(id="comment-3", source="add", by="octo", text="three")])
    assert older.read().waiting == ("comment-3",)


def test_features_that_come_later_are_spoken_for_by_the_chain(repository, base):
    journal = tracker(repository)
    journal.begin(facts(base))
    journal.append([claim(1)])
    one = Feature(id="two", description="two")
    journal.set_features(FeatureList(features=(one,)))
    journal.append([Planned(features=1)])
    journal.set_features(FeatureList(features=(one, Feature(id="three", description="three"))))
    journal.append([Added(features=("three",), wishes=("comment-3",))])
    assert tracker(repository).read().total == 2
    tip = journal.tip()
    forged = FeatureList(features=(one, Feature(id="three", description="something else")))
    tree = repository.write_files(
        repository.tree_of(tip), {"features.json": forged.model_dump_json(indent=1).encode() + b"\n"}
    )
    repository.push({STATE: repository.commit(tree, [tip], "forged\n")})
    with pytest.raises(JournalError, match=r"features\.json"):
        tracker(repository).read()
