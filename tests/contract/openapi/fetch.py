"""GitHub's own OpenAPI description, trimmed to what the embedded GitHub answers.

It comes from the npm package `@octokit/openapi` (29 MB), of which a few hundred KB are kept.
"""

from pathlib import Path
from typing import Any

import orjson

from contract.npm import Package

PACKAGE = Package(
    "@octokit/openapi",
    "23.0.2",
    "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
)
MEMBER = "package/generated/api.github.com.json"

_TRIM = 1  # raised when this file keeps other parts
_WHOLE = ("/", "/user", "/users/{username}", "/rate_limit", "/repos/{owner}/{repo}")
_BELOW_REPOSITORY = (
    "actions", "branches", "check-runs", "check-suites", "collaborators", "commits", "compare", "contents",
    "dispatches", "git", "issues", "labels", "pulls",
)  # fmt: skip
_NOISE = ("example", "examples", "x-github", "x-octokit", "externalDocs", "description", "summary", "tags")


def description() -> Path:
    """Return the trimmed description's file, fetched first where it is not there.

    Raises:
        RuntimeError: npm could not bring the package, or brought another one than the pinned.
    """
    return PACKAGE.keep(
        "github-openapi", MEMBER, form=_TRIM, make=lambda whole: orjson.dumps(trim(orjson.loads(whole)))
    )


def trim(whole: dict[str, Any]) -> dict[str, Any]:
    """Keep the operations used and the components they need, as plain JSON Schema (draft 7)."""
    paths = {path: _plain(item) for path, item in whole["paths"].items() if _is_kept(path)}
    components: dict[str, dict[str, Any]] = {}
    todo = list(_references(paths))
    while todo:
        kind, name = todo.pop().removeprefix("#/components/").split("/", 1)
        group = components.setdefault(kind, {})
        if name not in group:
            group[name] = _plain(whole["components"][kind][name])
            todo.extend(_references(group[name]))
    return {"version": whole["info"]["version"], "paths": paths, "components": components}


def _is_kept(path: str) -> bool:
    rest = path.removeprefix("/repos/{owner}/{repo}/")
    return path in _WHOLE or (rest != path and rest.split("/")[0] in _BELOW_REPOSITORY)


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for value in node.values() for found in _references(value)]


def _plain(node: Any, *, names: bool = False) -> Any:
    """Turn OpenAPI 3.0's `nullable` into JSON Schema and drop what no validator reads.

    Args:
        node: A part of the description.
        names: Whether its keys are names (properties, paths) rather than keywords.
    """
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: _plain(value) for key, value in node.items()}
    plain = {
        key: value if key == "enum" else _plain(value, names=key == "properties")
        for key, value in node.items()
        if key not in _NOISE and key != "nullable"
    }
    if node.get("nullable") is not True:
        return plain
    if isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain and None not in plain["enum"]:
            plain["enum"] = [*plain["enum"], None]
        return plain
    return {"anyOf": [plain, {"type": "null"}]}
