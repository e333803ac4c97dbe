"""The result of an audit, and its text for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.report.escape import plain, printable

State = Literal["holds", "fails", "not shown", "no proof"]


@dataclass(frozen=True, slots=True)
class FeatureAudit:
    """The result for one feature.

    Attributes:
        verdict: from the clean room; "not shown" if unknown.
        replay: result of replaying red and green: empty if not requested, "holds", or why it does not hold.
        findings: faults of the stored proof itself.
    """

    feature: str
    kind: str
    tests: int
    verdict: State
    marks: tuple[str, ...] = ()
    replay: str = ""
    findings: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there is no fault."""
        fine = self.verdict in {"holds", "no proof"}
        return fine and self.replay in {"", "holds"} and not self.findings


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        branches: prefix of the loop's branches.
        commit: the commit that the clean room checked.
        pr: the commit people would merge, at the branch `pr`; None: there is no such branch.
        chain: whether the journal's chain of MACs was verified, as text for people.
        accepted: whether the clean room holds.
        suite: the whole suite's result in it.
        findings: faults of the loop's record as a whole.
        reasons: why the clean room does not hold.
        notes: other facts a reader should know.
    """

    loop: str
    branches: str
    commit: CommitSha
    features: tuple[FeatureAudit, ...]
    chain: str
    accepted: bool
    pr: CommitSha | None = None
    suite: str = ""
    findings: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def proofs_hold(self) -> bool:
        """Whether every proof holds, wherever the branches are."""
        return self.accepted and all(one.holds for one in self.features)

    @property
    def holds(self) -> bool:
        """Whether every proof holds, and people would merge exactly what was proved."""
        return self.proofs_hold and not self.findings

    @property
    def exit_code(self) -> int:
        """0: holds; 1: does not hold; 2: the tests cannot be run here, so the result is unknown."""
        nothing_else = not self.findings and not any(one.findings for one in self.features)
        of_the_place = {"setup", "environment"}.issuperset(one.code for one in self.reasons)
        return 0 if self.holds else 2 if self.reasons and of_the_place and nothing_else else 1

    def as_dict(self) -> dict[str, object]:
        """Return plain data, for `--json`."""
        reasons = [reason.model_dump() for reason in self.reasons]
        return {"holds": self.holds, **asdict(replace(self, reasons=())), "reasons": reasons}


def as_text(found: Audit) -> str:
    """Return text for a terminal."""
    replayed = any(one.replay for one in found.features)
    head = ["feature", "kind", "tests", "verdict", *(["replay"] if replayed else []), "marks"]
    rows = [head, *(_row(one, replayed=replayed) for one in found.features)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    proofs = [one for one in found.features if one.verdict != "no proof"]
    whole = "not every proof holds"
    if found.proofs_hold:
        whole = "every proof holds" if found.holds else "the proofs hold, but see below"
    lines = [
        f"{found.loop} at {found.commit[:12]}: {whole} ({len(proofs)} of {len(found.features)} features)",
        "",
    ]
    lines += ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += [""]
    merged = f"{found.branches}/pr at {found.pr[:12]}" if found.pr else "nothing: there is no branch pr"
    lines += [f"  what people would merge: {merged}"]
    lines += [f"  the whole suite: {found.suite}"] if found.suite else []
    lines += [f"  the journal's chain: {found.chain}"]
    lines += [f"  note: {note}" for note in found.notes]
    lines += [f"  found: {plain(one)}" for one in found.findings]
    for one in found.features:
        lines += [f"  found: {one.feature}: {plain(said)}" for said in one.findings]
        if one.replay not in {"", "holds"}:
            lines += ["", f"  replay of {one.feature}", *_shown(one.replay)]
    for reason in found.reasons:
        lines += ["", f"  {reason.code}", *_shown(reason.text)]
    return "\n".join(lines)


def _row(one: FeatureAudit, *, replayed: bool) -> list[str]:
    replay = [{"": "", "holds": "holds"}.get(one.replay, "fails")] if replayed else []
    verdict = one.verdict if not one.findings else f"{one.verdict}, but see below"
    return [one.feature, one.kind, str(one.tests or ""), verdict, *replay, ", ".join(one.marks)]


def _shown(text: str) -> list[str]:
    return [f"    {line}" for line in printable(text)]
