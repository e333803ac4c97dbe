"""The exception that ends a failed proof."""

from __future__ import annotations

from collections.abc import Mapping

from autonomous_loop.domain.proof import Reason


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """The proof failed; this exception never leaves the `verify` room.

    Args:
        reasons: at least one.
        lost: ids of tests that passed before and do not now, if that is the reason.
        evidence: pictures and traces of it, by name.
    """

    def __init__(
        self, *reasons: Reason, lost: tuple[str, ...] = (), evidence: Mapping[str, bytes] | None = None
    ) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons
        self.lost = lost
        self.evidence = evidence or {}
