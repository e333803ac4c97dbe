import pytest

from autonomous_loop.agent.prices import ConfiguredPrice, LibraryPrice, price_of
from autonomous_loop.domain.budget import Tokens
from autonomous_loop.errors import ModelError

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "usd_in", "usd_out"),
    [("claude-opus-5-5", 4, 20), ("claude-sonnet-5-5", 2, 10), ("claude-haiku-5-5", 0.1, 0.5)],
)
def test_the_library_knows_the_models_we_name(model, usd_in, usd_out):
    price = price_of(model, {})
    assert price.usd(Tokens(input=1_000)) == pytest.approx(usd_in / 1_000)
    assert price.usd(Tokens(output=1_000)) == pytest.approx(usd_out / 1_000)


def test_cached_tokens_have_prices_of_their_own():
    price = LibraryPrice("claude-opus-5-5")
    plain, written, read = (
        price.usd(Tokens(**{kind: 1_000})) for kind in ("input", "cache_write", "cache_read")
    )
    assert written == pytest.approx(1.25 * plain)
    assert 0 < read < plain / 5
    together = price.usd(Tokens(input=1_000, cache_write=1_000, cache_read=1_000))
    assert together == pytest.approx(plain + written + read)


def test_a_configured_price_comes_before_the_librarys():
    price = price_of("claude-opus-5-5", {"claude-opus-5-5": (1.0, 2.0)})
    tokens = Tokens(input=MILLION, output=MILLION, cache_write=MILLION, cache_read=MILLION)
    assert price.usd(tokens) == pytest.approx(1 + 2 + 1.25 + 0.1)
    assert isinstance(price, ConfiguredPrice)


def test_a_dated_model_is_found_and_an_unknown_one_names_the_setting():
    assert price_of("claude-opus-5-5-20261001", {}).usd(Tokens(input=1)) > 0
    with pytest.raises(ModelError, match="claude-nobody-9") as caught:
        price_of("claude-nobody-9", {})
    assert "prices" in caught.value.hint
