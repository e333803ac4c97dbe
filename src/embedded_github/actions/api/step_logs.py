"""The log of a job, a part for each step: a run's archive holds them, and `gh run view` reads them."""

from __future__ import annotations

from collections.abc import Sequence

from embedded_github.actions.ports import StepResult

_BEGINS = "##[group]"


def by_step(log: str, steps: Sequence[StepResult]) -> list[tuple[StepResult, str]]:
    """Each step that ran with its lines of the log, in order; skipped ones have none."""
    lines = log.splitlines(keepends=True)
    begins: list[tuple[int, StepResult]] = []
    at = 0
    for step in steps:
        found = next((n for n in range(at, len(lines)) if _is_first(lines[n], step.name)), None)
        if found is not None:
            begins.append((found, step))
            at = found + 1
    ends = [number for number, _ in begins[1:]] + [len(lines)]
    return [(step, "".join(lines[first:end])) for (first, step), end in zip(begins, ends, strict=True)]


def _is_first(line: str, name: str) -> bool:
    return line.rstrip("\r\n").endswith(f"{_BEGINS}{name}")
