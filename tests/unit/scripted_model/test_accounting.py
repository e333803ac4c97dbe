"""Tokens and cache hits are counted as the API counts them."""

from typing import Any

from scripted_model.accounting import PromptCache, RateWindow, Usage, prompt_parts, prompt_tokens
from scripted_model.script import UsageOverride

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def prompt(*texts: str, system: str = "s" * 8_000, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user" if n % 2 == 0 else "assistant", "content": t} for n, t in enumerate(texts)]
    return {"model": "m", "system": [{"type": "text", "text": system}], "messages": messages, **more}


def count(cache: PromptCache, body: dict[str, Any], model: str = "m") -> tuple[int, int, int]:
    usage = cache.account(model, prompt_parts(body), output_tokens=5)
    total = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens
    assert total == prompt_tokens(body)
    return usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens


def test_without_a_breakpoint_nothing_is_cached():
    cache = PromptCache(Clock())
    body = prompt("a")
    assert count(cache, body) == (prompt_tokens(body), 0, 0)
    assert count(cache, body) == (prompt_tokens(body), 0, 0)


def test_the_automatic_breakpoint_writes_once_and_reads_from_then_on():
    cache = PromptCache(Clock())
    first, second = prompt("a", **MARK), prompt("a", "b", "c", **MARK)
    size, more = prompt_tokens(first), prompt_tokens(second) - prompt_tokens(first)
    assert count(cache, first) == (0, size, 0)
    assert count(cache, first) == (0, 0, size)
    assert count(cache, second) == (0, more, size)


def test_a_breakpoint_on_the_system_prompt_serves_every_conversation_of_a_model():
    cache = PromptCache(Clock())
    one, other = prompt("a"), prompt("another one")
    for body in (one, other):
        body["system"][0] |= MARK
    shared = count(cache, one)[1]
    assert shared > 1_024
    assert count(cache, other)[1:] == (0, shared)
    assert count(cache, other, model="another")[1:] == (shared, 0)


def test_a_prefix_below_the_minimum_is_not_cached():
    cache = PromptCache(Clock())
    body = prompt("a", system="short", **MARK)
    assert count(cache, body) == (prompt_tokens(body), 0, 0)
    assert count(cache, body) == (prompt_tokens(body), 0, 0)


def test_a_change_before_the_breakpoint_misses():
    cache = PromptCache(Clock())
    count(cache, prompt("a", **MARK))
    changed = prompt("a", system="t" * 8_000, **MARK)
    assert count(cache, changed) == (0, prompt_tokens(changed), 0)


def test_a_breakpoint_looks_back_twenty_blocks_and_no_further():
    within, beyond = PromptCache(Clock()), PromptCache(Clock())
    first = prompt("a", **MARK)
    count(within, first)
    count(beyond, first)
    assert count(within, prompt("a", *"b" * 20, **MARK))[2] == prompt_tokens(first)
    assert count(beyond, prompt("a", *"b" * 22, **MARK))[2] == 0


def test_an_entry_lives_five_minutes_after_its_last_use_or_an_hour():
    clock = Clock()
    short, long = PromptCache(clock), PromptCache(clock)
    soon, late = prompt("a", **MARK), prompt("a", **HOUR)
    count(short, soon)
    usage = long.account("m", prompt_parts(late), output_tokens=0)
    assert usage.as_json()["cache_creation"]["ephemeral_1h_input_tokens"] == prompt_tokens(late)
    for _ in range(2):
        clock.now += 299
        assert count(short, soon)[2] > 0
    clock.now += 301
    assert count(short, soon)[2] == 0
    assert count(long, late)[2] > 0


def test_a_script_can_set_the_figures():
    usage = Usage(input_tokens=1, cache_creation_1h=2, cache_read_input_tokens=3, output_tokens=4)
    assert usage.overridden(None) == usage
    changed = usage.overridden(UsageOverride(input_tokens=150_000, cache_creation_input_tokens=7))
    assert (changed.input_tokens, changed.cache_creation_input_tokens) == (150_000, 7)
    assert (changed.cache_read_input_tokens, changed.output_tokens) == (3, 4)


def test_rate_headers_count_down_and_start_over():
    clock = Clock()
    rate = RateWindow(clock)
    first = rate.headers(Usage(input_tokens=100, cache_read_input_tokens=900, output_tokens=10))
    assert first["anthropic-ratelimit-requests-remaining"] == "3999"
    assert first["anthropic-ratelimit-input-tokens-remaining"] == str(10_000_000 - 100)
    assert first["anthropic-ratelimit-output-tokens-remaining"] == str(2_000_000 - 10)
    assert first["anthropic-ratelimit-tokens-limit"] == "12000000"
    spent = rate.headers(exhausted_for_s=3_600)
    assert spent["anthropic-ratelimit-tokens-remaining"] == "0"
    assert spent["anthropic-ratelimit-tokens-reset"] == "2027-01-15T09:00:00Z"
    clock.now += 61
    assert rate.headers()["anthropic-ratelimit-requests-remaining"] == "3999"
