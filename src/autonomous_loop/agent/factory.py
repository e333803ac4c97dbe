"""Creates the agents of one session, on one connection to the model."""

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
    """The planning and the coding agent.

    Attributes:
        client: shared by both; closed with the session.
    """

    coder: CodingAgent
    planner: PlanningAgent
    client: anthropic.AsyncAnthropic


def make_team(
    config: LoopConfig, sandbox: Sandbox, access: ServiceAccess, *, transcripts: Path | None = None
) -> Team:
    """Create both agents.

    Args:
        transcripts: where to write conversations down; None: nowhere.

    Raises:
        CredentialError: the credentials are not enough to use the service.
        ModelError: the model's price is unknown.
    """
    client = make_client(access)
    service = ModelService(client, config, provider=access.provider, transcripts=transcripts)
    return Team(CodingAgent(service, config, sandbox), PlanningAgent(service, config, sandbox), client)
