"""GitHub's REST for artifacts: lists, one, its zip, and deleting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from embedded_github.actions.artifacts.service import signed_url
from embedded_github.actions.artifacts.store import ArtifactRecord, Artifacts
from embedded_github.actions.dispatch import Refused
from embedded_github.actions.ports import Forge, Identity
from embedded_github.actions.runs import Runs

Handler = Callable[[Request, Identity], Response]


class ArtifactApi:
    """The operations below `/repos/{owner}/{repo}/actions`.

    Args:
        page: cuts a list as the query says.
    """

    def __init__(
        self,
        artifacts: Artifacts,
        runs: Runs,
        forge: Forge,
        page: Callable[[Request, list[Any]], list[Any]],
    ) -> None:
        self._artifacts = artifacts
        self._runs = runs
        self._forge = forge
        self._page = page

    @property
    def table(self) -> list[tuple[str, str, str, Handler]]:
        """Method, path, level and handler."""
        return [
            ("GET", "/artifacts", "read", self._all),
            ("GET", "/runs/{run:int}/artifacts", "read", self._of_run),
            ("GET", "/artifacts/{artifact:int}", "read", self._one),
            ("DELETE", "/artifacts/{artifact:int}", "write", self._delete),
            ("GET", "/artifacts/{artifact:int}/{form}", "read", self._zip),
        ]

    def _all(self, request: Request, _: Identity) -> Response:
        return self._listed(request, self._artifacts.of_repository(_repo(request)))

    def _of_run(self, request: Request, _: Identity) -> Response:
        try:
            run = self._runs.run(request.path_params["run"])
        except LookupError:
            raise Refused(404, "Not Found") from None
        if run.repo.lower() != _repo(request).lower():
            raise Refused(404, "Not Found")
        return self._listed(request, self._artifacts.of_run(run.id))

    def _one(self, request: Request, _: Identity) -> Response:
        return JSONResponse(self._shape(request, self._found(request)))

    def _delete(self, request: Request, _: Identity) -> Response:
        self._artifacts.delete(self._found(request).id)
        return Response(status_code=204)

    def _zip(self, request: Request, _: Identity) -> Response:
        found = self._found(request)
        if request.path_params["form"] != "zip":
            raise Refused(404, "Not Found")
        return RedirectResponse(signed_url(self._artifacts, _base(request), found.id, "r"), 302)

    def _found(self, request: Request) -> ArtifactRecord:
        try:
            found = self._artifacts.artifact(request.path_params["artifact"])
        except LookupError:
            raise Refused(404, "Not Found") from None
        if found.repo.lower() != _repo(request).lower():
            raise Refused(404, "Not Found")
        return found

    def _listed(self, request: Request, found: list[ArtifactRecord]) -> Response:
        name = request.query_params.get("name")
        found = [one for one in found if name in {None, one.name}]
        shown = [self._shape(request, one) for one in self._page(request, found)]
        return JSONResponse({"total_count": len(found), "artifacts": shown})

    def _shape(self, request: Request, one: ArtifactRecord) -> dict[str, Any]:
        prefix = "/api/v3" if request.url.path.startswith("/api/v3/") else ""
        url = f"{_base(request)}{prefix}/repos/{one.repo}/actions/artifacts/{one.id}"
        run, repository = self._runs.run(one.run_id), self._forge.repository(one.repo)["id"]
        return {
            "id": one.id,
            "node_id": f"A_{one.id:012d}",
            "name": one.name,
            "size_in_bytes": one.size,
            "url": url,
            "archive_download_url": f"{url}/zip",
            "expired": False,
            "created_at": one.created_at,
            "updated_at": one.created_at,
            "expires_at": one.expires_at,
            "digest": one.digest,
            "workflow_run": {
                "id": run.id,
                "repository_id": repository,
                "head_repository_id": repository,
                "head_branch": run.head_branch,
                "head_sha": run.head_sha,
            },
        }


def _repo(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['repo']}"


def _base(request: Request) -> str:
    # Not `base_url`: below a mount it carries the mount's own path.
    return f"{request.url.scheme}://{request.url.netloc}"
