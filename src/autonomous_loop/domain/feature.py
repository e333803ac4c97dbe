"""Features, the attempts at them, and the list a request becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from autonomous_loop.domain.model import FeatureId, Model
from autonomous_loop.errors import FeatureListError


class FeatureKind(StrEnum):
    """What a proof has to show: see docs/glossary.md, "kind"."""

    BEHAVIOUR = "behaviour"
    REFACTOR = "refactor"
    CHORE = "chore"


class FeatureStatus(StrEnum):
    """Folded from the journal; kept nowhere else."""

    PENDING = "pending"
    PASSING = "passing"
    BLOCKED = "blocked"


class AttemptOutcome(StrEnum):
    """How one try at a feature ended."""

    PROVED = "proved"
    REFUSED = "refused"  # its proofs were refused until the attempt's submissions were used up
    GAVE_UP = "gave-up"  # the model ended without submitting
    INTERRUPTED = "interrupted"  # a limit, a stop or the death of the job; says nothing about the work
    REVOKED = "revoked"  # it was proved, and later found to have broken the suite: the proof was taken back
    FAULT = "fault"  # an error of the model's service or of the environment
    BLOCKED = "blocked"  # the model asks a question only a person can answer


class Feature(Model):
    """One item of the list.

    Attributes:
        id: `[a-z0-9-]{1,40}`, unique in its list.
        kind: what a proof has to show.
        category: a word for people, such as "backend".
        description: what shall be true, for the model and for the reviewer.
        steps: how a person would check it.
        priority: smaller is earlier.
        depends_on: features that must pass first.
    """

    id: FeatureId
    kind: FeatureKind = FeatureKind.BEHAVIOUR
    category: str = Field(default="general", max_length=60)
    description: str = Field(min_length=1, max_length=4_000)
    steps: tuple[str, ...] = Field(default=(), max_length=40)
    priority: int = Field(default=100, ge=0, le=1_000_000)
    depends_on: tuple[FeatureId, ...] = ()


class Attempt(Model):
    """One try at a feature, as the loop remembers it.

    Attributes:
        feature_id: of the feature, or `PLANNING`.
        number: from 1, over the whole loop.
        session: the session that made it.
        signature: what failed, reduced to what identifies it; the same signature is not retried the same way.
        lesson: what the next attempt is told.
        evidence: pictures and traces of its last refusal, by their paths on the state branch.
    """

    feature_id: str
    number: int = Field(ge=1)
    session: int = Field(ge=1)
    outcome: AttemptOutcome
    signature: str = ""
    lesson: str = ""
    evidence: tuple[str, ...] = ()


class FeatureList(Model):
    """The features of one request: not empty, ids unique, dependencies known and without a circle."""

    features: tuple[Feature, ...]
    setup: str = ""
    test_command: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.features:
            raise ValueError("the list is empty; an empty list is an error, not done")
        ids = [feature.id for feature in self.features]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"the same id stands twice: {', '.join(twice)}")
        known = set(ids)
        for feature in self.features:
            unknown = sorted(set(feature.depends_on) - known)
            if unknown:
                raise ValueError(f"{feature.id} depends on {', '.join(unknown)}, which is not in the list")
        circle = _circle({feature.id: feature.depends_on for feature in self.features})
        if circle:
            raise ValueError(f"these features wait for each other: {', '.join(circle)}")
        return self

    def get(self, feature_id: str) -> Feature:
        """The feature of that id.

        Raises:
            KeyError: when there is none.
        """
        for feature in self.features:
            if feature.id == feature_id:
                return feature
        raise KeyError(feature_id)


def parse_feature_list(data: object, *, source: str, most: int) -> FeatureList:
    """A validated list from untrusted data.

    Args:
        data: `{"features": [...], "setup": ..., "test_command": ...}`, or the common array of
            `{category, description, steps, passes}`; its `passes` is ignored, since only proofs count.
        source: where it came from, for the message.
        most: how many features a loop may have.

    Raises:
        FeatureListError: empty, malformed or too long; the message names the place.
    """
    if isinstance(data, list):
        data = {"features": [_from_common(item, index) for index, item in enumerate(data)]}
    if not isinstance(data, Mapping):
        raise FeatureListError(f"{source} holds a {type(data).__name__}, not a list of features.")
    try:
        made = FeatureList.model_validate(data)
    except ValidationError as error:
        raise FeatureListError(f"{source} is not a feature list: {_explain(error)}") from None
    if len(made.features) > most:
        raise FeatureListError(
            f"{source} has {len(made.features)} features; this loop takes {most} at most (max-features). "
            "Ask for less in one request, or raise the limit."
        )
    return made


def read_feature_list(text: str | bytes, *, source: str, most: int) -> FeatureList:
    """The same from the text of a `feature_list.json`.

    Raises:
        FeatureListError: also when it is not JSON.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeatureListError(f"{source} is not JSON: {error}") from None
    return parse_feature_list(data, source=source, most=most)


def _from_common(item: object, index: int) -> object:
    if not isinstance(item, Mapping):
        return item
    made: dict[str, Any] = {str(key): value for key, value in item.items() if key != "passes"}
    if "id" not in made and isinstance(made.get("description"), str):
        made["id"] = slug(made["description"], fallback=f"feature-{index + 1}")
    made.setdefault("priority", index + 1)
    return made


def slug(text: str, *, fallback: str) -> str:
    """A feature id made of the first words of `text`."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:40].strip("-") or fallback


def _circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    left = {node: set(needs) for node, needs in graph.items()}
    while ready := [node for node, needs in left.items() if not needs]:
        for node in ready:
            del left[node]
        for needs in left.values():
            needs.difference_update(ready)
    return sorted(left)


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False)[:5]:
        place = ".".join(str(part) for part in fault["loc"]) or "the list"
        lines.append(f"{place}: {fault['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)
