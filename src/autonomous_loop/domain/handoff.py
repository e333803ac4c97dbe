"""The handoff document one session leaves for the next: a note and an anti-rewind pin."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.model import CommitSha, FeatureId, LoopId, Model

BATON_SCHEMA: Literal[1] = 1


class Handoff(Model):
    """The journal is the truth; this says where it stood.

    Attributes:
        generation: the session that wrote it.
        checkpoint: the newest proved commit.
        state: the journal's tip: the next session's must be this or a descendant.
        not_before: when a usage limit, or the pause after an outage, ends, in UTC.
        note: for people and the next session, redacted.
    """

    schema_version: Literal[1] = BATON_SCHEMA
    repository: str
    loop: LoopId
    generation: int = Field(ge=1)
    reason: HandoffReason
    checkpoint: CommitSha
    state: CommitSha
    next_feature: FeatureId | None = None
    features_passing: int = 0
    features_total: int = 0
    spending: Spending = Spending()
    requester: str = ""
    request_hash: str = ""
    run_id: str = ""
    not_before: datetime | None = None
    note: str = ""


class SignedHandoff(Model):
    """A baton with its signature.

    Attributes:
        key_id: which key signed; empty when unsigned.
        mac: HMAC-SHA256 over the baton's canonical JSON, hexadecimal; empty when unsigned.
    """

    handoff: Handoff
    key_id: str = ""
    mac: str = ""
