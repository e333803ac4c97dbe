"""What goes into a session's evidence_artifact, and that nothing about it can fail a session."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from autonomous_loop.ci import evidence_artifact
from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.events import Claimant, LoopFacts
from autonomous_loop.domain.feature import Attempt, AttemptOutcome
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.record import LoopRecord, SessionRecord
from autonomous_loop.domain.request import Request
from autonomous_loop.errors import ConfigurationError, ForgeError
from autonomous_loop.report.redactor import Redactor

KEY = "sk-ant-test-0123456789"
FACTS = SimpleNamespace(run_id=7, repository_url="https://github.test/o/r")
BRANCH = {
    "attempts/two/1.patch": b"of session 1",
    "attempts/two/2.patch": b"+ " + KEY.encode(),
    "evidence/two/refused.png": b"\x89PNG \xff\x00",
}


class Shelf:
    """Takes what is uploaded, or refuses it."""

    def __init__(self, error=None):
        self.error, self.files, self.name = error, {}, ""

    def upload(self, name, files):
        if self.error:
            raise self.error
        self.name, self.files = name, files
        return SimpleNamespace(id=3, name=name, digest="sha256:0", size=1234)


def record(run_id="7"):
    attempts = [
        Attempt(feature_id="two", number=number, session=number, outcome=AttemptOutcome.REFUSED,
                evidence=("evidence/two/refused.png",) if number == 2 else ())
        for number in (1, 2)
    ]  # fmt: skip
    sessions = [
        SessionRecord(number=n, kind="INIT", claimant=Claimant(nonce="a" * 32, run_id=run),
                      started=datetime(2026, 1, 1, tzinfo=UTC))
        for n, run in ((1, "6"), (2, run_id))
    ]  # fmt: skip
    facts = LoopFacts(
        repository="o/r", loop="issue-1", base_branch="main", base=CommitSha("1" * 40),
        limits=Limits(sessions=3, usd=1), request=Request(title="x", body=""), configuration_hash="",
    )  # fmt: skip
    return LoopRecord(
        facts=facts, sessions=tuple(sessions), attempts=tuple(attempts), checkpoint=CommitSha("1" * 40)
    )


def keep(shelf, tmp_path, *, made=None, handoff=lambda: "{}"):
    return evidence_artifact.keep(
        shelf,
        SimpleNamespace(record=made or record()),
        facts=FACTS,
        handoff=handoff,
        read_file=BRANCH.get,
        report=f"It went well, {KEY}",
        transcripts=tmp_path / "transcripts",
        redact=Redactor([KEY]).bytes,
    )


def test_it_holds_this_sessions_own_and_every_byte_went_through_the_redactor(tmp_path):
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts" / "001.jsonl").write_text(f'{{"a": "{KEY}"}}\n')
    shelf = Shelf()
    said = keep(shelf, tmp_path)
    assert set(shelf.files) == {
        "report.md", "handoff.json", "attempts/two/2.patch", "evidence/two/refused.png",
        "transcripts/001.jsonl",
    }  # fmt: skip
    assert shelf.name == "autonomous-loop-issue-1-session-2-aaaaaaaaaaaa"
    assert not any(KEY.encode() in data for data in shelf.files.values())
    assert shelf.files["attempts/two/2.patch"] == b"+ ***"
    assert shelf.files["evidence/two/refused.png"] == BRANCH["evidence/two/refused.png"]
    assert "https://github.test/o/r/actions/runs/7/artifacts/3" in said


@pytest.mark.parametrize(
    "error", [ForgeError("quota is used up", status=403), ConfigurationError("no service here"), OSError("x")]
)
def test_what_github_refuses_is_noted_and_fails_nothing(tmp_path, error):
    assert keep(Shelf(error), tmp_path) == f"This session's evidence could not be kept: {error.args[0]}"


def test_a_handoff_that_cannot_be_read_fails_nothing(tmp_path):
    def broken():
        raise ForgeError("down")

    assert "down" in keep(Shelf(), tmp_path, handoff=broken)


def test_a_job_that_claimed_nothing_leaves_nothing(tmp_path):
    shelf = Shelf()
    assert keep(shelf, tmp_path, made=record(run_id="5")) == ""
    assert shelf.name == ""


def test_what_does_not_fit_is_named_and_the_small_files_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence_artifact, "MOST_BYTES", 1_000)
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts" / "001.jsonl").write_bytes(b"x" * 5_000)
    shelf = Shelf()
    keep(shelf, tmp_path)
    assert "report.md" in shelf.files
    assert shelf.files["LEFT-OUT.txt"] == b"transcripts/001.jsonl: 5000 bytes\n"
