"""Reads from the API what the loop's model can do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anthropic import AsyncAnthropic
from anthropic.types.beta import BetaModelInfo

from autonomous_loop.agent.faults import translate
from autonomous_loop.agent.prices import Price, price_of, window_of
from autonomous_loop.agent.retry_policy import Attempts, RetryPolicy
from autonomous_loop.agent.transcripts import Transcripts
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.service import Provider
from autonomous_loop.errors import ModelError

COMPACTION_BETA = "compact-2026-09-04"
EFFORTS = ("low", "medium", "high", "xhigh", "max")
_FACTS_DEADLINE_S = 60.0
_WITHOUT_MODELS_API = frozenset({Provider.BEDROCK, Provider.VERTEX, Provider.FOUNDRY})
_SURE_OUTPUT = 32_000


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model's capabilities from the Models API; none are hard-coded.

    Attributes:
        window: context size in tokens.
        max_output: maximum tokens of one answer.
        efforts: accepted efforts, from least to most; empty if it accepts none.
        adaptive_thinking: the model decides itself how much to think.
        images: the model reads images.
        compaction: it can summarize a conversation on demand.
        places_breakpoints: the service itself puts the cache breakpoint at the end of a conversation.
    """

    id: str
    window: int
    max_output: int
    efforts: tuple[str, ...] = ()
    adaptive_thinking: bool = False
    images: bool = False
    compaction: bool = False
    places_breakpoints: bool = True

    def effort(self, wanted: str) -> str | None:
        """Return the wanted effort, or the nearest accepted one below it (above, if there is none below)."""
        if not self.efforts:
            return None
        below = [one for one in self.efforts if EFFORTS.index(one) <= EFFORTS.index(wanted)]
        return below[-1] if below else self.efforts[0]


class ModelService:
    """The model of one loop: the SDK's client, its price, and its capabilities, fetched once.

    Args:
        client: client of the official SDK, with credentials, base URL and retries set.
        config: `model`, `effort` and `prices` are used.
        provider: the company that runs the model.
        patience: limits on waiting.

    Raises:
        ModelError: the model's price is unknown.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        config: LoopConfig,
        *,
        provider: Provider = Provider.ANTHROPIC,
        patience: RetryPolicy | None = None,
        transcripts: Path | None = None,
    ) -> None:
        self.transcripts = Transcripts(transcripts)
        self.client = client
        self.model = config.model
        self.wanted_effort: str = config.effort
        self.patience = patience or RetryPolicy()
        self.price: Price = price_of(config.model, config.prices, provider)
        self._provider = provider
        self._facts: ModelFacts | None = None

    async def facts(self) -> ModelFacts:
        """Fetch the capabilities on the first call. Without a Models API, assume only those that are certain.

        Raises:
            ModelError: no such model, or the API does not report its context size.
            CredentialError, UsageLimitError, TransientError, ServiceError
        """
        if self._facts is None and self._provider in _WITHOUT_MODELS_API:
            self._facts = _sure_facts(self.model, self._provider)
        if self._facts is None:
            attempts = Attempts(self.patience, lambda: _FACTS_DEADLINE_S)
            try:
                info = await self.client.with_middleware(attempts).beta.models.retrieve(
                    self.model, betas=[COMPACTION_BETA], timeout=_FACTS_DEADLINE_S
                )
            except Exception as error:  # noqa: BLE001 - translated, all of them
                raise translate(error, model=self.model) from None
            self._facts = _facts(info)
        return self._facts


def _sure_facts(model: str, provider: Provider) -> ModelFacts:
    """Return what every Claude on these services has; nothing that only some have."""
    window = window_of(model, provider)
    if not window:
        raise ModelError(
            f"How many tokens fit {model!r} is not known, and {provider} does not say it.",
            hint="use a model's id as the provider lists it (us.anthropic.claude-opus-5-5 on Bedrock, say).",
        )
    return ModelFacts(model, window, _SURE_OUTPUT, images=True, places_breakpoints=False)


def _facts(info: BetaModelInfo) -> ModelFacts:
    if not info.max_input_tokens or not info.max_tokens:
        raise ModelError(
            f"The model's service does not say how many tokens fit {info.id!r}.",
            hint="use a model and a service whose Models API gives max_input_tokens and max_tokens.",
        )
    can = info.capabilities
    if can is None:
        return ModelFacts(info.id, info.max_input_tokens, info.max_tokens)
    efforts = [one for one in EFFORTS if (level := getattr(can.effort, one, None)) and level.supported]
    return ModelFacts(
        id=info.id,
        window=info.max_input_tokens,
        max_output=info.max_tokens,
        efforts=tuple(efforts) if can.effort.supported else (),
        adaptive_thinking=can.thinking.supported and can.thinking.types.adaptive.supported,
        images=can.image_input.supported,
        compaction=can.compaction is not None and can.compaction.summarize.supported,
    )
