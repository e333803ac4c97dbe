"""One conversation with the model: an append-only history, one streamed answer a turn."""

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

# One answer writes a few files at most; what a model could write beyond that is only a longer loss when cut.
MAX_ANSWER_TOKENS = 64_000
_MAX_SUMMARY_TOKENS = 16_000
_SUMMARY_S = 600.0  # nothing is heard of a summary before it is whole
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asks to have done; `input` is as the model wrote it and may be anything."""

    id: str
    name: str
    input: object


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer.

    Attributes:
        text: what it says in words.
        calls: the tools it asks for; to be run only where `stop` is "tool_use".
        stop: the API's stop reason.
        turn: what it cost.
    """

    text: str
    calls: tuple[ToolCall, ...]
    stop: str
    turn: Turn


class Conversation:
    """A history that only grows, so that the prompt cache holds and thinking stays valid.

    Args:
        service: the model.
        facts: what it can do.
        system: the system prompt, the same in every conversation of a kind.
        tools: the same in every conversation of a kind.
        seconds_left: until the session's deadline; no call outlasts it.
        broke_off: hears what a broken answer cost before it is asked for again, and may say that it is not.
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
        # A breakpoint of its own: what follows differs from feature to feature, this does not.
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
        """Append a message of the user."""
        self._append({"role": "user", "content": [{"type": "text", "text": text}]})

    def answer(self, results: Sequence[BetaToolResultBlockParam]) -> None:
        """Append the results of all tools of the last answer, in one message."""
        self._append({"role": "user", "content": list(results)})

    async def turn(self) -> Answer:
        """Stream one answer and append it.

        Answers that break off are asked for again; nothing of them is used.

        Raises:
            DeadlineError: the session's time ended first, or a limit was reached by broken answers.
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
        """Have the API summarize everything so far; the summary takes its place, then `go_on`.

        The history must not end in tool calls without results.

        Returns:
            An answer whose `stop` is "compaction" where there is a summary now; else nothing has changed.
            Its `context_used` is the summary's size alone.

        Raises:
            ContextExhaustedError: the model has no compaction.
            What `turn` raises.
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
        """What broken answers cost that no turn has reported yet; asking reports it."""
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
        """The answer, and how many errors were recovered on the way: the SDK's retries and ours."""
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
            # `from None`: what the SDK chains may quote a header.
            raise translate(error, model=self._service.model) from None
        return message, attempts.retried + int(retrying.statistics["attempt_number"]) - 1

    async def _tell(self, _: RetryCallState) -> None:
        """Each of several long answers may break off: a limit of money must hold in between, too."""
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
            # A deadline and a stop end an answer, too: what it cost by then is spent.
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
        """What every request of this conversation has in common: a change would empty the cache."""
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
    """The same, cached up to its end: for services that do not place the breakpoint themselves."""
    *before, last = messages
    *blocks, end = cast("list[dict[str, Any]]", last["content"])
    marked = [*blocks, end | {"cache_control": {"type": "ephemeral"}}]
    return [*before, cast("BetaMessageParam", {"role": last["role"], "content": marked})]


def tokens_of(usage: BetaUsage, *, compaction: bool | None = None) -> Tokens:
    """Tokens of one request.

    Args:
        usage: as the API gives it: a compaction's tokens stand in `iterations` alone.
        compaction: None counts everything, True a compaction's alone, False all but a compaction's.
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
    """A block of an answer as it goes back, verbatim; `parsed_output` is the SDK's own."""
    sent = block.to_dict(mode="json")
    sent.pop("parsed_output", None)
    return sent


def _can_be_sent(block: BetaContentBlock) -> bool:
    """The API takes neither empty text nor thinking that was cut before its signature."""
    if block.type == "text":
        return bool(block.text)
    return block.type != "thinking" or bool(block.signature)
