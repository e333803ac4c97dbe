"""What the API says of the model a loop works with."""

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
    """A model by the Models API; nothing of it is hard-coded.

    Attributes:
        window: tokens of context.
        max_output: tokens of one answer.
        efforts: those it takes, from least to most; empty where it takes none.
        adaptive_thinking: it decides itself how much to think.
        images: it reads images.
        compaction: it can summarize a conversation on demand.
        places_breakpoints: the service puts the cache's breakpoint at the end of a conversation itself.
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
        """The wanted effort, or the nearest the model takes below it (above, if there is none below)."""
        if not self.efforts:
            return None
        below = [one for one in self.efforts if EFFORTS.index(one) <= EFFORTS.index(wanted)]
        return below[-1] if below else self.efforts[0]


class ModelService:
    """The model of one loop: the SDK's client, its price, and its facts, asked for once.

    Args:
        client: of the official SDK, with credentials, base URL and retries set.
        config: `model`, `effort` and `prices` are used.
        provider: who runs it.
        patience: bounds of waiting.

    Raises:
        ModelError: the model's price is not known.
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
        """What the Models API says; the first call asks it. Where the service has none: what is sure.

        Raises:
            ModelError: no such model, or the API does not say how much fits it.
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
    """Every Claude of these services has this much; what only some have is not used."""
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
