"""Runs one conversation, turn by turn, to a typed result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from autonomous_loop.agent.conversation import Answer, Conversation, ToolCall
from autonomous_loop.agent.text import first_line
from autonomous_loop.agent.tool_runner import SANDBOX_TOOLS, ToolRunner, describe
from autonomous_loop.agent.tools import REMEMBER, ToolInputError, ToolResult, fields, refusal, text_field
from autonomous_loop.domain.decision import NextStep
from autonomous_loop.engine.ports import Control
from autonomous_loop.errors import ContextExhaustedError, DeadlineError, RefusalError

T = TypeVar("T")
MAX_NOTE_CHARS = 2_000
_CUT = (
    "Your answer was cut off at its largest size and none of its tools were run. Go on in smaller steps: "
    "write long files in parts."
)


class Left(StrEnum):
    """How a conversation ended without its result."""

    GAVE_UP = "gave-up"
    HANDED_OFF = "handed-off"


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The result of a conversation, returned by one of its final tools."""

    result: T


Final = Callable[[object], Awaitable[ToolResult | Done[T]]]


class ToolLoop(Generic[T]):
    """Runs a conversation and the tools the model may call in it.

    Args:
        conversation: a fresh one.
        toolbox: the tools that work in the sandbox.
        control: decides between turns.
        finals: tools that may end the conversation, by name; they run after all others, one per answer.
        free: final tools that cost nothing; they are accepted even when the loop asks to hand off.
        reminder: sent once to a model that ends without a final tool.
        go_on: sent after the summary of a compaction.
        max_turns: maximum answers; after that the model counts as given up.
    """

    def __init__(
        self,
        conversation: Conversation,
        toolbox: ToolRunner,
        control: Control,
        *,
        finals: Mapping[str, Final[T]],
        free: Collection[str],
        reminder: str,
        go_on: str,
        max_turns: int,
    ) -> None:
        self._conversation = conversation
        self._toolbox = toolbox
        self._control = control
        self._finals = finals
        self._free = free
        self._reminder = reminder
        self._go_on = go_on
        self._max_turns = max_turns
        self._reminded = False
        self.last_words = ""

    async def run(self, first: str) -> Done[T] | Left:
        """Continue until a final tool returns a result, the model ends without one, or the loop ends it.

        Raises:
            ContextExhaustedError: the conversation does not fit, even after compaction.
            RefusalError: the model declined.
            All errors of `Conversation.turn` and of the control.
        """
        self._conversation.say(first)
        compacted = False
        for number in range(1, self._max_turns + 1):
            self._control.progress(f"turn {number}: the model is thinking")
            try:
                answer, step = await self._ask(self._conversation.turn())
            except DeadlineError:
                return Left.HANDED_OFF
            self.last_words = answer.text or self.last_words
            _check(answer)
            if step is NextStep.HAND_OFF:
                return await self._take_free(answer) or Left.HANDED_OFF
            if step is NextStep.COMPACT and compacted:
                raise ContextExhaustedError(
                    "The conversation does not fit its context even after compaction."
                )
            ended = await self._react(answer)
            if ended is not None:
                return ended
            compacted = step is NextStep.COMPACT
            if compacted and await self._compact() is NextStep.HAND_OFF:
                return Left.HANDED_OFF
        return Left.GAVE_UP

    async def _ask(self, asked: Awaitable[Answer]) -> tuple[Answer, NextStep]:
        """Return an answer and the control's decision. The cost of broken answers is reported in any case."""
        try:
            answer = await asked
        except BaseException as error:  # also a stop, which ends an answer that costs money
            lost = self._conversation.lost()
            # Always report a deadline, so that the loop can see whether it was its own.
            if lost.spending.tokens.total or isinstance(error, DeadlineError):
                await self._control.after_turn(lost)
            raise
        return answer, await self._control.after_turn(answer.turn)

    async def _compact(self) -> NextStep:
        self._control.progress("the conversation is being summarized")
        try:
            answer, step = await self._ask(self._conversation.compact(self._go_on))
        except DeadlineError:
            return NextStep.HAND_OFF
        if answer.stop != "compaction" or step is NextStep.COMPACT:
            raise ContextExhaustedError("The conversation could not be summarized to fit its context.")
        return step

    async def _react(self, answer: Answer) -> Done[T] | Left | None:
        """Run the tools that the answer calls and append the results; return the end, if it is one."""
        if answer.stop == "pause_turn":
            return None
        if answer.stop == "max_tokens":
            self._results(answer, [refusal(_CUT)] * len(answer.calls))
            if not answer.calls:
                self._conversation.say(_CUT)
            return None
        if answer.calls and answer.stop == "tool_use":
            return await self._run_tools(answer)
        if self._reminded:
            return Left.GAVE_UP
        self._reminded = True
        self._results(answer, [refusal("not run: your answer had ended.")] * len(answer.calls))
        self._conversation.say(self._reminder)
        return None

    async def _run_tools(self, answer: Answer) -> Done[T] | None:
        self._control.progress("; ".join(first_line(describe(call), 60) for call in answer.calls[:3]))
        results: dict[str, ToolResult] = {}
        work = [call for call in answer.calls if call.name in SANDBOX_TOOLS]
        done = await self._toolbox.run(work)
        results |= {call.id: result for call, result in zip(work, done, strict=True)}
        final_was_run = False
        for call in answer.calls:
            if call.name in self._finals and final_was_run:
                results[call.id] = refusal("not run: one such tool an answer, after all others.")
            elif call.name in self._finals:
                final_was_run = True
                ended = await self._final(call)
                if isinstance(ended, Done):
                    return ended
                results[call.id] = ended
            elif call.name == REMEMBER:
                results[call.id] = await self._remember(call)
            elif call.name not in SANDBOX_TOOLS:
                results[call.id] = refusal(f"there is no tool {call.name!r}.")
        self._results(answer, [results[call.id] for call in answer.calls])
        return None

    async def _take_free(self, answer: Answer) -> Done[T] | None:
        for call in answer.calls if answer.stop == "tool_use" else ():
            if call.name in self._free:
                ended = await self._final(call)
                return ended if isinstance(ended, Done) else None
        return None

    async def _final(self, call: ToolCall) -> ToolResult | Done[T]:
        try:
            return await self._finals[call.name](call.input)
        except ToolInputError as error:
            return refusal(str(error))

    async def _remember(self, call: ToolCall) -> ToolResult:
        try:
            note = text_field(fields(call.input), "note").strip()
        except ToolInputError as error:
            return refusal(str(error))
        if not note or len(note) > MAX_NOTE_CHARS:
            return refusal(f"a note has 1 to {MAX_NOTE_CHARS} characters; this one has {len(note)}.")
        await self._control.remember(note)
        return ToolResult("remembered.")

    def _results(self, answer: Answer, results: list[ToolResult]) -> None:
        if answer.calls:
            self._conversation.answer(
                [result.block(call.id) for call, result in zip(answer.calls, results, strict=True)]
            )


def _check(answer: Answer) -> None:
    if answer.stop == "refusal":
        raise RefusalError(
            "The model declined to go on with this.",
            hint="reword the request, or this feature, or set another `model`.",
        )
    if answer.stop == "model_context_window_exceeded":
        raise ContextExhaustedError("The model's answer did not fit its context any more.")
