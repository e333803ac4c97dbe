"""Small drawings: icons as strokes in the text's colour, and a face for every login."""

from __future__ import annotations

import hashlib
from typing import Final

from markupsafe import Markup

_SHAPES: Final = {
    "loop": '<path d="M8 8C6.6 5.7 5.5 4.6 4 4.6a3.4 3.4 0 0 0 0 6.8c1.5 0 2.6-1.1 4-3.4s2.5-3.4 4-3.4a3.4'
    ' 3.4 0 0 1 0 6.8c-1.5 0-2.6-1.1-4-3.4z"/>',
    "code": '<path d="M5.2 4.2 1.8 8l3.4 3.8M10.8 4.2 14.2 8l-3.4 3.8"/>',
    "issue": '<circle cx="8" cy="8" r="6.3"/><circle cx="8" cy="8" r="1.3" fill="currentColor"/>',
    "closed": '<circle cx="8" cy="8" r="6.3"/><path d="m5.3 8.2 2 2 3.5-4"/>',
    "pull": '<circle cx="4" cy="3.5" r="1.7"/><circle cx="4" cy="12.5" r="1.7"/><circle cx="12" cy="12.5"'
    ' r="1.7"/><path d="M4 5.2v5.6M12 10.8V6.5a2.5 2.5 0 0 0-2.5-2.5H7.8M9.5 2 7.5 4l2 2"/>',
    "draft": '<circle cx="4" cy="3.5" r="1.7"/><circle cx="4" cy="12.5" r="1.7"/><circle cx="12" cy="12.5"'
    ' r="1.7"/><path d="M4 5.2v5.6M12 3v1.3M12 7v1.3"/>',
    "merged": '<circle cx="4" cy="3.5" r="1.7"/><circle cx="4" cy="12.5" r="1.7"/><circle cx="12" cy="8.5"'
    ' r="1.7"/><path d="M4 5.2v5.6M4 5.2c0 2 2.2 3.3 6.3 3.3"/>',
    "play": '<circle cx="8" cy="8" r="6.3"/><path d="m6.6 5.4 4 2.6-4 2.6z" fill="currentColor"/>',
    "success": '<circle cx="8" cy="8" r="7.3" fill="currentColor" stroke="none"/>'
    '<path d="m4.9 8.2 2.1 2.1 4.1-4.6" stroke="var(--page)" stroke-width="1.7"/>',
    "failure": '<circle cx="8" cy="8" r="7.3" fill="currentColor" stroke="none"/>'
    '<path d="m5.5 5.5 5 5m0-5-5 5" stroke="var(--page)" stroke-width="1.7"/>',
    "cancelled": '<circle cx="8" cy="8" r="6.3"/><path d="M8 4.5v4.2M8 11.2v.2"/>',
    "skipped": '<circle cx="8" cy="8" r="6.3"/><path d="m5 11 6-6"/>',
    "in_progress": '<circle cx="8" cy="8" r="6.3" opacity=".3"/><path d="M14.3 8A6.3 6.3 0 0 0 8 1.7"'
    ' class="turning"/><circle cx="8" cy="8" r="2.2" fill="currentColor" stroke="none"/>',
    "queued": '<circle cx="8" cy="8" r="6.3" stroke-dasharray="2.4 2.4"/>'
    '<circle cx="8" cy="8" r="2" fill="currentColor" stroke="none"/>',
    "clock": '<circle cx="8" cy="8" r="6.3"/><path d="M8 4.5V8l2.4 1.6"/>',
    "commit": '<circle cx="8" cy="8" r="2.7"/><path d="M1 8h4.3M10.7 8H15"/>',
    "branch": '<circle cx="4.5" cy="3.5" r="1.7"/><circle cx="4.5" cy="12.5" r="1.7"/><circle cx="11.5"'
    ' cy="4.5" r="1.7"/><path d="M4.5 5.2v5.6M11.5 6.2c0 2.6-3.5 2.4-6.5 3.5"/>',
    "file": '<path d="M3.7 1.7h5.3l3.3 3.3v9.3H3.7zM9 1.7V5h3.3"/>',
    "folder": '<path d="M1.7 4c0-.6.4-1 1-1h3.2l1.6 1.7h5.8c.6 0 1 .4 1 1V12c0 .6-.4 1-1 1H2.7c-.6 0'
    '-1-.4-1-1z" fill="currentColor"/>',
    "link": '<path d="M9 3h4v4M13 3 7.5 8.5M11 9.5V13H3V5h3.5"/>',
    "repo": '<path d="M3.3 12.8V3.3c0-.9.7-1.6 1.6-1.6h7.8v9.6H4.8a1.5 1.5 0 0 0 0 3h7.9v-3"/>',
    "tag": '<path d="M1.8 2h5.5l6.5 6.5-5.3 5.3L2 7.3z"/><circle cx="5" cy="5" r=".9" fill="currentColor"/>',
    "comment": '<path d="M1.8 2.5h12.4v8.8H8.3L5 14v-2.7H1.8z"/>',
    "pencil": '<path d="m2.5 13.5.7-3L11 2.7l2.3 2.3-7.8 7.8zM9.5 4.2l2.3 2.3"/>',
    "eye": '<path d="M1.2 8S3.7 3.7 8 3.7 14.8 8 14.8 8 12.3 12.3 8 12.3 1.2 8 1.2 8z"/>'
    '<circle cx="8" cy="8" r="2"/>',
    "chevron": '<path d="m6 3.8 4.2 4.2L6 12.2"/>',
    "down": '<path d="M3.8 6 8 10.2 12.2 6"/>',
    "check": '<path d="m3 8.5 3.3 3.3L13 4.8"/>',
    "cross": '<path d="m4 4 8 8m0-8-8 8"/>',
    "diff": '<path d="M8 2.5v6M5 5.5h6M5 12.5h6"/>',
    "warning": '<path d="M8 2 14.7 13.7H1.3zM8 6.5v3.2M8 11.7v.2"/>',
    "notice": '<circle cx="8" cy="8" r="6.3"/><path d="M8 7.3v4M8 4.7v.2"/>',
    "push": '<path d="M8 13V4M4.5 7.2 8 3.7l3.5 3.5"/>',
    "trash": '<path d="M2.5 4.2h11M6 4V2.3h4V4M4 4.3l.7 9.4h6.6l.7-9.4"/>',
}


def icon(name: str, size: int = 16, label: str = "") -> Markup:
    """One of the drawings. With a label it stands for a word, without one it is decoration."""
    said = Markup(' role="img" aria-label="{}"').format(label) if label else Markup(' aria-hidden="true"')
    return Markup(
        '<svg class="icon icon-{}" viewBox="0 0 16 16" width="{}" height="{}" fill="none"'
        ' stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"{}>{}</svg>'
    ).format(name, size, size, said, Markup(_SHAPES[name]))  # noqa: S704 - drawn above


def face(login: str, size: int = 20) -> Markup:
    """A pattern of five by five, mirrored, that is always the same for a login; bots get a square frame."""
    digest = hashlib.sha256(login.lower().encode()).digest()
    hue = int.from_bytes(digest[-4:], "big") % 360
    squares = Markup("").join(
        Markup('<rect x="{}" y="{}" width="1.02" height="1.02"/>').format(column, row)
        for row in range(5)
        for column in range(5)
        if digest[1 + row * 3 + min(column, 4 - column)] % 2
    )
    kind = "face-bot" if login.endswith("[bot]") else "face-person"
    return Markup(
        '<svg class="face {}" viewBox="-1 -1 7 7" width="{}" height="{}" aria-hidden="true" style="--hue:{}"'
        ' shape-rendering="crispEdges">{}</svg>'
    ).format(kind, size, size, hue, squares)
