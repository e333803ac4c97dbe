"""One conversation with the model: an append-only history, and one streamed answer per turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx2
from anthropic import AsyncAnthropic, omit
from anthropic.types.beta import (
    BetaContentBlock,
    BetaMessage,
    BetaMessageParam,
    BetaTextBlockParam,
    BetaToolResultBlockParam,
    BetaToolUnionParam,
    BetaUsage,
)
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from autonomous_loop.agent.faults import is_broken_stream, translate
from autonomous_loop.agent.models import COMPACTION_BETA, ModelFacts, ModelService
from autonomous_loop.agent.prices import spending
from autonomous_loop.agent.retry_policy import Attempts
from autonomous_loop.agent.stream_usage import StreamUsage
from autonomous_loop.domain.budget import Spending, Tokens
from autonomous_loop.domain.decision import NextStep
from autonomous_loop.domain.text import in_every_text, utf8
from autonomous_loop.domain.work import Turn
from autonomous_loop.errors import ContextExhaustedError, DeadlineError

# An answer writes a few files at most. A higher limit would only make a cut answer cost more.
MAX_ANSWER_TOKENS = 64_000
_MAX_SUMMARY_TOKENS = 16_000
_SUMMARY_S = 600.0  # nothing of a summary arrives before it is complete
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call by the model. `input` is what the model wrote and may be anything."""

    id: str
    name: str
    input: object


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer.

    Attributes:
        text: the text of the answer.
        calls: the tool calls; run them only if `stop` is "tool_use".
        stop: the API's stop reason.
        turn: the cost.
    """

    text: str
    calls: tuple[ToolCall, ...]
    stop: str
    turn: Turn


class Conversation:
    """An append-only history, so that the prompt cache holds and thinking stays valid.

    Args:
        service: the model.
        facts: the model's capabilities.
        system: the system prompt, the same in every conversation of a kind.
        tools: the same in every conversation of a kind.
        seconds_left: until the session's deadline; no call outlasts it.
        broke_off: called with the cost of a broken answer before a retry; it may refuse the retry.
    """

    def __init__(
        self,
        service: ModelService,
        facts: ModelFacts,
        *,
        system: str,
        tools: Sequence[BetaToolUnionParam],
        seconds_left: Callable[[], float],
        broke_off: Callable[[Turn], Awaitable[NextStep]] | None = None,
    ) -> None:
        self._service = service
        self._facts = facts
        self._tools = list(tools)
        # A cache breakpoint of its own, because the system prompt is shared by features and the rest is not.
        self._system: list[BetaTextBlockParam] = [
            {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
        ]
        self._seconds_left = seconds_left
        self._broke_off = broke_off
        self._messages: list[BetaMessageParam] = []
        self._transcript = service.transcripts.begin()
        self._lost = Spending()
        self._context_used = 0

    def say(self, text: str) -> None:
        """Append a user message."""
        self._append({"role": "user", "content": [{"type": "text", "text": text}]})

    def answer(self, results: Sequence[BetaToolResultBlockParam]) -> None:
        """Append the results of all tools of the last answer in one message."""
        self._append({"role": "user", "content": list(results)})

    async def turn(self) -> Answer:
        """Stream one answer and append it.

        An answer that breaks off is requested again, and nothing of it is used.

        Raises:
            DeadlineError: the session's time ended first, or broken answers reached a limit.
            UsageLimitError, TransientError, ContextExhaustedError, CredentialError, ModelError, ServiceError
        """
        message, recovered = await self._persist(self._stream)
        content = [_as_sent(block) for block in message.content if _can_be_sent(block)]
        if content and message.stop_reason != "refusal":
            self._append(cast("BetaMessageParam", {"role": "assistant", "content": content}))
        usage = message.usage
        self._context_used = tokens_of(usage, compaction=False).total
        return self._answer(message, recovered)

    async def compact(self, go_on: str) -> Answer:
        """Let the API summarize the history. The summary replaces it, followed by `go_on`.

        The history must not end in tool calls without results.

        Returns:
            An answer whose `stop` is "compaction" if there is a summary now; otherwise nothing has changed.
            Its `context_used` is the size of the summary alone.

        Raises:
            ContextExhaustedError: the model has no compaction.
            All errors of `turn`.
        """
        if not self._facts.compaction:
            raise ContextExhaustedError(
                "The conversation is full, and this model cannot summarize it.",
                hint="the loop hands off; a `model` with compaction on demand goes further in one session.",
            )
        message, recovered = await self._persist(self._summary)
        summaries = [block for block in message.content if block.type == "compaction" and block.content]
        if message.stop_reason == "compaction" and summaries:
            block = _as_sent(summaries[-1])
            self._messages = []
            self._append(cast("BetaMessageParam", {"role": "assistant", "content": [block]}))
            self.say(go_on)
            self._context_used = tokens_of(message.usage, compaction=True).output
            return self._answer(message, recovered)
        return self._answer(message, recovered, stop="no summary")

    def lost(self) -> Turn:
        """Return the cost of broken answers that no turn has reported yet, and count it as reported."""
        lost, self._lost = self._lost, Spending()
        return Turn(lost, self._context_used, self._facts.window, answered=False)

    def _append(self, message: BetaMessageParam) -> None:
        message = cast("BetaMessageParam", in_every_text(message, utf8))
        self._messages.append(message)
        self._transcript(message)

    def _answer(self, message: BetaMessage, recovered: int, *, stop: str | None = None) -> Answer:
        spent = spending(tokens_of(message.usage), self._service.price)
        return Answer(
            text="\n".join(block.text for block in message.content if block.type == "text").strip(),
            calls=tuple(
                ToolCall(block.id, block.name, block.input)
                for block in message.content
                if block.type == "tool_use"
            ),
            stop=stop or message.stop_reason or "",
            turn=Turn(
                spending=spent + self.lost().spending,
                context_used=self._context_used,
                context_window=self._facts.window,
                recovered=recovered,
            ),
        )

    async def _persist(
        self, ask: Callable[[AsyncAnthropic], Awaitable[BetaMessage]]
    ) -> tuple[BetaMessage, int]:
        """Return the answer and the number of errors recovered on the way, by the SDK's retries and ours."""
        patience = self._service.patience
        attempts = Attempts(patience, self._seconds_left)
        client = self._service.client.with_middleware(attempts)
        retrying = AsyncRetrying(
            retry=retry_if_exception(is_broken_stream),
            stop=stop_after_attempt(1 + patience.retries),
            wait=wait_exponential(multiplier=patience.first_wait_s, max=patience.longest_wait_s)
            + wait_random(0, patience.first_wait_s),
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            async with asyncio.timeout(max(0.0, self._seconds_left())):
                message: BetaMessage = await retrying(ask, client)
        except TimeoutError:
            raise DeadlineError("The session's time ended while the model was answering.") from None
        except Exception as error:  # noqa: BLE001 - translated, all of them
            # `from None`, because exceptions chained by the SDK may quote a header.
            raise translate(error, model=self._service.model) from None
        return message, attempts.retried + int(retrying.statistics["attempt_number"]) - 1

    async def _tell(self, _: RetryCallState) -> None:
        """Report a broken answer's cost before the retry, since several long ones could exceed the budget."""
        if self._broke_off is None or not self._lost.tokens.total:
            return
        if await self._broke_off(self.lost()) is NextStep.HAND_OFF:
            raise DeadlineError("A limit was reached while the model's answers broke off.")

    async def _stream(self, client: AsyncAnthropic) -> BetaMessage:
        parameters = self._parameters(MAX_ANSWER_TOKENS)
        timeout = httpx2.Timeout(self._service.patience.stall_s, connect=_CONNECT_S)
        received = StreamUsage(most_tokens=parameters["max_tokens"])
        try:
            async with client.beta.messages.stream(**parameters, timeout=timeout) as stream:
                return await received.message(stream)
        except BaseException:
            # A deadline or a stop also ends an answer; its cost so far is spent.
            if (usage := received.usage()) is not None:
                self._lost += spending(tokens_of(usage), self._service.price)
            raise

    async def _summary(self, client: AsyncAnthropic) -> BetaMessage:
        message: BetaMessage = await client.beta.messages.create(
            **self._parameters(_MAX_SUMMARY_TOKENS),
            compaction={"type": "summarize"},
            timeout=httpx2.Timeout(_SUMMARY_S, connect=_CONNECT_S),
        )
        return message

    def _parameters(self, max_tokens: int) -> dict[str, Any]:
        """Return the parameters shared by every request here; a change would invalidate the cache."""
        effort = self._facts.effort(self._service.wanted_effort)
        automatic = self._facts.places_breakpoints
        return {
            "model": self._service.model,
            "max_tokens": min(max_tokens, self._facts.max_output),
            "system": self._system,
            "tools": self._tools,
            "messages": self._messages if automatic else _with_breakpoint(self._messages),
            "cache_control": {"type": "ephemeral"} if automatic else omit,
            "thinking": {"type": "adaptive"} if self._facts.adaptive_thinking else omit,
            "output_config": {"effort": effort} if effort else omit,
            "betas": [COMPACTION_BETA] if self._facts.compaction else omit,
        }


def _with_breakpoint(messages: list[BetaMessageParam]) -> list[BetaMessageParam]:
    """Return the messages with a cache breakpoint at the end, for services that do not set it themselves."""
    *before, last = messages
    *blocks, end = cast("list[dict[str, Any]]", last["content"])
    marked = [*blocks, end | {"cache_control": {"type": "ephemeral"}}]
    return [*before, cast("BetaMessageParam", {"role": last["role"], "content": marked})]


def tokens_of(usage: BetaUsage, *, compaction: bool | None = None) -> Tokens:
    """Return the tokens of one request.

    Args:
        usage: the API's figures; a compaction's tokens are listed in `iterations` only.
        compaction: None counts everything, True only a compaction, False all except a compaction.
    """
    parts: list[Any] = [] if compaction is True else [usage]
    if compaction is not False:
        parts += [one for one in usage.iterations or () if one.type == "compaction"]
    return sum(
        (
            Tokens(
                input=part.input_tokens,
                output=part.output_tokens,
                cache_write=part.cache_creation_input_tokens or 0,
                cache_read=part.cache_read_input_tokens or 0,
            )
            for part in parts
        ),
        Tokens(),
    )


def _as_sent(block: BetaContentBlock) -> dict[str, Any]:
    """Return a block of an answer verbatim, to send it back; `parsed_output` belongs to the SDK alone."""
    sent = block.to_dict(mode="json")
    sent.pop("parsed_output", None)
    return sent


def _can_be_sent(block: BetaContentBlock) -> bool:
    """Whether the API accepts the block: no empty text, no thinking cut before its signature."""
    if block.type == "text":
        return bool(block.text)
    return block.type != "thinking" or bool(block.signature)
