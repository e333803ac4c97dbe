"""The base class of every domain type, and the identifiers they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NewType, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

from autonomous_loop.domain.text import in_every_text, utf8

CommitSha = NewType("CommitSha", str)
TreeSha = NewType("TreeSha", str)
LoopId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
FeatureId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class Model(BaseModel):
    """An immutable model that rejects unknown keys, so that nothing unknown is stored.

    Numbers are finite: JSON cannot express others, and a value written as null could not be read again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


M = TypeVar("M", bound=Model)


def scrubbed(model: M, redact: Callable[[str], str]) -> M:
    """Return the model with every text in it redacted and safe for UTF-8."""
    dumped = model.model_dump(mode="python")
    return model.model_validate(in_every_text(dumped, lambda text: redact(utf8(text))))
