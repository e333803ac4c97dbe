"""The base of every domain type, and the identifiers they share."""

from __future__ import annotations

from typing import Annotated, NewType

from pydantic import BaseModel, ConfigDict, StringConstraints

CommitSha = NewType("CommitSha", str)
TreeSha = NewType("TreeSha", str)
LoopId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
FeatureId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class Model(BaseModel):
    """Immutable, and an unknown key is an error: what we store, we know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")
