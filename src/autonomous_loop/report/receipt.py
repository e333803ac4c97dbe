"""The verdict on two commits as text for people: lines for a terminal, Markdown for a job's summary."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.proof import Proof, TestRun, Verdict
from autonomous_loop.report.escape import cell, fence, md, plain, printable
from autonomous_loop.report.view_model import FRESH, MARKS, replay

MOST_NAMES = 10
SHOWS = (
    "It shows that tests turned from red to green as they ran here, and that nothing that passed before was"
    " lost. It does not show that the tests mean what the change is for."
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verdict, and the change it applies to.

    Attributes:
        base: the code before: the merge base of head and the named branch.
        base_named: the commit that was named as base.
        subject: first line of head's message; foreign text.
        tests: the tests, submitted or found.
        found: no tests were named, and these were found because they differ.
        data: test data and fixtures that differ, by which the tests were found.
        options: other options from the command line.
        protected: changed paths that the loop itself would hold back.
    """

    verdict: Verdict
    base: CommitSha
    base_named: CommitSha
    head: CommitSha
    subject: str
    tests: tuple[str, ...]
    found: bool
    options: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    data: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """Command that produces this verdict again."""
        # Tests that were found by changed data are found again.
        tests = [] if self.data else [word for one in self.tests for word in ("--test", one)]
        commits = ["--base", self.base, "--head", self.head]
        return shlex.join(["autonomous-loop", "prove", *commits, *tests, *self.options])


def as_text(receipt: Receipt) -> str:
    """Return text for a terminal."""
    lines = [_headline(receipt), ""]
    lines += [f"  {name:<9} {plain(text)}" for name, text in _rows(receipt)]
    for reason in receipt.verdict.reasons:
        lines += ["", f"  {reason.code}", *(f"    {line}" for line in printable(reason.text))]
    lines += ["", "replay", f"  {plain(receipt.command)}"]
    if receipt.verdict.proof and (by_hand := replay(receipt.verdict.proof)):
        lines += [f"  {plain(line)}" for line in (FRESH, *by_hand.splitlines())]
    return "\n".join(lines)


def as_markdown(receipt: Receipt) -> str:
    """Return Markdown for a job's summary."""
    icon = "\u2705" if receipt.verdict.accepted else "\u274c"
    lines = [f"### {icon} {_headline(receipt)}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {cell(text)} |" for name, text in _rows(receipt)]
    for reason in receipt.verdict.reasons:
        lines += ["", f"**{md(reason.code)}**", "", fence("\n".join(printable(reason.text)))]
    # The proved commits may be on no branch that a clone fetches, for example in a fork's pull request.
    replayed = [f"git fetch -q origin {receipt.base} {receipt.head}", receipt.command]
    if receipt.verdict.proof and (by_hand := replay(receipt.verdict.proof)):
        replayed += [FRESH, by_hand]
    commands = fence("\n".join(replayed), "sh")
    lines += ["", "<details><summary>Replay it</summary>", "", commands, "", "</details>"]
    lines += [
        "",
        SHOWS,
        "",
    ]
    return "\n".join(lines)


def _headline(receipt: Receipt) -> str:
    verdict = receipt.verdict
    if not verdict.accepted or verdict.proof is None:
        return "refused: " + ", ".join(dict.fromkeys(plain(reason.code) for reason in verdict.reasons))
    proof = verdict.proof
    if proof.red is None or proof.green is None:
        return "accepted: the same tests pass, and nothing that passed before is lost"
    turned = len(set(proof.green.passed) & set(proof.red.failing)) or len(proof.green.passed)
    what = "1 test turns" if turned == 1 else f"{turned} tests turn"
    return f"accepted: {what} from red to green, and nothing that passed before is lost"


def _rows(receipt: Receipt) -> Iterator[tuple[str, str]]:
    moved = "" if receipt.base == receipt.base_named else f" (where head left {receipt.base_named[:12]})"
    yield "base", receipt.base[:12] + moved
    yield "head", f"{receipt.head[:12]} {receipt.subject}"
    how = " (the test files that differ)" if receipt.found else ""
    if receipt.data:
        how = f" (no test file differs; these stand by what does: {_some(receipt.data)})"
    yield "tests", _some(receipt.tests) + how
    if proof := receipt.verdict.proof:
        yield from _of_proof(proof)
    if receipt.protected:
        yield "look at", f"protected paths changed: {_some(receipt.protected)}"


def _of_proof(proof: Proof) -> Iterator[tuple[str, str]]:
    if proof.red:
        yield "red", f"{counted(proof.red)}; head's tests on base's code"
    if proof.was_green:
        yield "before", f"{counted(proof.was_green)}; the same tests on base's code"
    if proof.green:
        yield "green", f"{counted(proof.green)}; the same tests on head's code"
    if proof.regression:
        before = ", failing on base too" if proof.regression.failing else ""
        yield "suite", f"{counted(proof.regression)}{before}"
    if proof.end_to_end:
        yield "browser", "one of the tests drives a browser"
    if proof.gates:
        yield "gates", _some(tuple(gate.command for gate in proof.gates))
    for test_id in proof.flaky:
        yield "flaky", f"{test_id} passes and fails on the same code: nothing rests on it"
    for mark in proof.marks:
        yield "mark", f"{mark}: {MARKS.get(mark, '')}".rstrip(": ")
    for notice in proof.notices:
        yield "look at", notice


def counted(run: TestRun) -> str:
    """Return the result of a run: its counts, or how it ended."""
    counts = run.counts
    if counts is None:
        ended = "no end in time" if run.exit_code is None else f"exit code {run.exit_code}"
        return f"{ended}, {run.duration_s:.1f} s"
    failed = counts.failed + counts.errors
    parts = [(failed, "failed"), (counts.passed, "passed"), (counts.skipped, "skipped")]
    said = ", ".join(f"{number:,} {word}" for number, word in parts if number) or "none ran"
    return f"{said}, {run.duration_s:.1f} s"


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return shown + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
