"""The service a job's steps talk to: artifacts by the v4 protocol (Twirp, then a blob store)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any, Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from embedded_github.actions.artifacts.store import Artifacts, Scope, TakenError
from embedded_github.actions.job.commands import utc_now

SERVICE: Final = "/twirp/github.actions.results.api.v1.ArtifactService"
BLOBS: Final = "/_actions/artifacts"
MOST_BLOB: Final = 512 * 1024 * 1024
_IDS: Final = {"workflow_run_backend_id": str, "workflow_job_run_backend_id": str}
_FIELDS: Final[dict[str, dict[str, type]]] = {
    "CreateArtifact": {**_IDS, "name": str, "version": int, "mime_type": str, "expires_at": str},
    "FinalizeArtifact": {**_IDS, "name": str, "size": str, "hash": str},
    "ListArtifacts": {**_IDS, "name_filter": str, "id_filter": str},
    "GetSignedArtifactURL": {**_IDS, "name": str},
}
_OPTIONAL: Final = {"mime_type", "expires_at", "hash", "name_filter", "id_filter"}
_STATUS: Final = {
    "malformed": 400, "invalid_argument": 400, "unauthenticated": 401, "permission_denied": 403,
    "not_found": 404, "bad_route": 404, "already_exists": 409,
}  # fmt: skip
# What GitHub forbids in a name, since some file systems do.
_BAD_NAME: Final = re.compile(r'["<>|*?:\r\n\\/]')
_VERSION: Final = 7
Answer = dict[str, Any]


class _TwirpError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class _BlobError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def service_routes(artifacts: Artifacts) -> list[BaseRoute]:
    """The Twirp service and the blob store behind its signed addresses."""
    service, blobs = _Service(artifacts), _Blobs(artifacts)
    return [
        Route(f"{SERVICE}/{{method}}", service.endpoint, methods=["POST"]),
        Route(f"{BLOBS}/{{artifact:int}}", blobs.put, methods=["PUT"]),
        Route(f"{BLOBS}/{{artifact:int}}", blobs.get, methods=["GET"]),
    ]


def signed_url(artifacts: Artifacts, base: str, artifact_id: int, allowed: str) -> str:
    """An address that whoever has it may write (`w`) or read (`r`)."""
    return f"{base}{BLOBS}/{artifact_id}?sp={allowed}&sig={artifacts.sign(f'{allowed}/{artifact_id}')}"


class _Service:
    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._methods: dict[str, Callable[[Scope, Mapping[str, Any], str], Answer]] = {
            "CreateArtifact": self._create,
            "FinalizeArtifact": self._finalize,
            "ListArtifacts": self._list,
            "GetSignedArtifactURL": self._signed,
        }

    async def endpoint(self, request: Request) -> Response:
        body = await request.body()

        def answer() -> Response:
            try:
                return JSONResponse(self._answer(request, body))
            except _TwirpError as error:
                return JSONResponse({"code": error.code, "msg": error.message}, _STATUS[error.code])

        return await run_in_threadpool(answer)

    def _answer(self, request: Request, body: bytes) -> Answer:
        method = request.path_params["method"]
        if method not in self._methods:
            raise _TwirpError("bad_route", f"no handler for path {request.url.path}")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        scope = self._artifacts.scope_of(token.strip()) if kind == "Bearer" else None
        if scope is None:
            raise _TwirpError("unauthenticated", "invalid or expired runtime token")
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise _TwirpError("bad_route", "unexpected Content-Type")
        asked = _checked(method, body)
        if (asked["workflow_run_backend_id"], asked["workflow_job_run_backend_id"]) != (
            scope.run_backend,
            scope.job_backend,
        ):
            raise _TwirpError("permission_denied", "the ids are not those of the token's scope")
        base = f"{request.url.scheme}://{request.url.netloc}"
        return self._methods[method](scope, asked, base)

    def _create(self, scope: Scope, asked: Mapping[str, Any], base: str) -> Answer:
        name = asked["name"]
        if not name or len(name) > 250 or _BAD_NAME.search(name):
            raise _TwirpError("invalid_argument", f"the artifact name {name!r} is not valid")
        if asked["version"] != _VERSION:
            raise _TwirpError("invalid_argument", f"version {asked['version']} is not supported")
        try:
            number = self._artifacts.create(scope.repo, scope.run_id, name, utc_now())
        except TakenError:
            raise _TwirpError(
                "already_exists", "an artifact with this name already exists on the workflow run"
            ) from None
        return {"ok": True, "signed_upload_url": signed_url(self._artifacts, base, number, "w")}

    def _finalize(self, scope: Scope, asked: Mapping[str, Any], _base: str) -> Answer:
        if not asked["size"].isdecimal():
            raise _TwirpError("malformed", "size is no int64")
        try:
            made = self._artifacts.finalize(
                scope.run_id, asked["name"], size=int(asked["size"]), digest=asked.get("hash")
            )
        except LookupError:
            raise _TwirpError("not_found", "no upload of this name was begun") from None
        except ValueError as error:
            raise _TwirpError("invalid_argument", f"size or hash is not the upload's: {error}") from None
        return {"ok": True, "artifact_id": str(made.id)}

    def _list(self, scope: Scope, asked: Mapping[str, Any], _base: str) -> Answer:
        found = [
            one
            for one in self._artifacts.of_run(scope.run_id)
            if asked.get("name_filter") in {None, one.name} and asked.get("id_filter") in {None, str(one.id)}
        ]
        return {
            "artifacts": [
                {
                    "workflow_run_backend_id": scope.run_backend,
                    "workflow_job_run_backend_id": scope.job_backend,
                    "database_id": str(one.id),
                    "name": one.name,
                    "size": str(one.size),
                    "created_at": one.created_at,
                    "digest": one.digest,
                }
                for one in found
            ]
        }

    def _signed(self, scope: Scope, asked: Mapping[str, Any], base: str) -> Answer:
        for one in self._artifacts.of_run(scope.run_id):
            if one.name == asked["name"]:
                return {"name": one.name, "signed_url": signed_url(self._artifacts, base, one.id, "r")}
        raise _TwirpError("not_found", "no artifact of this name")


class _Blobs:
    """As Azure's store: a signed address is the whole permission, and a token beside it is refused."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def put(self, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(self._answer, request, "w", lambda: self._put(request, body))

    def get(self, request: Request) -> Response:
        file = self._artifacts.file(request.path_params["artifact"])

        def read() -> Response:
            if not file.is_file():
                raise _BlobError(404, "BlobNotFound")
            return Response(file.read_bytes(), media_type="application/zip")

        return self._answer(request, "r", read)

    def _answer(self, request: Request, allowed: str, doing: Callable[[], Response]) -> Response:
        try:
            self._check(request, allowed)
            return doing()
        except _BlobError as error:
            text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{error.code}</Code></Error>'
            return Response(text, error.status, media_type="application/xml")

    def _put(self, request: Request, body: bytes) -> Response:
        number, query = request.path_params["artifact"], request.query_params
        if len(body) > MOST_BLOB:
            raise _BlobError(413, "RequestBodyTooLarge")
        if not self._artifacts.is_open(number):
            raise _BlobError(409, "BlobImmutableDueToPolicy")
        match query.get("comp"):
            case None:
                if request.headers.get("x-ms-blob-type") != "BlockBlob":
                    raise _BlobError(400, "MissingRequiredHeader")
                self._artifacts.file(number).write_bytes(body)
            case "block":
                name = _block(query.get("blockid", ""))
                (self._artifacts.blocks_folder(number) / name).write_bytes(body)
            case "blocklist":
                self._assemble(number, body)
            case _:
                raise _BlobError(400, "InvalidQueryParameterValue")
        return Response(status_code=201)

    def _assemble(self, number: int, body: bytes) -> None:
        folder = self._artifacts.blocks_folder(number)
        try:
            listed = [_block(one.text or "") for one in fromstring(body)]
            data = b"".join((folder / name).read_bytes() for name in listed)
        except (ParseError, DefusedXmlException, OSError):
            raise _BlobError(400, "InvalidBlockList") from None
        self._artifacts.file(number).write_bytes(data)
        shutil.rmtree(folder)

    def _check(self, request: Request, allowed: str) -> None:
        number, given = request.path_params["artifact"], request.query_params.get("sig", "")
        if request.headers.get("authorization"):
            raise _BlobError(400, "InvalidAuthenticationInfo")
        known = hmac.compare_digest(self._artifacts.sign(f"{allowed}/{number}"), given)
        if request.query_params.get("sp") != allowed or not known:
            raise _BlobError(403, "AuthenticationFailed")


def _block(encoded: str) -> str:
    """A block's id as a file's name.

    Raises:
        _BlobError: it is no base64 of 1 to 64 bytes.
    """
    try:
        name = base64.b64decode(encoded, validate=True).hex()
    except binascii.Error:
        name = ""
    if not 0 < len(name) <= 128:
        raise _BlobError(400, "InvalidQueryParameterValue")
    return name


def _checked(method: str, body: bytes) -> dict[str, Any]:
    """The request's fields; their JSON names may be snake_case or camelCase, as protobuf takes both."""
    try:
        given = json.loads(body)
    except ValueError:
        raise _TwirpError("malformed", "the json request could not be decoded") from None
    known = _FIELDS[method]
    if not isinstance(given, dict):
        raise _TwirpError("malformed", "the json request could not be decoded")
    fields = {
        re.sub(r"[A-Z]", lambda one: f"_{one[0].lower()}", name): value for name, value in given.items()
    }
    for name, value in fields.items():
        if name not in known:
            raise _TwirpError("malformed", f"unknown field {name}")
        # protobuf's int64 is a string in JSON; a number is taken too.
        if name == "size" and isinstance(value, int) and not isinstance(value, bool):
            fields[name] = str(value)
        elif not isinstance(value, known[name]) or isinstance(value, bool):
            raise _TwirpError("malformed", f"{name} has the wrong type")
    if missing := sorted(set(known) - _OPTIONAL - set(fields)):
        raise _TwirpError("invalid_argument", f"{missing[0]} is required")
    return fields
