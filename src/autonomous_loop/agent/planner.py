"""The planning agent: a request becomes a feature list."""

from __future__ import annotations

from autonomous_loop.agent.briefing import prompt, request_message
from autonomous_loop.agent.conversation import Conversation
from autonomous_loop.agent.dialogue import Dialogue, Done, Left
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.toolbox import Toolbox
from autonomous_loop.agent.tools import PLANNER_TOOLS, PROPOSE, ToolResult, fields, refusal
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import FeatureList, parse_feature_list
from autonomous_loop.domain.request import Request
from autonomous_loop.errors import DeadlineError, FeatureListError
from autonomous_loop.ports import Control, Hands

MAX_PROPOSALS = 3
_REMINDER = (
    "You ended without a feature list. Call propose_features now. Ending again without it gives the planning "
    "up."
)
_GO_ON = (
    "The conversation so far was summarized to make room. Propose the features now, or look at what you "
    "still need first, and keep output short. This is how it began:\n\n{request}"
)


class PlanningAgent:
    """The `Planner` port, on Claude.

    Args:
        service: the model.
        config: limits of turns, commands and output.
        hands: with which the model looks around.
    """

    def __init__(self, service: ModelService, config: LoopConfig, hands: Hands) -> None:
        self._service = service
        self._config = config
        self._hands = hands

    async def plan(self, request: Request, control: Control, *, attempt: int, most: int) -> FeatureList:
        """A validated list.

        Args:
            request: what was asked.
            control: the loop's word between turns.
            attempt: which try at planning this is, from 1.
            most: how many features the list may have.

        Raises:
            FeatureListError: none, or no valid one, was proposed.
            DeadlineError: the loop said to hand off before there was one.
            ContextExhaustedError, RefusalError, UsageLimitError, TransientError, CredentialError, ModelError,
                ServiceError: of the model and its service.
        """
        facts = await self._service.facts()
        conversation = Conversation(
            self._service,
            facts,
            system=prompt("system"),
            tools=PLANNER_TOOLS,
            seconds_left=control.seconds_left,
            broke_off=control.after_turn,
        )
        toolbox = Toolbox(
            self._hands,
            command_timeout_s=self._config.command_timeout_s,
            max_output=self._config.max_output,
            seconds_left=control.seconds_left,
            images=facts.images,
        )
        message = request_message(request, attempt=attempt, most=most)
        dialogue = Dialogue(
            conversation,
            toolbox,
            control,
            finals={PROPOSE: _Proposals(most).take},
            free={PROPOSE},
            reminder=_REMINDER,
            go_on=_GO_ON.format(request=message),
            max_turns=self._config.max_turns,
        )
        ended = await dialogue.run(message)
        if isinstance(ended, Done):
            return ended.result
        if ended is Left.HANDED_OFF:
            raise DeadlineError("planning did not end in this session.")
        said = f" Its last words: {dialogue.last_words[:500]}" if dialogue.last_words else ""
        raise FeatureListError(
            f"The model ended without a feature list.{said}",
            hint="say more precisely in the request what shall change, or bring a feature_list.json along.",
        )


class _Proposals:
    """Takes what is proposed, a few times."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._refused = 0

    async def take(self, given: object) -> ToolResult | Done[FeatureList]:
        """`propose_features`.

        Raises:
            FeatureListError: the last proposal was not valid either.
        """
        try:
            return Done(parse_feature_list(dict(fields(given)), source="the proposal", most=self._most))
        except FeatureListError as error:
            self._refused += 1
            if self._refused >= MAX_PROPOSALS:
                raise
            return refusal(f"not taken: {error} Mend it and propose the whole list again.")
