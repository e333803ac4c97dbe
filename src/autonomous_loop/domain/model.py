"""The base of every domain type, and the identifiers they share."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, NewType, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from autonomous_loop.domain.text import utf8

CommitSha = NewType("CommitSha", str)
TreeSha = NewType("TreeSha", str)
LoopId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
FeatureId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class Model(BaseModel):
    """Immutable, and an unknown key is an error: what we store, we know.

    Numbers are finite: JSON has no word for others, and what was written as null could not be read again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


M = TypeVar("M", bound=Model)


def scrubbed(model: M, redact: Callable[[str], str]) -> M:
    """The same with every text in it redacted, and fit for UTF-8."""
    return model.model_validate(_scrub(model.model_dump(mode="python"), redact))


def _scrub(value: object, redact: Callable[[str], str]) -> object:
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return redact(utf8(value))
    if isinstance(value, dict):
        return {key: _scrub(one, redact) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_scrub(one, redact) for one in value)
    return value
