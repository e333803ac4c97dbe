"""The record of a finished loop, as the report takes it."""

from datetime import UTC, datetime, timedelta

from autonomous_loop.domain.budget import Limits, Spending, Tokens
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Claimant, CleanRoomHeld, LoopFacts
from autonomous_loop.domain.feature import (
    Attempt,
    AttemptOutcome,
    Feature,
    FeatureKind,
    FeatureList,
    FeatureStatus,
)
from autonomous_loop.domain.proof import Evidence, GateRun, Proof, TestCounts, TestRun
from autonomous_loop.domain.record import LoopRecord, SessionRecord
from autonomous_loop.domain.request import Request
from embedded_github.forge.git.repository import GitRepository

REPO = "octo/guestbook"
START = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
FEATURES = (
    (
        "message-limit",
        "behaviour",
        "A message of more than 280 characters is refused with a clear sentence",
        2,
    ),
    ("split-page", "refactor", "`pages.py` is split into the layout, the form and the entry", 1),
    ("newest-first", "behaviour", "The newest entry is on top, and the number of entries is shown", 1),
    ("paging", "behaviour", "Ten entries a page, with links to older and newer ones", 2),
    ("search", "behaviour", "A search box finds words in names and messages, in any case", 1),
    ("json-feed", "behaviour", "`/entries.json` gives all entries, newest first, to other domains", 1),
    ("likes", "behaviour", "A heart beside every entry counts, with and without JavaScript", 1),
    ("handbook", "chore", "The README describes the addresses and the settings", 1),
)


def loop_record(git: GitRepository, issue: int, pull: int, heads: tuple[str, ...]) -> LoopRecord:
    """Of a loop that proved everything in four sessions."""
    before = str(git.branch("main"))
    features, proofs, attempts = [], {}, []
    for (name, kind, text, tries), after in zip(FEATURES, heads, strict=True):
        features.append(Feature(id=name, kind=FeatureKind(kind), description=text))
        proofs[name] = _proof(name, FeatureKind(kind), before, after, git.commit(after).tree)
        for number in range(1, tries + 1):
            outcome = AttemptOutcome.PROVED if number == tries else AttemptOutcome.REFUSED
            attempts.append(Attempt(feature_id=name, number=number, session=1, outcome=outcome))
        before = after
    reasons = (HandoffReason.CONTEXT, HandoffReason.TIME, HandoffReason.CONTEXT, HandoffReason.COMPLETE)
    return LoopRecord(
        facts=LoopFacts(
            repository=REPO,
            loop="issue-1",
            base=proofs["message-limit"].before,
            base_branch="main",
            limits=Limits(sessions=10, usd=10),
            request=Request(title="Eight wishes for the guestbook", body="-", requester="mona", issue=issue),
            configuration_hash="0" * 64,
        ),
        features=FeatureList(features=tuple(features)),
        sessions=tuple(_session(number, reason) for number, reason in enumerate(reasons, 1)),
        status={name: FeatureStatus.PASSING for name, *_ in FEATURES},
        proofs=proofs,
        attempts=tuple(attempts),
        spending=Spending(
            tokens=Tokens(input=6_120, output=48_300, cache_write=171_900, cache_read=2_410_000),
            usd=3.87,
            minutes=47,
        ),
        checkpoint=heads[-1],
        published=heads[-1],
        pull_request=pull,
        clean_room=CleanRoomHeld(commit=heads[-1], accepted=True),
        recovered=4,
    )


def _proof(name: str, kind: FeatureKind, before: str, after: str, tree: str) -> Proof:
    def ran(passed: int = 0, failed: int = 0) -> TestRun:
        counts = TestCounts(passed=passed, failed=failed)
        return TestRun(command="python -m pytest -q", tree=tree, exit_code=int(failed > 0), counts=counts)

    behaviour, chore = kind is FeatureKind.BEHAVIOUR, kind is FeatureKind.CHORE
    shots = {"search": "found.png", "likes": "liked.png"}
    evidence = (Evidence(name=shots[name], sha256="0" * 64, size=1),) if name in shots else ()
    return Proof(
        feature_id=name,
        kind=kind,
        tests=() if chore else (f"tests/test_{name.replace('-', '_')}.py",),
        test_files=() if chore else (f"tests/test_{name.replace('-', '_')}.py",),
        before=before,
        after=after,
        after_tree=tree,
        red=ran(failed=3) if behaviour else None,
        green=None if chore else ran(passed=3),
        regression=ran(passed=24),
        end_to_end=ran(passed=1) if name in shots else None,
        gates=(GateRun(command="ruff check", tree=tree, exit_code=0),) if chore else (),
        marks=("for a person",) if chore else ("no red",) if kind is FeatureKind.REFACTOR else (),
        notices=("guestbook/static/likes.js is new JavaScript",) if name == "likes" else (),
        evidence=evidence,
    )


def _session(number: int, reason: HandoffReason) -> SessionRecord:
    begun = START + timedelta(minutes=number * 12)
    return SessionRecord(
        number=number,
        kind="INIT" if number == 1 else "CONTINUE",
        claimant=Claimant(nonce=f"n{number}", run_id=str(number)),
        started=begun,
        ended=begun + timedelta(minutes=11),
        reason=reason,
        progressed=True,
        minutes=11,
    )
