"""How the API says no: one exception, rendered in Anthropic's error shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A refusal the client shall see.

    Args:
        status: the HTTP status.
        kind: Anthropic's error type, as `invalid_request_error`.
        message: what is wrong, beginning with the place in the body where there is one.
        code: the stable `error.details.error_code`, where the API documents one.
        headers: more response headers, as `retry-after`.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON document of the error."""
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str, *, code: str | None = None) -> ApiError:
    """A 400: the request itself is wrong, sending it again will not help."""
    return ApiError(400, "invalid_request_error", message, code=code)
