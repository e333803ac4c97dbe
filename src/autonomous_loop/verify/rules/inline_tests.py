"""Handles tests inside the source that they test, as in Rust: no red is possible for them.

Such a file, laid over the old code, would bring the new code along. So nothing shows that the test fails
without the feature, and the proof says "no red". At least one test must be new or changed, and at least one
of those must check something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.project.selection import stands_in_source
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed


def swappable(files: Iterable[str]) -> list[str]:
    """Return the test files that can run on other code."""
    return [file for file in files if not stands_in_source(file)]


def judge_without_red(work: Candidate, green: Sequence[Case]) -> None:
    """Judge submitted tests that passed and that cannot run on other code.

    Raises:
        Refused: no test is new or changed, or none of those checks anything.
    """
    passed = [case for case in green if case.outcome == "passed"]
    new = [case for case in passed if _is_new(work, case)]
    ids = listed([case.id for case in passed])
    if not new:
        text = (
            f"None of these tests is new or changed, so they do not show the feature: {ids}. They stand in"
            " the source and cannot be run on the code as it was: put a test beside the code (tests/*.rs), or"
            " add one that asserts what is new."
        )
        raise Refused(Reason(code="no-red", text=text))
    if all(work.source(work.after, case.file).asserts_nothing(case.id) for case in new):
        text = f"These tests cannot be run on the code as it was, and they assert nothing: {ids}."
        raise Refused(Reason(code="asserts-nothing", text=text))


def _is_new(work: Candidate, case: Case) -> bool:
    was, now = work.source(work.before, case.file), work.source(work.after, case.file)
    inner = case.id.partition("::")[2]
    if inner in now.bodies:
        return inner not in was.bodies or was.bodies[inner].text != now.bodies[inner].text
    return was.examples != now.examples
