"""The handoff document that one session leaves for the next. It also detects a rewound journal."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.model import CommitSha, FeatureId, LoopId, Model

BATON_SCHEMA: Literal[1] = 1


class Handoff(Model):
    """A note on where the journal stood. The journal itself is authoritative.

    Attributes:
        generation: the session that wrote it.
        checkpoint: the newest proved commit.
        state: the journal's tip; the next session must find this commit or a descendant.
        not_before: end of a usage limit, or of the pause after an outage, in UTC.
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
    """A handoff with its signature.

    Attributes:
        key_id: id of the signing key; empty if unsigned.
        mac: HMAC-SHA256 over the handoff's canonical JSON, hexadecimal; empty if unsigned.
    """

    handoff: Handoff
    key_id: str = ""
    mac: str = ""
