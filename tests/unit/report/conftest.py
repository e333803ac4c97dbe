"""A record with everything in it that a report shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from autonomous_loop.domain.budget import Limits, Spending, Tokens
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Blocked, Claimant, LoopFacts
from autonomous_loop.domain.feature import (
    Attempt,
    AttemptOutcome,
    Feature,
    FeatureKind,
    FeatureList,
    FeatureStatus,
)
from autonomous_loop.domain.proof import Evidence, Proof, TestCounts, TestRun
from autonomous_loop.domain.record import LoopRecord, SessionRecord
from autonomous_loop.domain.request import Request
from autonomous_loop.report.view_model import Site

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def sha(one: str) -> str:
    return (one * 40)[:40]


def run(passed: int = 0, failed: int = 0, command: str = "python -m pytest -q", **more) -> TestRun:
    counts = TestCounts(passed=passed, failed=failed)
    return TestRun(command=command, tree=sha("7"), exit_code=int(failed > 0), counts=counts, **more)


def proof(feature_id: str, **more) -> Proof:
    given = {
        "feature_id": feature_id,
        "kind": FeatureKind.BEHAVIOUR,
        "tests": (f"tests/test_{feature_id}.py",),
        "test_files": (f"tests/test_{feature_id}.py",),
        "before": sha("b"),
        "after": sha("a"),
        "after_tree": sha("7"),
        "red": run(failed=3),
        "green": run(passed=3),
        "regression": run(passed=41),
    }
    return Proof(**{**given, **more})


def session(number: int, reason: HandoffReason | None, **more) -> SessionRecord:
    start = NOON + timedelta(hours=number)
    ended = None if reason is None else start + timedelta(minutes=20)
    given = {
        "number": number,
        "kind": "INIT" if number == 1 else "CONTINUE",
        "claimant": Claimant(nonce=f"n{number}", run_id=str(100 + number)),
        "started": start,
        "ended": ended,
        "reason": reason,
        "progressed": True,
        "minutes": 20.0 if ended else 0.0,
    }
    return SessionRecord(**{**given, **more})


@pytest.fixture
def site():
    return Site(
        repository_url="https://github.com/octo/guestbook",
        state=sha("5"),
        branch="autonomous-loop/issue-12",
        model="claude-opus-5-5",
        run_url="https://github.com/octo/guestbook/actions/runs/103",
        ci="approval",
    )


@pytest.fixture
def make_record():
    """`make_record(proved=..., blocked=..., **overrides)`: four features, as many proved as said."""

    def make(*, proved=2, blocked=(), reason=HandoffReason.TIME, sessions=2, **overrides) -> LoopRecord:
        features = (
            Feature(id="reply", description="Visitors can reply with `POST /entries/<id>/replies`."),
            Feature(id="list", description="Replies are listed under their entry, oldest first."),
            Feature(id="tidy", kind=FeatureKind.REFACTOR, description="One module stores entries."),
            Feature(id="feed", description="An Atom feed shows the newest twenty entries."),
        )
        status = {
            one.id: FeatureStatus.PASSING if at < proved else FeatureStatus.PENDING
            for at, one in enumerate(features)
        }
        status.update(dict.fromkeys(blocked, FeatureStatus.BLOCKED))
        picture = Evidence(name="list-1.png", sha256="0" * 64, size=9)
        proofs = {
            "reply": proof("reply"),
            "list": proof(
                "list", end_to_end=run(passed=1), evidence=(picture,), notices=("new symlink s -> ..",)
            ),
            "tidy": proof("tidy", kind=FeatureKind.REFACTOR, red=None, marks=("no red",)),
            "feed": proof("feed", marks=("weak red", "model's command")),
        }
        given = {
            "facts": LoopFacts(
                repository="octo/guestbook",
                loop="issue-12",
                base_branch="main",
                base=sha("c"),
                limits=Limits(sessions=10, usd=10.0, tokens=500_000),
                request=Request(title="Replies in the guestbook", body="Please.", requester="mona", issue=12),
                configuration_hash="0" * 64,
            ),
            "features": FeatureList(features=features),
            "sessions": (
                *(session(number, HandoffReason.CONTEXT) for number in range(1, sessions)),
                session(sessions, reason),
            ),
            "status": status,
            "proofs": {key: value for key, value in proofs.items() if status[key] is FeatureStatus.PASSING},
            "attempts": (
                Attempt(feature_id="reply", number=1, session=1, outcome=AttemptOutcome.REFUSED),
                Attempt(feature_id="reply", number=2, session=1, outcome=AttemptOutcome.PROVED),
            ),
            "blocked": {
                one: Blocked(feature_id=one, reason="the feed's address is not said", question="Which URL?")
                for one in blocked
            },
            "spending": Spending(
                tokens=Tokens(input=1_000, output=20_000, cache_write=61_000, cache_read=1_200_000),
                usd=1.234,
                minutes=40.0,
            ),
            "checkpoint": sha("a"),
            "pull_request": 13,
            "recovered": 5,
        }
        return LoopRecord(**{**given, **overrides})

    return make
