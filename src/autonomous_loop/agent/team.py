"""The agents of one session, on one connection to the model."""

from __future__ import annotations

from dataclasses import dataclass

import anthropic

from autonomous_loop.agent.coder import CodingAgent
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.planner import PlanningAgent
from autonomous_loop.config import LoopConfig
from autonomous_loop.ports import Hands

SDK_RETRIES = 4


@dataclass(frozen=True, slots=True)
class Team:
    """Who plans and who codes.

    Attributes:
        client: theirs; closed with the session.
    """

    coder: CodingAgent
    planner: PlanningAgent
    client: anthropic.AsyncAnthropic


def make_team(config: LoopConfig, hands: Hands, *, api_key: str, base_url: str | None) -> Team:
    """Both agents.

    Args:
        base_url: of the API; None is Anthropic's own.
    """
    client = anthropic.AsyncAnthropic(api_key=api_key, base_url=base_url, max_retries=SDK_RETRIES)
    service = ModelService(client, config)
    return Team(CodingAgent(service, config, hands), PlanningAgent(service, config, hands), client)
