"""GitHub's REST for Actions: workflows, dispatches, runs, jobs, logs; artifacts stand beside it."""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from embedded_github.actions.api.shapes import Shapes
from embedded_github.actions.api.step_logs import by_step
from embedded_github.actions.artifacts.routes import ArtifactApi
from embedded_github.actions.artifacts.service import service_routes
from embedded_github.actions.dispatch import Refused
from embedded_github.actions.player import Player
from embedded_github.actions.ports import Identity
from embedded_github.actions.runs import JobRecord, RunRecord

Authorize = Callable[[Request, str, str], Identity]
"""Says who asks, or raises the forge's own error: request, permission (`actions`), level (read, write)."""

_DOCS = "https://docs.github.com/rest/actions"
_PREFIXES = ("/api/v3", "")
_LOGS = "/_actions/logs"
_PER_PAGE = 30
_PER_PAGE_MAX = 100


def routes(player: Player, authorize: Authorize) -> list[BaseRoute]:
    """The routes below `/repos/{owner}/{repo}/actions`, and the same below `/api/v3`.

    Args:
        player: what they talk to.
        authorize: see `Authorize`; it is called on a worker thread.
    """
    api = _Api(player)
    table: list[tuple[str, str, str, Callable[[Request, Identity], Response]]] = [
        ("GET", "/workflows", "read", api.workflows),
        ("GET", "/workflows/{workflow}", "read", api.workflow),
        ("POST", "/workflows/{workflow}/dispatches", "write", api.dispatch),
        ("PUT", "/workflows/{workflow}/enable", "write", api.enable),
        ("PUT", "/workflows/{workflow}/disable", "write", api.disable),
        ("GET", "/workflows/{workflow}/runs", "read", api.runs),
        ("GET", "/runs", "read", api.runs),
        ("GET", "/runs/{run:int}", "read", api.run),
        ("DELETE", "/runs/{run:int}", "write", api.delete),
        ("GET", "/runs/{run:int}/attempts/{attempt:int}", "read", api.run),
        ("GET", "/runs/{run:int}/jobs", "read", api.jobs),
        ("GET", "/runs/{run:int}/attempts/{attempt:int}/jobs", "read", api.jobs),
        ("GET", "/runs/{run:int}/logs", "read", api.run_logs),
        ("POST", "/runs/{run:int}/cancel", "write", api.cancel),
        ("POST", "/runs/{run:int}/force-cancel", "write", api.cancel),
        ("POST", "/runs/{run:int}/rerun", "write", api.rerun),
        ("POST", "/runs/{run:int}/rerun-failed-jobs", "write", api.rerun),
        ("POST", "/runs/{run:int}/approve", "write", api.approve),
        ("GET", "/jobs/{job:int}", "read", api.job),
        ("GET", "/jobs/{job:int}/logs", "read", api.job_logs),
        *ArtifactApi(player.artifacts, player.runs, player.forge, _page).table,
    ]
    signed = Route(f"{_LOGS}/{{kind}}/{{number:int}}/{{signature}}", api.signed)
    below = [
        Route(
            f"{prefix}/repos/{{owner}}/{{repo}}/actions{path}",
            _endpoint(handler, authorize, level),
            methods=[method],
        )
        for prefix in _PREFIXES
        for method, path, level, handler in table
    ]
    return [signed, *service_routes(player.artifacts), *below]


def token_of(request: Request) -> str:
    """The token of a request: Bearer, token, or the password of Basic; empty without one."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "token"}:
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _endpoint(handler: Callable[[Request, Identity], Response], authorize: Authorize, level: str) -> Any:  # noqa: ANN401 - a Starlette endpoint
    async def endpoint(request: Request) -> Response:
        request.state.body = await request.body()

        def answer() -> Response:
            identity = authorize(request, "actions", level)
            try:
                return handler(request, identity)
            except Refused as refusal:
                body = {"message": refusal.message, "documentation_url": _DOCS, "status": str(refusal.status)}
                return JSONResponse(body, refusal.status)

        # Records and git are read here: not on the event loop.
        return await run_in_threadpool(answer)

    return endpoint


class _Api:
    def __init__(self, player: Player) -> None:
        self._player = player
        self._runs = player.runs
        self._key = secrets.token_bytes(32)

    # -- workflows

    def workflows(self, request: Request, _: Identity) -> Response:
        try:
            found = self._player.workflows(_repo(request))
        except LookupError:
            found = []
        shapes = self._shapes(request)
        return JSONResponse(
            {"total_count": len(found), "workflows": [shapes.workflow(one) for one in _page(request, found)]}
        )

    def workflow(self, request: Request, _: Identity) -> Response:
        found = self._player.workflow(_repo(request), request.path_params["workflow"])
        return JSONResponse(self._shapes(request).workflow(found))

    def dispatch(self, request: Request, identity: Identity) -> Response:
        body = _body(request)
        if not isinstance(body.get("ref"), str) or not body["ref"]:
            raise Refused(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
        inputs = body.get("inputs") or {}
        if not isinstance(inputs, Mapping):
            raise Refused(
                422, f"Invalid request.\n\nFor 'properties/inputs', {json.dumps(inputs)} is not an object."
            )
        run = self._player.dispatch(
            _repo(request),
            request.path_params["workflow"],
            body["ref"],
            inputs,
            actor=identity.login,
            caused_by=self._player.run_of_token(token_of(request)) if identity.by_workflow_token else None,
        )
        if body.get("return_run_details") is True:
            return JSONResponse(self._shapes(request).dispatched(run))
        return Response(status_code=204)

    def enable(self, request: Request, _: Identity) -> Response:
        self._player.set_enabled(_repo(request), request.path_params["workflow"], enabled=True)
        return Response(status_code=204)

    def disable(self, request: Request, _: Identity) -> Response:
        self._player.set_enabled(_repo(request), request.path_params["workflow"], enabled=False)
        return Response(status_code=204)

    # -- runs

    def runs(self, request: Request, _: Identity) -> Response:
        repo, query = _repo(request), request.query_params
        wanted = request.path_params.get("workflow")
        size, offset = _window(request)
        total, found = self._runs.runs(
            repo,
            workflow_id=self._player.workflow(repo, wanted).id if wanted else None,
            event=query.get("event"),
            status=query.get("status"),
            branch=query.get("branch"),
            actor=query.get("actor"),
            head_sha=query.get("head_sha"),
            limit=size,
            offset=offset,
        )
        shapes = self._shapes(request)
        return JSONResponse({"total_count": total, "workflow_runs": [shapes.run(one) for one in found]})

    def run(self, request: Request, _: Identity) -> Response:
        return JSONResponse(self._shapes(request).run(self._run(request)))

    def jobs(self, request: Request, _: Identity) -> Response:
        run = self._run(request)
        every = request.query_params.get("filter") == "all"
        attempt = request.path_params.get("attempt", None if every else run.attempt)
        found, shapes = self._runs.jobs(run.id, attempt), self._shapes(request)
        return JSONResponse(
            {"total_count": len(found), "jobs": [shapes.job(one, run) for one in _page(request, found)]}
        )

    def job(self, request: Request, _: Identity) -> Response:
        return JSONResponse(self._shapes(request).job(*self._job(request)))

    def delete(self, request: Request, _: Identity) -> Response:
        self._player.delete(self._run(request).id)
        return Response(status_code=204)

    def cancel(self, request: Request, _: Identity) -> Response:
        self._player.cancel(self._run(request).id)
        return JSONResponse({}, 202)

    def rerun(self, request: Request, identity: Identity) -> Response:
        self._player.rerun(self._run(request).id, actor=identity.login)
        return JSONResponse({}, 201)

    def approve(self, request: Request, identity: Identity) -> Response:
        run = self._run(request)
        if run.conclusion != "action_required":
            raise Refused(403, "This run is not from a fork pull request or queued")
        self._player.rerun(run.id, actor=identity.login)
        return JSONResponse({}, 201)

    # -- logs: as GitHub's, a redirect to an address that is signed and needs no token

    def run_logs(self, request: Request, _: Identity) -> Response:
        return self._redirect(request, f"runs/{self._run(request).id}")

    def job_logs(self, request: Request, _: Identity) -> Response:
        job, _run = self._job(request)
        if not job.log or not Path(job.log).is_file():
            raise Refused(404, "Not Found")
        return self._redirect(request, f"jobs/{job.id}")

    def signed(self, request: Request) -> Response:
        """The redirect's target: the log of a job as text, those of a run as a zip."""
        kind, number = request.path_params["kind"], request.path_params["number"]
        if not hmac.compare_digest(self._signature(f"{kind}/{number}"), request.path_params["signature"]):
            return Response(status_code=404)
        if kind == "jobs":
            log = self._runs.job(number).log
            return Response(Path(log or "").read_bytes(), media_type="text/plain; charset=utf-8")
        run = self._runs.run(number)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as stream:
            for index, job in enumerate(self._runs.jobs(run.id, run.attempt)):
                if job.log and Path(job.log).is_file():
                    name, log = job.name.replace("/", "_"), Path(job.log).read_text(encoding="utf-8")
                    stream.writestr(f"{index}_{name}.txt", log)
                    for step, said in by_step(log, job.steps):
                        shown = step.name.replace("/", "_")
                        stream.writestr(f"{name}/{step.number}_{shown}.txt", said)
        return Response(archive.getvalue(), media_type="application/zip")

    def _redirect(self, request: Request, what: str) -> Response:
        return RedirectResponse(f"{self._shapes(request).html}{_LOGS}/{what}/{self._signature(what)}", 302)

    def _signature(self, what: str) -> str:
        return hmac.new(self._key, what.encode(), "sha256").hexdigest()

    # -- small things

    def _run(self, request: Request) -> RunRecord:
        try:
            run = self._runs.run(request.path_params["run"])
        except LookupError:
            raise Refused(404, "Not Found") from None
        attempt = request.path_params.get("attempt", 1)
        if run.repo != _repo(request) or not 1 <= attempt <= run.attempt:
            raise Refused(404, "Not Found")
        return run

    def _job(self, request: Request) -> tuple[JobRecord, RunRecord]:
        try:
            job = self._runs.job(request.path_params["job"])
            run = self._runs.run(job.run_id)
        except LookupError:
            raise Refused(404, "Not Found") from None
        if run.repo != _repo(request):
            raise Refused(404, "Not Found")
        return job, run

    def _shapes(self, request: Request) -> Shapes:
        # Not `base_url`: below a mount it carries the mount's own path.
        base = f"{request.url.scheme}://{request.url.netloc}"
        api = f"{base}/api/v3" if request.url.path.startswith("/api/v3/") else base
        return Shapes(self._player.forge, api, base)


def _repo(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['repo']}"


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.state.body or b"{}")
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise Refused(422, "Invalid request.\n\nThe body is not an object.")
    return body


def _window(request: Request) -> tuple[int, int]:
    """Page size and offset."""

    def number(name: str, default: int) -> int:
        text = request.query_params.get(name, "")
        return max(1, int(text)) if text.isdecimal() else default

    size = min(number("per_page", _PER_PAGE), _PER_PAGE_MAX)
    return size, (number("page", 1) - 1) * size


def _page(request: Request, items: list[Any]) -> list[Any]:
    size, offset = _window(request)
    return items[offset : offset + size]
