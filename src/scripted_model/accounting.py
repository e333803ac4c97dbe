"""Tokens, the prompt cache and the rate-limit headers, counted as the real API counts them.

A token is a quarter of a UTF-8 byte count, rounded up: near enough, and the same every time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scripted_model.conversation import Json, blocks
from scripted_model.history import canonical
from scripted_model.script import UsageOverride

MIN_CACHED_TOKENS = 1_024
LOOK_BACK_BLOCKS = 20
_TTL_S = {"5m": 300.0, "1h": 3_600.0}

RATE_WINDOW_S = 60.0
REQUESTS_A_WINDOW = 4_000
INPUT_TOKENS_A_WINDOW = 10_000_000
OUTPUT_TOKENS_A_WINDOW = 2_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """What one request cost, in tokens. The three kinds of input add up to the whole prompt."""

    input_tokens: int = 0
    cache_creation_5m: int = 0
    cache_creation_1h: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0

    @property
    def cache_creation_input_tokens(self) -> int:
        """Tokens written to the cache, whatever their time to live."""
        return self.cache_creation_5m + self.cache_creation_1h

    def overridden(self, override: UsageOverride | None) -> Usage:
        """With the figures a script sets."""
        if override is None:
            return self
        given = override.model_dump(exclude_none=True)
        written = given.pop("cache_creation_input_tokens", None)
        own = {
            "input_tokens": self.input_tokens,
            "cache_read_input_tokens": self.cache_read_input_tokens,
            "output_tokens": self.output_tokens,
            "cache_creation_5m": self.cache_creation_5m if written is None else written,
            "cache_creation_1h": self.cache_creation_1h if written is None else 0,
        }
        return Usage(**{**own, **given})

    def as_json(self) -> Json:
        """The counters every `usage` object of the API has."""
        return {
            "input_tokens": self.input_tokens,
            "cache_creation_input_tokens": self.cache_creation_input_tokens,
            "cache_read_input_tokens": self.cache_read_input_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_creation_5m,
                "ephemeral_1h_input_tokens": self.cache_creation_1h,
            },
            "output_tokens": self.output_tokens,
        }


def tokens(text: str) -> int:
    """How many tokens a text counts."""
    return math.ceil(len(text.encode()) / 4)


def prompt_tokens(body: Json) -> int:
    """How many tokens a whole prompt counts: tools, system and messages."""
    return sum(part.tokens for part in prompt_parts(body))


@dataclass(frozen=True, slots=True)
class Part:
    """One cacheable block.

    `total` and `digest` cover all up to its end; `ttl` is its breakpoint's time to live, if it has one.
    """

    tokens: int
    total: int
    digest: str
    ttl: str | None


def prompt_parts(body: Json) -> Sequence[Part]:
    """The blocks of a prompt in the order the cache sees them: tools, system, messages."""
    chain = hashlib.sha256()
    total = 0
    parts: list[Part] = []
    listed = list(_blocks_in_order(body))
    automatic = body.get("cache_control")
    for index, block in enumerate(listed):
        text = canonical(block)
        chain.update(text.encode() + b"\0")
        count = tokens(text)
        total += count
        control = block.get("cache_control") or (automatic if index == len(listed) - 1 else None)
        ttl = None if control is None else control.get("ttl") or "5m"
        parts.append(Part(count, total, chain.hexdigest(), ttl))
    return parts


def _blocks_in_order(body: Json) -> Iterator[Json]:
    yield from body.get("tools") or ()
    system = body.get("system") or []
    yield from [{"type": "text", "text": system}] if isinstance(system, str) else system
    for message in body["messages"]:
        for block in blocks(message):
            yield {"role": message["role"], **block}


class PromptCache:
    """Prefixes by model, each for as long as its time to live after it was last used.

    Args:
        now: seconds, from any start.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: dict[tuple[str, str], float] = {}

    def account(self, model: str, parts: Sequence[Part], *, output_tokens: int) -> Usage:
        """Count one request, and write its breakpoints to the cache.

        A breakpoint reads the longest prefix that an earlier one wrote, within 20 blocks before it; one
        whose prefix is shorter than the model's minimum does nothing.
        """
        marked = [n for n, part in enumerate(parts) if part.ttl and part.total >= MIN_CACHED_TOKENS]
        total = parts[-1].total if parts else 0
        if not marked:
            return Usage(input_tokens=total, output_tokens=output_tokens)
        now = self._now()
        reach = (n for mark in marked for n in range(mark, max(-1, mark - LOOK_BACK_BLOCKS - 1), -1))
        hits = [n for n in reach if self._until.get((model, parts[n].digest), 0.0) > now]
        read = max((parts[n].total for n in hits), default=0)
        for n in hits:  # Each use keeps an entry for its time to live once more.
            self._until[model, parts[n].digest] = now + _TTL_S[parts[n].ttl or "5m"]
        written = {"5m": 0, "1h": 0}
        done = read
        for n in marked:
            part = parts[n]
            self._until[model, part.digest] = now + _TTL_S[part.ttl or "5m"]
            written[part.ttl or "5m"] += max(0, part.total - done)
            done = max(done, part.total)
        return Usage(
            input_tokens=total - done,
            cache_creation_5m=written["5m"],
            cache_creation_1h=written["1h"],
            cache_read_input_tokens=read,
            output_tokens=output_tokens,
        )


class RateWindow:
    """Counts requests and tokens for the `anthropic-ratelimit-*` headers. It only tells; faults refuse.

    Args:
        now: seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._start = now()
        self._used = [0, 0, 0]

    def headers(self, usage: Usage | None = None, *, exhausted_for_s: float | None = None) -> dict[str, str]:
        """The headers after one more request.

        Args:
            usage: what that request cost; cache reads do not count.
            exhausted_for_s: seconds until a limit ends that is used up.
        """
        now = self._now()
        if now - self._start >= RATE_WINDOW_S:
            self._start, self._used = now, [0, 0, 0]
        spent = (
            (usage.input_tokens + usage.cache_creation_input_tokens, usage.output_tokens) if usage else (0, 0)
        )
        self._used = [self._used[0] + 1, self._used[1] + spent[0], self._used[2] + spent[1]]
        reset = self._start + RATE_WINDOW_S if exhausted_for_s is None else now + exhausted_for_s
        at = datetime.fromtimestamp(reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        limits = (REQUESTS_A_WINDOW, INPUT_TOKENS_A_WINDOW, OUTPUT_TOKENS_A_WINDOW)
        both = (limits[1] + limits[2], self._used[1] + self._used[2])
        rows = zip(("requests", "input-tokens", "output-tokens"), limits, self._used, strict=True)
        result: dict[str, str] = {}
        for name, limit, used in (*rows, ("tokens", *both)):
            left = 0 if exhausted_for_s is not None else max(0, limit - used)
            result[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            result[f"anthropic-ratelimit-{name}-remaining"] = str(left)
            result[f"anthropic-ratelimit-{name}-reset"] = at
        return result
