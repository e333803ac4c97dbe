"""The scripted model as a web application.

What a conversation is and how far it has come is read from each request, so a client may stop, reconnect or
repeat a request as it likes. The server itself remembers only how often a fault was given, which prompts it
answered (for the append-only rule), its prompt cache and a log.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from scripted_model import answer as answers
from scripted_model import contract, conversation, faults
from scripted_model.accounting import PromptCache, RateWindow, prompt_parts, prompt_tokens
from scripted_model.answer import Answer
from scripted_model.conversation import Json, Place
from scripted_model.faults import Faults
from scripted_model.history import History
from scripted_model.log import RequestLog, RequestRecord
from scripted_model.models import model_info
from scripted_model.refusals import ApiError, invalid
from scripted_model.schema import check_body
from scripted_model.script import Fault, Script, Turn
from scripted_model.stream import CONNECTION, EventStream, client_left, message_events

MAX_BODY_BYTES = 32 * 1024 * 1024
_SHOWN_CHARS = 500
# Nobody reads this status; the log shows it.
_CLIENT_LEFT = 499


def create_app(
    script: Script, *, api_keys: frozenset[str] | None = None, log: RequestLog | None = None
) -> Starlette:
    """The scripted model.

    Args:
        script: what it says.
        api_keys: the keys it knows; None takes any key, but none at all is refused.
        log: where requests are noted; of its own if None.
    """
    model = _Model(script, api_keys, log or RequestLog())
    return _App(
        routes=[
            Route("/", model.page, methods=["GET"]),
            Route("/v1/messages", model.guarded(model.messages), methods=["POST"]),
            Route("/v1/messages/count_tokens", model.guarded(model.count_tokens), methods=["POST"]),
            Route("/v1/models", model.guarded(model.models), methods=["GET"]),
            Route("/v1/models/{name}", model.guarded(model.model), methods=["GET"]),
            Route("/{path:path}", model.guarded(model.nothing), methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )


class _App(Starlette):
    """Starlette that lets a response reach its connection, to reset it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Uvicorn's `send` belongs to the request's cycle, which knows its transport; ASGI has no name for it.
        scope[CONNECTION] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


class _Call:
    """One request on its way: what is known of it so far, for its answer's headers and the log."""

    def __init__(self, request: Request, number: int) -> None:
        self.request = request
        self.number = number
        self.request_id = f"req_scripted{number:08d}"
        self.betas: frozenset[str] = frozenset()
        self.known: dict[str, Any] = {}

    @property
    def beta(self) -> bool:
        return bool(self.betas) or self.request.query_params.get("beta") == "true"


class _Model:
    """The endpoints and what they share."""

    def __init__(self, script: Script, api_keys: frozenset[str] | None, log: RequestLog) -> None:
        self._script = script
        self._api_keys = api_keys
        self._log = log
        self._history = History()
        self._cache = PromptCache(time.monotonic)
        self._rate = RateWindow(time.time)
        self._faults = Faults()
        self._numbers = itertools.count(1)

    def guarded(
        self, endpoint: Callable[[_Call], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint with what all have in common: the headers' check, refusals in shape, the log."""

        async def _endpoint(request: Request) -> Response:
            call = _Call(request, next(self._numbers))
            try:
                call.betas = contract.check_headers(request.headers, self._api_keys)
                response = await endpoint(call)
            except ApiError as error:
                response = JSONResponse(error.body(call.request_id), error.status, error.headers)
                call.known["error"] = error.message
            except ClientDisconnect:
                response = Response(status_code=_CLIENT_LEFT)
            response.headers["request-id"] = call.request_id
            self._log.add(RequestRecord(call.number, request.url.path, response.status_code, **call.known))
            return response

        return _endpoint

    async def messages(self, call: _Call) -> Response:
        """`POST /v1/messages`."""
        body = await self._body(call)
        parts = prompt_parts(body)
        contract.check_limits(body, self._script.models, parts[-1].total if parts else 0)
        contract.check_request(body, call.betas)
        place = conversation.locate(body["messages"], self._script)
        call.known |= {"conversation": place.conversation, "turn": place.turn}
        self._history.check(place.conversation, body)
        compacting = body.get("compaction") is not None
        turns = conversation.turns_of(place, self._script)
        turn = turns[place.turn] if place.turn < len(turns) and not compacting else None
        if turn is not None:
            _check_expected(turn, place, body["messages"])
            if await client_left(call.request.receive, turn.delay_s):
                raise ClientDisconnect
        fault = self._faults.next(place, turn)
        if fault is not None:
            call.known["fault"] = fault.kind
            faults.refuse(fault, self._rate)
        if compacting:
            answer = answers.compacted(conversation.summarize(place, body["messages"]))
        elif turn is None:
            answer = answers.script_over(place, len(turns))
        else:
            answer = self._answer(turn, place, fault, body)
        self._history.remember(place.conversation, body)
        usage = self._cache.account(body["model"], parts, output_tokens=answer.output_tokens)
        usage = usage.overridden(turn.usage if turn else None)
        call.known |= {"stop_reason": answer.stop_reason, "usage": usage}
        message = answer.message(identity=f"msg_scripted{call.number:08d}", model=body["model"], usage=usage)
        headers = self._rate.headers(usage)
        if body.get("stream"):
            events = message_events(message, partial_json=answer.partial_json)
            return EventStream(faults.broken(events, fault), headers)
        return faults.whole(message, fault, headers)

    async def count_tokens(self, call: _Call) -> Response:
        """`POST /v1/messages/count_tokens`: the prompt as it stands, whatever the model's limit."""
        body = await self._body(call, count=True)
        if body["model"] not in self._script.models:
            raise ApiError(404, "not_found_error", f"model: {body['model']}")
        contract.check_request({**body, "compaction": None}, call.betas)
        return JSONResponse({"input_tokens": prompt_tokens(body)})

    async def models(self, _: _Call) -> Response:
        """`GET /v1/models`, on one page."""
        data = [model_info(name, limits) for name, limits in self._script.models.items()]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return JSONResponse({"data": data, "has_more": False, **ends})

    async def model(self, call: _Call) -> Response:
        """`GET /v1/models/{name}`."""
        name = call.request.path_params["name"]
        limits = self._script.models.get(name)
        if limits is None:
            raise ApiError(404, "not_found_error", f"model: {name}")
        return JSONResponse(model_info(name, limits))

    async def nothing(self, _: _Call) -> Response:
        """Everything else the API has and this server has not."""
        raise ApiError(404, "not_found_error", "Not found")

    async def page(self, _: Request) -> Response:
        """`GET /`: counts, for people."""
        counts = sorted(self._log.counts.items())
        lines = [f"{name:<32} {count:>12}" for name, count in counts] or ["no requests yet"]
        return PlainTextResponse("\n".join(["The scripted model", "", *lines, ""]))

    async def _body(self, call: _Call, *, count: bool = False) -> Json:
        raw = await call.request.body()
        if len(raw) > MAX_BODY_BYTES:
            raise ApiError(413, "request_too_large", "Request exceeds the maximum size")
        try:
            document = json.loads(raw)
        except ValueError as error:
            raise invalid(f"The request body is not valid JSON: {error}") from None
        if isinstance(document, dict):
            if self._log.bodies:
                call.known["body"] = document
            model = document.get("model")
            call.known["model"] = model if isinstance(model, str) else None
            document = contract.without_old_parameters(document, call.request.headers["anthropic-version"])
        return check_body(document, beta=call.beta, count=count)

    def _answer(self, turn: Turn, place: Place, fault: Fault | None, body: Json) -> Answer:
        thinking = (body.get("thinking") or {}).get("type") != "disabled"
        answer = answers.answer_turn(turn, place, thinking=thinking)
        nth = self._faults.met(place)
        match fault.kind if fault else None:
            case "refusal":
                return answers.refusal()
            case "max_tokens":
                return answers.cut_off(answer, place, "max_tokens", nth=nth)
            case "context_window_exceeded":
                return answers.cut_off(answer, place, "model_context_window_exceeded", nth=nth)
            case _:
                return answers.within(answer, place, body["max_tokens"])


def _check_expected(turn: Turn, place: Place, messages: list[Json]) -> None:
    """Hold the script's author to what the turn was written for."""
    if not turn.expected:
        return
    newest = [conversation.text_of(m) for m in messages if m["role"] == "user"][-1:]
    # Straight after compaction the results stand in the summary.
    summary = conversation.summary_block(messages)
    if summary is not None and not any(m["role"] == "assistant" for m in messages[1:]):
        newest.append(summary["content"])
    came = "\n".join(newest)
    for text in turn.expected:
        if text not in came:
            cut = f"... ({len(came)} characters)" if len(came) > _SHOWN_CHARS else ""
            raise invalid(
                f"scripted model: {place}: expected {text!r} in the last user message; it says:"
                f" {came[:_SHOWN_CHARS]}{cut}"
            )
