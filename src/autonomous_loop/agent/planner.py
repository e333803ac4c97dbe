"""The planning agent: turns a request into a feature list."""

from __future__ import annotations

from autonomous_loop.agent.conversation import Conversation
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.prompts import prompt, request_message
from autonomous_loop.agent.tool_loop import Done, Left, ToolLoop
from autonomous_loop.agent.tool_runner import ToolRunner
from autonomous_loop.agent.tools import PLANNER_TOOLS, PROPOSE, ToolResult, fields, refusal
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import FeatureList, parse_feature_list
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import HowTestsRun
from autonomous_loop.engine.ports import PlanControl, Sandbox
from autonomous_loop.errors import DeadlineError, FeatureListError

MAX_PROPOSALS = 3
_REMINDER = (
    "You ended without a feature list. Call propose_features now. Ending again without it gives the planning "
    "up."
)
_TO_PLANNER = (
    "This is what your setup and the tests came to in a fresh clone, with an empty home: nothing that you "
    "made by hand was in it, and your shell has started anew in that clone. Between setup and tests, files "
    "that git does not ignore are removed (a folder that setup makes can ignore itself: `*` in its own "
    ".gitignore). Mend `setup` or `test_command` and propose the whole list again."
)
_TO_PEOPLE = (
    "set setup, test-command or suite-command for autonomous-loop in this project, or bring what they need "
    "along; then run it again. Nothing was built, and the plan was not kept."
)
_GO_ON = (
    "The conversation so far was summarized to make room. Propose the features now, or look at what you "
    "still need first, and keep output short. This is how it began:\n\n{request}"
)


class PlanningAgent:
    """Implements the `Planner` port on Claude.

    Args:
        service: the model.
        config: limits of turns, commands and output.
        hands: the sandbox, in which the model examines the project.
    """

    def __init__(self, service: ModelService, config: LoopConfig, sandbox: Sandbox) -> None:
        self._service = service
        self._config = config
        self._sandbox = sandbox

    async def plan(
        self, request: Request, control: PlanControl, *, attempt: int, most: int, tests: HowTestsRun
    ) -> FeatureList:
        """Return a validated list that was tried out.

        Args:
            request: the request.
            control: the loop's side of the conversation.
            attempt: number of this planning attempt, from 1.
            most: maximum features of the list.
            tests: how the loop would run the tests if the planner said nothing about it.

        Raises:
            FeatureListError: the model proposed no list, or no valid one.
            DeadlineError: the loop asked to hand off before there was a list.
            ContextExhaustedError, RefusalError, UsageLimitError, TransientError, CredentialError, ModelError,
                ServiceError: from the model and its service.
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
        toolbox = ToolRunner(
            self._sandbox,
            command_timeout_s=self._config.command_timeout_s,
            max_output=self._config.max_output,
            seconds_left=control.seconds_left,
            images=facts.images,
        )
        message = request_message(request, attempt=attempt, most=most, tests=tests, setup=self._config.setup)
        dialogue = ToolLoop(
            conversation,
            toolbox,
            control,
            finals={PROPOSE: _Proposals(control, most).take},
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
    """Checks proposals, up to a few."""

    def __init__(self, control: PlanControl, most: int) -> None:
        self._control = control
        self._most = most
        self._refused = 0

    async def take(self, given: object) -> ToolResult | Done[FeatureList]:
        """Handle `propose_features`.

        Raises:
            FeatureListError: the last proposal, too, was invalid or did not work.
        """
        try:
            made = parse_feature_list(dict(fields(given)), source="the proposal", most=self._most)
        except FeatureListError as error:
            return self._refuse(error, f"not taken: {error} Mend it and propose the whole list again.")
        if why := await self._control.try_out(made):
            last = FeatureListError(f"no plan worked on the untouched code; the last: {why}", hint=_TO_PEOPLE)
            return self._refuse(last, f"not taken: {why}\n\n{_TO_PLANNER}")
        return Done(made)

    def _refuse(self, error: FeatureListError, text: str) -> ToolResult:
        self._refused += 1
        if self._refused >= MAX_PROPOSALS:
            raise error
        return refusal(text)
