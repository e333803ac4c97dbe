"""The limits of a loop, and what it has spent."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from autonomous_loop.domain.model import Model


class Tokens(Model):
    """Tokens as the API counts them, including compaction."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0

    @property
    def counted(self) -> int:
        """Tokens that count against `token_budget`; cache reads do not count and are shown separately."""
        return self.input + self.cache_write + self.output

    @property
    def total(self) -> int:
        """All tokens."""
        return self.counted + self.cache_read

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_write=self.cache_write + other.cache_write,
            cache_read=self.cache_read + other.cache_read,
        )


class Spending(Model):
    """Tokens and estimated US dollars; minutes are a runner's wall-clock minutes."""

    tokens: Tokens = Tokens()
    usd: float = 0.0
    minutes: float = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            tokens=self.tokens + other.tokens, usd=self.usd + other.usd, minutes=self.minutes + other.minutes
        )


class Limits(Model):
    """One budget for the whole loop, shared by all its sessions.

    Attributes:
        usd: estimated US dollars.
        minutes: runner minutes over all sessions; None means no limit of its own.
    """

    sessions: int = Field(ge=1)
    tokens: int | None = Field(default=None, ge=1)
    usd: float = Field(gt=0)
    minutes: float | None = Field(default=None, gt=0)

    def with_usd(self, usd: float | None) -> Limits:
        """Return the limits with another amount of US dollars; None changes nothing."""
        return self if usd is None else self.model_copy(update={"usd": usd})


class Exhausted(StrEnum):
    """The limit of the loop that was reached."""

    SESSIONS = "sessions"
    TOKENS = "tokens"
    MONEY = "money"
    MINUTES = "minutes"


def exhausted(limits: Limits, spent: Spending) -> Exhausted | None:
    """Return the limit that ends the loop now, money first; None if no limit is reached."""
    if spent.usd >= limits.usd:
        return Exhausted.MONEY
    if limits.tokens is not None and spent.tokens.counted >= limits.tokens:
        return Exhausted.TOKENS
    if limits.minutes is not None and spent.minutes >= limits.minutes:
        return Exhausted.MINUTES
    return None
