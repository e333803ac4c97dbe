"""The agents of one session, on one connection to the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anthropic

from autonomous_loop.agent.client import make_client
from autonomous_loop.agent.coder import CodingAgent
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.planner import PlanningAgent
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.service import ServiceAccess
from autonomous_loop.engine.ports import Sandbox


@dataclass(frozen=True, slots=True)
class Team:
    """Who plans and who codes.

    Attributes:
        client: theirs; closed with the session.
    """

    coder: CodingAgent
    planner: PlanningAgent
    client: anthropic.AsyncAnthropic


def make_team(
    config: LoopConfig, sandbox: Sandbox, access: ServiceAccess, *, transcripts: Path | None = None
) -> Team:
    """Both agents.

    Args:
        transcripts: where conversations are written down; None: nowhere.

    Raises:
        CredentialError: the service cannot be spoken to with what there is.
        ModelError: the model's price is not known.
    """
    client = make_client(access)
    service = ModelService(client, config, provider=access.provider, transcripts=transcripts)
    return Team(CodingAgent(service, config, sandbox), PlanningAgent(service, config, sandbox), client)
