"""Converts the record to what the templates show: one row per feature, and the figures."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import quote

from autonomous_loop.config import ContinuationMode
from autonomous_loop.domain.feature import AttemptOutcome, Feature, FeatureStatus
from autonomous_loop.domain.proof import Mark, Proof, TestRun
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.report.escape import code, fence

PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp")

MARKS: Final[dict[Mark, str]] = {
    "weak red": "its test failed before only because what it imports did not exist yet",
    "no red": "there is no failing run before: a refactor, a chore, something that held already, or tests"
    " inside source files",
    "already satisfied": "its tests pass on the code as it was, and no code was changed: do they show it?",
    "no canary": "the loop could plant no test of its own that must fail; the report was taken at its word",
    "by exit code": "the test runner shows no counts; its exit code was taken, as configured",
    "model's command": "the test command is the model's, not the project's",
    "tests removed": "older tests are gone, as configured: did they go with the code they tested?",
    "flaky": "a test that passes and fails on the same code was left out of the judgement",
    "not read": "older tests changed in a way that could not be compared by reading: look at their diff",
    "for a person": "only the gates were run: judge this one yourself",
}


FRESH: Final = "# (each in a work tree of its own: what the project's setup installs there, install first)"


@dataclass(frozen=True, slots=True)
class Site:
    """Facts that the record lacks: addresses for links, and the model.

    Attributes:
        repository_url: `https://github.com/owner/name`; empty without a forge.
        state: the journal's tip (a SHA, so that links stay valid), or its branch.
        branch: prefix of the loop's branches, such as `autonomous-loop/issue-12`.
        model: the Claude model.
        run_url: this session's run.
        ci: whether CI starts on the pull request by itself, waits for a click, or is not mentioned.
        held_back: protected paths that wait for a person.
    """

    repository_url: str = ""
    state: str = ""
    branch: str = ""
    model: str = ""
    run_url: str = ""
    ci: Literal["", "runs", "approval"] = ""
    continuation: ContinuationMode = ContinuationMode.AUTO
    held_back: tuple[str, ...] = ()

    def blob(self, path: str) -> str:
        """Return the address of a file on the state branch; empty if there is nothing to link to."""
        if not self.repository_url or not self.state:
            return ""
        return f"{self.repository_url}/blob/{quote(self.state)}/{quote(path)}"

    def commit(self, sha: str) -> str:
        """Return the address of a commit's page; empty without a forge."""
        return f"{self.repository_url}/commit/{sha}" if self.repository_url else ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot kept with a proof."""

    feature: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """One feature, as every surface shows it.

    Attributes:
        text: the description; foreign text.
        proof: what the loop saw, in one line of our own Markdown; empty without a proof.
        reason: why it is blocked; foreign text.
        question: a question that only a person can answer; foreign text.
        failure_urls: pictures and a trace of the last refused attempt.
    """

    id: str
    text: str
    kind: str
    icon: str
    status: str
    proved: bool
    proof: str = ""
    proof_url: str = ""
    commit: str = ""
    commit_url: str = ""
    marks: tuple[Mark, ...] = ()
    attempts: int = 0
    reason: str = ""
    question: str = ""
    notices: tuple[str, ...] = ()
    failure_urls: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    replay: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts, computed only from the record so that all surfaces agree."""

    passing: int
    blocked: int
    total: int
    sessions: int
    sessions_limit: int
    tokens: int
    tokens_limit: int | None
    cache_read: int
    usd: float
    usd_limit: float
    minutes: float
    recovered: int
    rows: tuple[Row, ...] = ()


def figures(record: LoopRecord, site: Site) -> Figures:
    """Compute all figures of a loop."""
    limits, spent = record.limits, record.spending
    listed = record.features.features if record.features else ()
    return Figures(
        passing=record.passing,
        blocked=sum(status is FeatureStatus.BLOCKED for status in record.status.values()),
        total=record.total,
        sessions=record.generation,
        sessions_limit=limits.sessions,
        tokens=spent.tokens.counted,
        tokens_limit=limits.tokens,
        cache_read=spent.tokens.cache_read,
        usd=spent.usd,
        usd_limit=limits.usd,
        minutes=spent.minutes,
        recovered=record.recovered,
        rows=tuple(_row(record, site, feature) for feature in listed),
    )


def _row(record: LoopRecord, site: Site, feature: Feature) -> Row:
    status = record.status.get(feature.id, FeatureStatus.PENDING)
    tries = [one for one in record.attempts_at(feature.id) if one.outcome is not AttemptOutcome.INTERRUPTED]
    icon, word = _status(record, feature, status)
    blocked, taken_back = record.blocked.get(feature.id), record.revoked.get(feature.id)
    proof = record.proofs.get(feature.id) if status is FeatureStatus.PASSING else None
    row = Row(
        id=feature.id,
        text=feature.description,
        kind=feature.kind.value,
        icon=icon,
        status=word,
        proved=proof is not None,
        attempts=len(tries),
        reason=blocked.reason if blocked else taken_back.why if taken_back else "",
        question=blocked.question if blocked else "",
        failure_urls=tuple(url for path in (tries[-1].evidence if tries else ()) if (url := site.blob(path))),
    )
    return _with_proof(row, proof, site) if proof else row


def _with_proof(row: Row, proof: Proof, site: Site) -> Row:
    pictures = tuple(
        Picture(feature=row.id, name=one.name, url=f"{url}?raw=true")
        for one in proof.evidence
        if one.name.lower().endswith(PICTURES) and (url := site.blob(f"evidence/{row.id}/{one.name}"))
    )
    return replace(
        row,
        proof=proof_line(proof),
        proof_url=site.blob(f"proofs/{row.id}.json"),
        commit=proof.after[:7] if proof.after else "",
        commit_url=site.commit(proof.after) if proof.after else "",
        marks=proof.marks,
        notices=(
            *proof.notices,
            *(f"flaky, counted neither as passed nor as failed: {one}" for one in proof.flaky),
        ),
        pictures=pictures,
        replay=replay(proof),
    )


def _status(record: LoopRecord, feature: Feature, status: FeatureStatus) -> tuple[str, str]:
    if status is FeatureStatus.PASSING:
        return "\u2705", "proved"
    if status is FeatureStatus.BLOCKED:
        return "\u270b", "needs you"
    if feature.id in record.revoked:
        return "\u21a9\ufe0f", "its proof was taken back"
    if record.in_progress == feature.id:
        return "\U0001f6e0\ufe0f", "in progress"
    if feature.id in record.put_off:
        return "\u23ed\ufe0f", "put off"
    return "\u2b1c", "waiting"


def proof_line(proof: Proof) -> str:
    """Return what the loop saw, as Markdown: `red 3 failed -> green 3 passed, 41 of the suite pass`."""
    steps = [_failed(proof.red) if proof.red else "no red", _passed(proof.green) if proof.green else ""]
    said = [" \u2192 ".join(step for step in steps if step)]
    if not proof.red and not proof.green:
        said = [
            "gates only: " + ", ".join(code(one.command) for one in proof.gates)
            if proof.gates
            else "gates only"
        ]
    if proof.regression:
        said.append(f"suite {_counts(proof.regression)}")
    if proof.end_to_end:
        said.append("in a browser")
    return " \u00b7 ".join(said)


def _failed(run: TestRun) -> str:
    if run.counts is None:
        return f"red (exit {_exit(run)})"
    return f"red **{run.counts.failed + run.counts.errors} failed**"


def _passed(run: TestRun) -> str:
    return f"green (exit {_exit(run)})" if run.counts is None else f"green **{run.counts.passed} passed**"


def _counts(run: TestRun) -> str:
    if run.counts is None:
        return f"exit {_exit(run)}"
    failed = run.counts.failed + run.counts.errors
    # A test that failed at the checkpoint already is no regression; an accepted proof has no other failures.
    said = f"{run.counts.passed} passed" + (f", {failed} failed before, too" if failed else "")
    return said + (f", {run.counts.flaky} flaky" if run.counts.flaky else "")


def _exit(run: TestRun) -> str:
    return "timeout" if run.exit_code is None else str(run.exit_code)


def replay(proof: Proof) -> str:
    """Return shell lines that show green and red again, with only git and the project's own tools.

    Each line is complete in itself and works in a temporary work tree, so the reader's own stays unchanged.
    """
    if proof.after is None or proof.green is None:
        return ""
    lines = [
        f"# {proof.feature_id}: green on the code after it",
        _in_a_work_tree(proof.after, _one_line(proof.green.command)),
    ]
    if proof.red and proof.test_files:
        files = " ".join(shlex.quote(one) for one in proof.test_files)
        lines += [
            f"# {proof.feature_id}: red with the same tests on the code before it",
            _in_a_work_tree(
                proof.before,
                f"git checkout -q {proof.after} -- {files} || exit; {_one_line(proof.red.command)}",
            ),
        ]
    return "\n".join(lines)


def _in_a_work_tree(commit: str, commands: str) -> str:
    made = f'd=$(mktemp -d) && git worktree add -q --detach "$d" {commit}'
    return f'{made} && (cd "$d" || exit; {commands}); git worktree remove -f "$d"'


def _one_line(command: str) -> str:
    return " ".join(command.split())


def replays(rows: tuple[Row, ...], branch: str, most: int) -> str:
    """Return a code block for readers who want to check for themselves; empty if nothing can be replayed."""
    shown = [row.replay for row in rows if row.replay][:most]
    if not shown:
        return ""
    fetch = f"git fetch origin {shlex.quote(branch + '/pr')}" if branch else "git fetch origin"
    return fence("\n".join([fetch, FRESH, *shown]), "sh")
