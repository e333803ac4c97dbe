"""Accepts features that hold already: their tests pass on the old code, and no code was changed."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.project.selection import Selection
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import listed

_NO_RED = (
    "None of the submitted tests fails on the code as it was before your work, so they do not show the"
    " feature: {tests}. Assert what is new."
)
_OFFER = (
    " You changed no code: if the feature holds already, submit exactly this once more. It is then kept as"
    " already satisfied, without a red run, for a person to judge."
)


class AlreadySatisfied:
    """Accepts a feature without red if the model confirms it by what it does.

    The model is first told that its tests show nothing. It confirms by submitting the same tests with the
    same tree again, with nothing changed but tests. Words never decide. Red keeps a weak test from passing
    for a feature, so this exception must open no way around it:

    - nothing but tests is added to the project, so nothing unproved is kept;
    - every submitted test must check something, and at least one must be new or changed;
    - a submission without code is refused at first, as always, and a change of any other file withdraws the
      offer;
    - the suite, the gates and the browser test are required as always;
    - the proof says "no red" and "already satisfied", so the reviewer looks at it.

    A test may still check something other than the feature. No machine can tell, but a person can.
    """

    def __init__(self) -> None:
        self._offered: set[tuple[str, tuple[str, ...], TreeSha, TreeSha]] = set()

    def refuse_unless_confirmed(self, feature_id: str, selection: Selection, work: Candidate) -> None:
        """Refuse unless the model has confirmed; called if no submitted test fails on the old code.

        Raises:
            Refused: the first time; and always if anything but tests was changed.
        """
        offer = (feature_id, selection.tests, work.before, work.after)
        if offer in self._offered:
            return
        text = _NO_RED.format(tests=listed(selection.tests))
        changed = {change.path for change in work.changes}
        if changed <= set(work.test_paths) and changed & set(selection.files):
            self._offered.add(offer)
            text += _OFFER
        raise Refused(Reason(code="no-red", text=text))

    def refuse_empty(self, work: Candidate, green: Sequence[Case]) -> None:
        """Require that each test checks something, because without red nothing else supports it.

        Raises:
            Refused: a test checks nothing.
        """
        empty = [
            case.id
            for case in green
            if case.outcome == "passed" and work.source(work.after, case.file).asserts_nothing(case.id)
        ]
        if empty:
            text = f"These tests pass on the code as it was and assert nothing: {listed(empty)}."
            raise Refused(Reason(code="asserts-nothing", text=text))
