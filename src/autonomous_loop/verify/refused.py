"""The way out of a proof that cannot hold any more."""

from __future__ import annotations

from autonomous_loop.domain.proof import Reason


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """Why; it never leaves this folder.

    Args:
        reasons: at least one.
    """

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons
