"""GitHub's own description of webhook payloads, and its examples of them."""

from pathlib import Path
from typing import Any

import orjson

from contract.npm import Package

SCHEMAS = Package(
    "@octokit/openapi-webhooks",
    "12.1.0",
    "sha512-Z5eDsLCUNbx1zHpZb1LNQirADqdMTvWJQ/deahi0ws+tWWnwHXB+Pr4jfmM9OrETS9Y5iW8ZRu1fdbudObhLrg==",
)
EXAMPLES = Package(
    "@octokit/webhooks-examples",
    "7.6.1",
    "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
)
_TRIM = 1
_NOISE = ("example", "examples", "x-github", "x-octokit", "externalDocs", "description", "summary", "tags")


def schemas() -> Path:
    """`{"webhooks": {"issues-labeled": schema, ...}, "components": {...}}`, as plain JSON Schema (2020-12).

    Raises:
        RuntimeError: the package could not be fetched, or is another one than the pinned.
    """
    member = "package/generated/api.github.com.json"
    return SCHEMAS.keep("github-webhooks", member, form=_TRIM, make=_trimmed)


def examples() -> dict[str, list[dict[str, Any]]]:
    """GitHub's examples by the event's name.

    Raises:
        RuntimeError: the package could not be fetched, or is another one than the pinned.
    """
    kept = EXAMPLES.keep("github-webhook-examples", "package/api.github.com/index.json", form=_TRIM)
    return {one["name"]: one["examples"] for one in orjson.loads(kept.read_bytes())}


def _trimmed(whole: bytes) -> bytes:
    document = orjson.loads(whole)
    webhooks = {
        name: _without_noise(hook["post"]["requestBody"]["content"]["application/json"]["schema"])
        for name, hook in document["webhooks"].items()
    }
    components = {"schemas": _without_noise(document["components"]["schemas"], names=True)}
    return orjson.dumps({"webhooks": webhooks, "components": components})


def _without_noise(node: Any, *, names: bool = False) -> Any:
    """Drop what no validator reads; `names` says that the keys are names rather than keywords."""
    if isinstance(node, list):
        return [_without_noise(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value if key == "enum" else _without_noise(value, names=not names and key == "properties")
        for key, value in node.items()
        if names or key not in _NOISE
    }
