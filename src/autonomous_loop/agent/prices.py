"""What tokens cost, estimated: a kept price library's figures, or the configuration's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from autonomous_loop.domain.budget import Spending, Tokens
from autonomous_loop.errors import ModelError

_PER = 1_000_000
# Anthropic's rule for its five-minute cache, where a configured price says nothing of it.
_CACHE_WRITE = 1.25
_CACHE_READ = 0.1


class Price(Protocol):
    """What one request costs."""

    def usd(self, tokens: Tokens) -> float:
        """Estimated US dollars for the tokens of one request."""
        ...


class ConfiguredPrice:
    """A price from the configuration.

    Args:
        per_mtok: US dollars per million input and output tokens.
    """

    def __init__(self, per_mtok: tuple[float, float]) -> None:
        self._input, self._output = per_mtok

    def usd(self, tokens: Tokens) -> float:
        """Estimated US dollars; a cache write costs 1.25 times, a read 0.1 times an input token."""
        weighed = tokens.input + _CACHE_WRITE * tokens.cache_write + _CACHE_READ * tokens.cache_read
        return (weighed * self._input + tokens.output * self._output) / _PER


class LibraryPrice:
    """A price from genai-prices, which knows cache prices and long-context tiers too.

    Args:
        model: the model's id.

    Raises:
        ModelError: the library does not know it.
    """

    def __init__(self, model: str) -> None:
        # A third of a second to import, and not needed where every price is configured.
        from genai_prices import Usage, calc_price  # noqa: PLC0415

        self._model, self._usage, self._calc = model, Usage, calc_price
        try:
            self.usd(Tokens())
        except LookupError:
            raise ModelError(
                f"The price of the model {model!r} is not known, so money could not be counted.",
                hint="set it in the loop's configuration, in US dollars per million input and output tokens: "
                f'prices = {{ "{model}" = [4.0, 20.0] }}',
            ) from None

    def usd(self, tokens: Tokens) -> float:
        """Estimated US dollars for the tokens of one request."""
        usage = self._usage(
            input_tokens=tokens.input + tokens.cache_write + tokens.cache_read,  # it counts them all as input
            cache_write_tokens=tokens.cache_write,
            cache_read_tokens=tokens.cache_read,
            output_tokens=tokens.output,
        )
        return float(self._calc(usage, model_ref=self._model, provider_id="anthropic").total_price)


def price_of(model: str, configured: Mapping[str, tuple[float, float]]) -> Price:
    """The price of a model: the configuration's before the library's.

    Args:
        model: its id.
        configured: US dollars per million input and output tokens, by model.

    Raises:
        ModelError: neither knows it.
    """
    return ConfiguredPrice(configured[model]) if model in configured else LibraryPrice(model)


def spending(tokens: Tokens, price: Price) -> Spending:
    """Tokens of one request with their price; minutes are counted by the loop."""
    return Spending(tokens=tokens, usd=price.usd(tokens))
