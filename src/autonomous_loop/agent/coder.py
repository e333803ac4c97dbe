"""The coding agent: works on one feature in one conversation."""

from __future__ import annotations

from pydantic import ValidationError

from autonomous_loop.agent.conversation import Conversation
from autonomous_loop.agent.models import ModelService
from autonomous_loop.agent.prompts import feature_block, feature_message, prompt, refused_text
from autonomous_loop.agent.tool_loop import Done, Left, ToolLoop
from autonomous_loop.agent.tool_runner import ToolRunner
from autonomous_loop.agent.tools import (
    BLOCKED,
    CODER_TOOLS,
    SUBMIT,
    ToolInputError,
    ToolResult,
    fields,
    refusal,
    text_field,
)
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.proof import Submission, Verdict
from autonomous_loop.domain.work import CoderEnding, CoderResult, Task
from autonomous_loop.engine.ports import Control, Sandbox

_REMINDER = (
    "You ended without handing in the feature. If it is done, call submit_feature; if only a person can move "
    "it on, call report_blocked; otherwise go on working. Ending again without one of these gives the "
    "attempt up."
)
_GO_ON = (
    "The conversation so far was summarized to make room; the work tree is as you left it. This is the "
    "feature you are working on, as it was given to you:\n\n{feature}\n\nGo on where you left off, and keep "
    "output short."
)


class CodingAgent:
    """Implements the `Coder` port on Claude.

    Args:
        service: the model.
        config: limits of turns, submissions, commands and output.
        hands: the sandbox, which runs commands and edits files for the model.
    """

    def __init__(self, service: ModelService, config: LoopConfig, sandbox: Sandbox) -> None:
        self._service = service
        self._config = config
        self._sandbox = sandbox

    async def work(self, task: Task, control: Control) -> CoderResult:
        """Work until accepted, out of submissions, given up, blocked or told to hand off.

        Raises:
            ContextExhaustedError: the conversation does not fit, even after compaction.
            RefusalError: the model declined.
            UsageLimitError, TransientError, CredentialError, ModelError, ServiceError: from the service.
        """
        facts = await self._service.facts()
        conversation = Conversation(
            self._service,
            facts,
            system=prompt("system"),
            tools=CODER_TOOLS,
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
        desk = _Desk(task, control, most=self._config.max_submissions)
        dialogue = ToolLoop(
            conversation,
            toolbox,
            control,
            finals={SUBMIT: desk.submit, BLOCKED: desk.blocked},
            free={BLOCKED},
            reminder=_REMINDER,
            go_on=_GO_ON.format(feature=feature_block(task)),
            max_turns=self._config.max_turns,
        )
        ended = await dialogue.run(feature_message(task))
        if isinstance(ended, Done):
            result = ended.result
            return CoderResult(
                result.ending, result.verdict, result.question, result.note or dialogue.last_words
            )
        ending: CoderEnding = "gave-up" if ended is Left.GAVE_UP else "handed-off"
        return CoderResult(ending, desk.verdict, note=dialogue.last_words)


class _Desk:
    """Receives the submissions of one attempt."""

    def __init__(self, task: Task, control: Control, *, most: int) -> None:
        self._task = task
        self._control = control
        self._most = most
        self._refused = 0
        self.verdict: Verdict | None = None

    async def submit(self, given: object) -> ToolResult | Done[CoderResult]:
        """Handle `submit_feature`."""
        try:
            submission = Submission.model_validate(fields(given))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in fault["loc"])
            raise ToolInputError(f"not submitted: `{place}`: {fault['msg']}.") from None
        if (wrong := self._wrong(submission.feature_id)) is not None:
            return wrong
        self._control.progress(f"proving {submission.feature_id}")
        before, self.verdict = self.verdict, await self._control.submit(submission)
        if self.verdict.accepted:
            return Done(CoderResult("accepted", self.verdict, note=submission.summary))
        self._refused += 1
        if self._refused >= self._most:
            return Done(CoderResult("refused", self.verdict))
        again = before is not None and before.signature == self.verdict.signature
        return ToolResult(
            refused_text(self.verdict.reasons, number=self._refused, most=self._most, again=again)
        )

    async def blocked(self, given: object) -> ToolResult | Done[CoderResult]:
        """Handle `report_blocked`."""
        report = fields(given)
        if (wrong := self._wrong(text_field(report, "feature_id"))) is not None:
            return wrong
        reason = text_field(report, "reason")
        question = text_field(report, "question", default="").strip() or reason
        return Done(CoderResult("blocked", self.verdict, question=question, note=reason))

    def _wrong(self, feature_id: str) -> ToolResult | None:
        mine = self._task.feature.id
        if feature_id == mine:
            return None
        return refusal(f"your feature is {mine!r}, not {feature_id!r}; nothing was done.")
