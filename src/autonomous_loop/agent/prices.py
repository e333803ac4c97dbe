"""Estimates what tokens cost, from a maintained price library or the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from autonomous_loop.domain.budget import Spending, Tokens
from autonomous_loop.domain.service import Provider
from autonomous_loop.errors import ModelError

_PER = 1_000_000
# Anthropic's factor for its five-minute cache, since a configured price does not include it.
_CACHE_WRITE = 1.25
_CACHE_READ = 0.1
# The price library's names for the providers.
_LIBRARY_NAMES = {
    Provider.ANTHROPIC: "anthropic",
    Provider.AWS: "anthropic",
    Provider.BEDROCK: "aws",
    Provider.VERTEX: "google",
    Provider.FOUNDRY: "azure",
}


class Price(Protocol):
    """The price of a request."""

    def usd(self, tokens: Tokens) -> float:
        """Return the estimated US dollars for the tokens of one request."""
        ...


class ConfiguredPrice:
    """A price from the configuration.

    Args:
        per_mtok: US dollars per million input and output tokens.
    """

    def __init__(self, per_mtok: tuple[float, float]) -> None:
        self._input, self._output = per_mtok

    def usd(self, tokens: Tokens) -> float:
        """Return estimated US dollars; a cache write costs 1.25 input tokens, a cache read 0.1."""
        weighed = tokens.input + _CACHE_WRITE * tokens.cache_write + _CACHE_READ * tokens.cache_read
        return (weighed * self._input + tokens.output * self._output) / _PER


class LibraryPrice:
    """A price from genai-prices, which also knows cache prices and long-context tiers.

    Args:
        model: the model's id.
        provider: the company that runs it and sets the price.

    Raises:
        ModelError: the library does not know the model.
    """

    def __init__(self, model: str, provider: Provider = Provider.ANTHROPIC) -> None:
        # The import takes a third of a second, and is not needed if every price is configured.
        from genai_prices import Usage, calc_price  # noqa: PLC0415

        self._model, self._usage, self._calc = model, Usage, calc_price
        self._provider = _LIBRARY_NAMES[provider]
        try:
            self.usd(Tokens())
        except LookupError:
            raise ModelError(
                f"The price of the model {model!r} is not known, so money could not be counted.",
                hint="set it in the loop's configuration, in US dollars per million input and output tokens: "
                f'prices = {{ "{model}" = [4.0, 20.0] }}',
            ) from None

    def usd(self, tokens: Tokens) -> float:
        """Return the estimated US dollars for the tokens of one request."""
        usage = self._usage(
            input_tokens=tokens.input + tokens.cache_write + tokens.cache_read,  # it counts all of these
            cache_write_tokens=tokens.cache_write,
            cache_read_tokens=tokens.cache_read,
            output_tokens=tokens.output,
        )
        return float(self._calc(usage, model_ref=self._model, provider_id=self._provider).total_price)


def window_of(model: str, provider: Provider) -> int:
    """Return a model's context size in tokens from the price library; 0 if unknown."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - as above

    try:
        _, found = get_snapshot().find_provider_model(model, None, _LIBRARY_NAMES[provider], None)
    except LookupError:
        return 0
    return found.context_window or 0


def price_of(
    model: str,
    configured: Mapping[str, tuple[float, float]],
    provider: Provider = Provider.ANTHROPIC,
) -> Price:
    """Return a model's price; the configuration takes precedence over the library.

    Args:
        model: its id.
        configured: US dollars per million input and output tokens, by model.
        provider: the company that runs it.

    Raises:
        ModelError: neither knows the model.
    """
    return ConfiguredPrice(configured[model]) if model in configured else LibraryPrice(model, provider)


def spending(tokens: Tokens, price: Price) -> Spending:
    """Return the tokens of one request with their price; the loop counts minutes itself."""
    return Spending(tokens=tokens, usd=price.usd(tokens))
