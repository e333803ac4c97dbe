"""GitHub's own refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

_DOCUMENTATION = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer other than success, in GitHub's shape.

    Args:
        status: The HTTP status.
        message: GitHub's words.
        errors: For 422, what is wrong with which field.
        headers: More headers.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Mapping[str, Any] | str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        body |= {"documentation_url": _DOCUMENTATION, "status": str(self.status)}
        return JSONResponse(body, self.status, headers=self.headers)


def not_found() -> ApiError:
    """What is not there, or not to be seen."""
    return ApiError(404, "Not Found")


def bad_credentials() -> ApiError:
    """A token that is unknown, revoked or malformed."""
    return ApiError(401, "Bad credentials")


def not_accessible() -> ApiError:
    """What a run's token has no permission for."""
    return ApiError(403, "Resource not accessible by integration")


def invalid(resource: str, field: str, code: str, message: str | None = None) -> ApiError:
    """Return a failed validation of one field: `missing_field`, `invalid`, `already_exists`, `custom`."""
    error = {"resource": resource, "field": field, "code": code}
    return ApiError(422, "Validation Failed", errors=[{**error, "message": message} if message else error])


async def answer_api_error(_request: Request, error: Exception) -> Response:
    """Answer an `ApiError`, wherever it was raised."""
    assert isinstance(error, ApiError)
    return error.response()


async def answer_no_route(request: Request, _error: Exception) -> Response:
    """Answer what no route knows: a page for browsers, GitHub's JSON for programs."""
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse("Not found\n", 404)
    return not_found().response()
