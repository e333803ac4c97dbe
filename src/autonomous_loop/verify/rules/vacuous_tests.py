"""Refuses submitted tests that turn green without checking the feature."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed


def refuse_idle(work: Candidate, red: Sequence[Case], turned: Sequence[Case]) -> None:
    """Require that at least one test that turned from red to green says something about the feature.

    A test without an assertion may still show that something no longer fails. But if it failed only because
    something it uses did not exist, it shows nothing.

    Args:
        red: the submitted tests that failed on the checkpoint's code.
        turned: the tests of the candidate's run that failed there and pass now.

    Raises:
        Refused: no test does.
    """
    conftests = [
        work.source(work.after, path).stand_ins
        for path in work.test_paths
        if posixpath.basename(path) == "conftest.py"
    ]
    own: dict[str, list[str]] = {}
    for case in turned:
        inner = without_parameters(case.id).partition("::")[2]
        own[case.id] = work.source(work.after, case.file).stand_ins.of(inner, conftests)
    if turned and all(own.values()):
        names = listed(sorted({name for found in own.values() for name in found}))
        text = (
            f"These tests replace what they then call ({names}), so they check their own stand-in:"
            f" {listed(sorted(own))}. Replace only what the feature uses, and check the feature itself."
        )
        raise Refused(Reason(code="asserts-nothing", text=text))
    if not all(case.import_fault or case.interface_fault for case in red):
        return
    left = [case for case in turned if not own[case.id]]
    if left and all(work.source(work.after, case.file).asserts_nothing(case.id) for case in left):
        text = (
            "Before, these tests fail only because what they use is not there yet, and they assert nothing"
            f" that can fail: {listed([case.id for case in turned])}. Assert what the feature does."
        )
        raise Refused(Reason(code="asserts-nothing", text=text))
