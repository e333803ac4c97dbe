"""Answers that nothing hostile can make more of than text and pictures."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of our own pages: scripts only from our one file, never inline."""
_RAW_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_COMMON: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


class PageNotFoundError(Exception):
    """There is no such page; the text says what was looked for."""


def html(text: str, status: int = 200) -> Response:
    """One of our pages."""
    return HTMLResponse(
        text, status, headers={**_COMMON, "content-security-policy": POLICY, "cache-control": "no-store"}
    )


def raw(content: bytes) -> Response:
    """A file's bytes: pictures (by what they are, not by their name) as such, all else as plain text.

    SVG and HTML are text: they could carry scripts, which would run as this server's own.
    """
    kind = picture_type(content)
    if kind is None:
        kind = "application/octet-stream" if b"\x00" in content[:8000] else "text/plain; charset=utf-8"
    return Response(content, media_type=kind, headers={**_COMMON, "content-security-policy": _RAW_POLICY})


def download(content: bytes, name: str) -> Response:
    """A zip to be saved, never shown; the name is one that the artifact service took."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers = {**_COMMON, "content-security-policy": _RAW_POLICY, "content-disposition": disposition}
    return Response(content, media_type="application/zip", headers=headers)


def asset(content: bytes, media_type: str) -> Response:
    """One of our own files."""
    return Response(content, media_type=media_type, headers={**_COMMON, "cache-control": "no-cache"})


def picture_type(content: bytes) -> str | None:
    """The media type of a picture a browser may show, by its first bytes; None for all else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _PICTURES if content.startswith(magic)), None)
