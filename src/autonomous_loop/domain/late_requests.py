"""Pure functions that add later requests to a feature list, and estimate what a list may cost."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.events import RequestAdded
from autonomous_loop.domain.feature import Feature, FeatureKind, FeatureList, slug
from autonomous_loop.domain.request import Request

USD_A_FEATURE: Final = (0.3, 1.5)
"""Typical cost of a feature, low and high: a prior that was not measured on this project."""
_MOST_ID: Final = 40
_TITLES: Final = {
    "add": "{by} added with `/loop add`",
    "review": "{by} asked for changes in a review of the pull request",
    "ci": "CI failed on the pull request",
    "push": "Commits that {by} pushed to the pull request broke what held before",
}


def unique_id(wanted: str, taken: Collection[str]) -> str:
    """Return `wanted`, or `wanted-2`, `wanted-3`...: the first id that is free, within its length."""
    made, number = wanted[:_MOST_ID].strip("-"), 1
    while made in taken:
        number += 1
        end = f"-{number}"
        made = wanted[: _MOST_ID - len(end)].strip("-") + end
    return made


def headline(wish: RequestAdded) -> str:
    """Describe in one line who or what made the request."""
    return _TITLES[wish.source].format(by=wish.by or "somebody")


def request_of(wishes: Sequence[RequestAdded], features: FeatureList, *, title: str) -> Request:
    """Return a request for the planner, with the new requests and the features already in the list."""
    asked = "\n\n".join(f"{number}. {headline(one)}:\n{one.text}" for number, one in enumerate(wishes, 1))
    there = "\n".join(f"- {one.id}: {' '.join(one.description.split())[:300]}" for one in features.features)
    return Request(
        title=f"Asked for later, while this was being built: {title}"[:500],
        body=asked[:150_000],
        comments=(
            "These features are in the list already. Propose only what the request above asks for beyond "
            f"them, under other ids, and let nothing depend on them:\n{there}"[:40_000],
        ),
    )


def direct(wish: RequestAdded, taken: Collection[str]) -> Feature:
    """Turn a request into one feature unchanged, because the planner failed."""
    first = re.sub(r"^[\s*#>-]+", "", wish.text).partition("\n")[0]
    wanted = slug(first, fallback=wish.source)
    return Feature(
        id=unique_id(wanted, taken),
        kind=FeatureKind.BEHAVIOUR,
        category="asked later",
        description=f"{headline(wish)}:\n{wish.text}"[:4_000],
    )


def joined(features: FeatureList, more: Sequence[Feature]) -> tuple[FeatureList, tuple[Feature, ...]]:
    """Append later features to the list; ids that are taken are changed.

    Returns:
        The list, and the later features as they stand in it.
    """
    taken = {one.id for one in features.features}
    names: dict[str, str] = {}
    for one in more:
        names[one.id] = unique_id(one.id, taken)
        taken.add(names[one.id])
    later = tuple(
        one.model_copy(
            update={
                "id": names[one.id],
                "depends_on": tuple(names.get(need, need) for need in one.depends_on),
            }
        )
        for one in more
    )
    return FeatureList.model_validate(
        features.model_copy(update={"features": (*features.features, *later)}).model_dump()
    ), later


def estimate(pending: int, *, spent_usd: float, limits: Limits) -> str:
    """Estimate the cost of the remaining features, in a sentence that says how reliable it is."""
    low, high = (min(spent_usd + pending * usd, limits.usd) for usd in USD_A_FEATURE)
    little, much = USD_A_FEATURE
    features = f"{pending} feature{'' if pending == 1 else 's'}"
    return (
        f"Estimate: ${low:.2f} to ${high:.2f} for {features}, from a prior of"
        f" ${little:.2f} to ${much:.2f} each, not from this project. It stops at ${limits.usd:.2f} and"
        f" {limits.sessions} sessions in any case."
    )
