"""Holds every REST exchange against GitHub's own OpenAPI description while the tests run."""

import re
from collections import Counter
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.openapi.fetch import description
from contract.openapi.specification import Operation, Specification

# What GitHub answers besides what it describes, on any operation; the body is its `basic-error` all the same.
_ANYWHERE = {304, 401, 403, 404, 422}
_BASIC_ERROR = {"$ref": "urn:github#/components/schemas/basic-error"}

# Where GitHub itself takes more than it describes. Each with the reason.
_LENIENT_BODIES = {
    # "You can also pass an array of labels directly", says the description's own text; PyGithub does.
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    "PUT /repos/{owner}/{repo}/issues/{issue_number}/labels",
}
_API = re.compile(r"/repos/|/user$|/users/|/rate_limit$")


@cache
def _specification() -> Specification:
    """One for all tests of a process: its validators take longer to make than to use."""
    return Specification(description())


class ContractMiddleware:
    """Wraps the app; `violations` says what broke the description, `operations` counts what was asked.

    A request counts only when the app took it (an answer below 400): what it refused, it saw itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._specification = _specification()
        self.violations: list[str] = []
        self.operations: Counter[str] = Counter()

    def assert_clean(self) -> None:
        """Fail with everything that was found."""
        assert not self.violations, "GitHub's OpenAPI description was broken:\n" + "\n".join(self.violations)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix("/api/v3")
        if scope["type"] != "http" or not _API.match(path):
            await self._app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()
        start: dict[str, Any] = {}

        async def recording_receive() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def recording_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                answered.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    # Before the last byte leaves: whoever waits for the answer finds the violation there.
                    self._check(scope, path, bytes(asked), start, bytes(answered))
            await send(message)

        await self._app(scope, recording_receive, recording_send)

    def _check(self, scope: Scope, path: str, asked: bytes, start: dict[str, Any], answered: bytes) -> None:
        method, status = scope["method"], start["status"]
        found = self._specification.find(method, path)
        if found is None:
            if status != 404:
                self.violations.append(f"{method} {path}: GitHub has no such operation; answered {status}")
            return
        operation, parameters = found
        self.operations[operation.name] += 1
        problems = self._response(operation, status, start, answered)
        if status < 400:
            problems += self._request(operation, parameters, scope["query_string"].decode(), asked)
        self.violations += [f"{method} {path} -> {status}: {problem}" for problem in problems]

    def _request(
        self, operation: Operation, parameters: dict[str, str], query: str, body: bytes
    ) -> list[str]:
        problems = []
        known = operation.parameters("query")
        given = {"path": list(parameters.items()), "query": parse_qsl(query, keep_blank_values=True)}
        for name, _ in given["query"]:
            if name not in known:
                problems.append(f"query {name}: no such parameter")
        for where, values in given.items():
            for name, text in values:
                parameter = operation.parameters(where).get(name)
                if parameter is not None:
                    value = _coerce(parameter["schema"], text)
                    found = operation.errors(f"{where} {name}", parameter["schema"], value)
                    problems += [f"{where} {name}={text} {one}" for one in found]
        schema, required = operation.request_schema()
        if schema is None or operation.name in _LENIENT_BODIES:
            return problems
        if not body:
            return [*problems, "the body is missing"] if required else problems
        return problems + [
            f"request {one}" for one in operation.errors("request", schema, orjson.loads(body))
        ]

    def _response(self, operation: Operation, status: int, start: dict[str, Any], body: bytes) -> list[str]:
        described = operation.response(status)
        if described is None and status not in _ANYWHERE:
            return [f"the status is none of {', '.join(operation.node['responses'])}"]
        content = (described or {}).get("content", {})
        if status in (204, 304) or (described is not None and not content):
            return ["a body where there must be none"] if body and status in (204, 304) else []
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        kind = headers.get("content-type", "").partition(";")[0]
        if kind != "application/json":
            return [] if kind.startswith("application/vnd.github.raw") else [f"the content type is {kind!r}"]
        schema = content["application/json"]["schema"] if described is not None else _BASIC_ERROR
        return [
            f"response {one}" for one in operation.errors(f"response {status}", schema, orjson.loads(body))
        ]


def _coerce(schema: dict[str, Any], text: str) -> Any:
    kinds = schema.get("type", [])
    for option in [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        kinds = [kinds, option.get("type")] if isinstance(kinds, str) else [*kinds, option.get("type")]
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if ("integer" in kinds or "number" in kinds) and text.lstrip("-").isdecimal():
        return int(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text
