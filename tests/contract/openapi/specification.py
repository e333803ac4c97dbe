"""Reads the trimmed description: which operation a request is, and what its parts must look like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

# Parameters that may hold slashes: git's names, paths, and labels.
_DOCUMENT = "urn:github"
_LONG = {"ref", "branch", "basehead", "path", "name"}


@dataclass
class Operation:
    """One operation of the description, its validators made when they are first needed."""

    method: str
    path: str
    node: dict[str, Any]
    components: dict[str, Any]
    registry: jsonschema_rs.Registry
    _validators: dict[str, jsonschema_rs.Draft7Validator] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self, where: str) -> dict[str, dict[str, Any]]:
        """The parameters in `path` or `query`, by name."""
        every = [self.resolve(one) for one in self.node.get("parameters", [])]
        return {one["name"]: one for one in every if one["in"] == where}

    def request_schema(self) -> tuple[dict[str, Any] | None, bool]:
        """The body's schema, if it takes one, and whether it must have one."""
        body = self.resolve(self.node.get("requestBody", {}))
        content = body.get("content", {}).get("application/json")
        return (content["schema"] if content else None), body.get("required", False)

    def response(self, status: int) -> dict[str, Any] | None:
        """The description of an answer, or None for a status it does not name."""
        found = self.node["responses"].get(str(status))
        return None if found is None else self.resolve(found)

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        kind, name = node["$ref"].removeprefix(f"{_DOCUMENT}#/components/").split("/", 1)
        return self.resolve(self.components[kind][name])

    def errors(self, key: str, schema: dict[str, Any], instance: Any) -> Iterator[str]:
        """What is wrong with a value; `key` names the schema, whose validator is made once."""
        validator = self._validators.get(key)
        if validator is None:
            validator = jsonschema_rs.Draft7Validator(schema, validate_formats=True, registry=self.registry)
            self._validators[key] = validator
        for error in validator.iter_errors(instance):
            where = "/".join(map(str, error.instance_path)) or "."
            yield f"{where}: {error.message[:400]}"


class Specification:
    """The description, searchable by request."""

    def __init__(self, path: Path) -> None:
        # References name the document, so that a part taken out of it still finds the rest in the registry.
        # Making a validator takes a tenth of the time it takes with all components inside its own schema.
        text = path.read_bytes().replace(b'"#/', f'"{_DOCUMENT}#/'.encode())
        document = orjson.loads(text)
        components, paths = document["components"], document["paths"]
        registry = jsonschema_rs.Registry([(_DOCUMENT, document)], draft=jsonschema_rs.Draft7)
        self._operations = [
            (_pattern(template), Operation(method.upper(), template, node, components, registry))
            for template, methods in paths.items()
            for method, node in methods.items()
        ]
        # The most fixed text first: `/issues/comments/{comment_id}` before `/issues/{issue_number}/...`.
        self._operations.sort(key=lambda one: -len(re.sub(r"\{\w+\}", "", one[1].path)))

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request and its path parameters, or None where GitHub has none."""
        for pattern, operation in self._operations:
            match = pattern.fullmatch(path)
            if match and operation.method == method:
                return operation, match.groupdict()
        return None


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(
        re.escape(part) if index % 2 == 0 else f"(?P<{part}>{'.*' if part in _LONG else '[^/]+'})"
        for index, part in enumerate(parts)
    )
    return re.compile(text)
