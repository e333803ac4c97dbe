"""The way out of a proof that cannot hold any more."""

from __future__ import annotations

from collections.abc import Mapping

from autonomous_loop.domain.proof import Reason


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """Why; it never leaves this folder.

    Args:
        reasons: at least one.
        lost: ids of tests that passed before and do not now, where that is why.
        evidence: pictures and traces that show it, by name.
    """

    def __init__(
        self, *reasons: Reason, lost: tuple[str, ...] = (), evidence: Mapping[str, bytes] | None = None
    ) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons
        self.lost = lost
        self.evidence = evidence or {}
