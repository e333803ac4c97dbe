"""Sends the signal `repository_dispatch: autonomous-loop-finished` to workflows that wait for it."""

from __future__ import annotations

import logging

from autonomous_loop.ci.job import Job
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import LoopId
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.trigger import issue_of
from autonomous_loop.errors import ForgeError, LoopError
from autonomous_loop.github.client import translated

EVENT = "autonomous-loop-finished"
logger = logging.getLogger(__name__)


def tell_if_finished(job: Job, loop: LoopId, config: LoopConfig) -> bool:
    """Send the signal if this very run brought the loop to an end state.

    It raises nothing: the loop's result stands, whether or not the signal was delivered.

    Returns:
        Whether it was sent.
    """
    try:
        record = job.peek(loop, config)
        last = record.sessions[-1] if record is not None and record.sessions else None
        if record is None or last is None or last.reason is None or not last.reason.ends:
            return False
        if not job.is_own(last.claimant):
            return False
        tell(job, loop, record, result=str(last.reason))
    except LoopError as error:
        logger.warning("%s", error.message)
        return False
    return True


def tell(job: Job, loop: LoopId, record: LoopRecord, *, result: str) -> None:
    """Send the signal.

    Args:
        result: why the loop ended, or `merged`, or `closed`.

    Raises:
        ForgeError: GitHub refused; sending needs `contents: write`.
    """
    # GitHub accepts at most ten names.
    payload = {
        "loop": loop,
        "issue": record.facts.request.issue or issue_of(loop),
        "result": result,
        "pull_request": record.pull_request,
        "session": record.generation,
        "features_passing": record.passing,
        "features_total": record.total,
        "total_tokens": record.spending.tokens.total,
        "cost_usd": round(record.spending.usd, 4),
        "run_url": job.facts.run_url,
    }
    with translated(f"sending {EVENT}"):
        if not job.repository.create_repository_dispatch(EVENT, payload):
            raise ForgeError(
                f"GitHub refused the signal {EVENT}.", hint="the token needs the permission contents: write."
            )
