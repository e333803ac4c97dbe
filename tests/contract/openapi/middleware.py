"""Holds every exchange of the API against GitHub's own descriptions while the tests run: REST and GraphQL."""

import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.graphql.queries import problems_of_answer, problems_of_query
from contract.known import is_githubs_own
from contract.ledger import Ledger
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
_GRAPHQL = ("/graphql", "/api/graphql")
_OURS = b"autonomous-loop"
"""How the loop's own client names itself."""


@cache
def _specification() -> Specification:
    """One for all tests of a process: its validators take longer to make than to use."""
    return Specification(description())


class ContractMiddleware:
    """Wraps the app; the ledger takes what broke the descriptions, and counts the operations that were done.

    What a test asks on purpose and the app refuses (an answer from 400 on) is not held against the asker.
    What the loop's own client asks always is: a request that GitHub would not understand is a fault.
    """

    def __init__(self, app: ASGIApp, ledger: Ledger) -> None:
        self._app = app
        self._ledger = ledger
        self._specification = _specification()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = scope.get("path", "")
        path = whole.removeprefix("/api/v3")
        is_graphql = path in _GRAPHQL
        if scope["type"] != "http" or not (is_graphql or path != whole or _API.match(path)):
            await self._app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()
        start: dict[str, Any] = {}
        ours = any(name == b"user-agent" and value.startswith(_OURS) for name, value in scope["headers"])

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
                    check = self._check_graphql if is_graphql else self._check
                    problems = check(scope, path, bytes(asked), start, bytes(answered), ours=ours)
                    shown = f"{scope['method']} {path} -> {start['status']}"
                    self._ledger.violations += [f"{shown}: {problem}" for problem in problems]
            await send(message)

        await self._app(scope, recording_receive, recording_send)

    def _check(
        self, scope: Scope, path: str, asked: bytes, start: dict[str, Any], answered: bytes, *, ours: bool
    ) -> list[str]:
        method, status = scope["method"], start["status"]
        found = self._specification.find(method, path)
        if found is None:
            return ["GitHub has no such operation"] if status != 404 or ours else []
        operation, parameters = found
        problems = self._response(operation, status, start, answered)
        if status < 400:
            self._ledger.operations[operation.name] += 1
        if status < 400 or ours:
            problems += self._request(operation, parameters, scope["query_string"].decode(), asked)
        return [one for one in problems if not is_githubs_own(one)]

    def _check_graphql(
        self, scope: Scope, _: str, asked: bytes, start: dict[str, Any], answered: bytes, *, ours: bool
    ) -> list[str]:
        if scope["method"] != "POST" or start["status"] != 200:
            return []
        question, answer = orjson.loads(asked), orjson.loads(answered)
        query, variables = question["query"], question.get("variables") or {}
        data, errors = answer.get("data"), answer.get("errors", [])
        if found := problems_of_query(query, variables):
            # GitHub answers such a query with errors alone; a test may try what is answered so.
            return found if ours or data is not None else []
        if ours and data is None:
            return ["the loop's query is good, and the embedded GitHub does not understand it"]
        self._ledger.operations["POST /graphql"] += 1
        # A field with an error of its own is null whatever its type: GitHub says why beside the data.
        return [] if errors or data is None else problems_of_answer(query, variables, data)

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
