"""Small things said the same way on every page: times, counts, colours, clean text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

# Escape sequences as terminals know them: CSI (colours, cursor), OSC (titles, links) and the two-byte ones.
_ANSI: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[ -/]*[0-~]?"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STEPS: Final = (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60))
_COLOUR: Final = re.compile(r"[0-9a-fA-F]{6}")


def plain(text: str) -> str:
    """Text without a terminal's escape sequences and other control characters (tabs and line feeds stay)."""
    return _CONTROL.sub("", _ANSI.sub("", text))


def moment(iso: str) -> datetime:
    """A time in ISO 8601, as the store, the runs and git write them."""
    made = datetime.fromisoformat(iso)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def ago(iso: str, now: datetime) -> str:
    """How long ago: `just now`, `3 minutes ago`, `2 days ago`."""
    seconds = (now - moment(iso)).total_seconds()
    for unit, length in _STEPS:
        if seconds >= length:
            return f"{plural(int(seconds // length), unit)} ago"
    return "just now"


def duration(seconds: float) -> str:
    """`4s`, `1m 12s`, `2h 3m`."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {whole % 60}s" if minutes else f"{whole}s"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 commit`, `2 commits`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Bytes as `412 Bytes`, `3.2 KB`, `1.4 MB`."""
    if count < 1024:
        return plural(count, "Byte")
    return f"{count / 1024:.1f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def path_url(path: str) -> str:
    """A path, branch or name as part of an address."""
    return quote(path, safe="/")


def label_style(colour: str) -> str:
    """A label's colour as custom properties: `--label` (r, g, b) and the text colour that is read on it."""
    known = colour if _COLOUR.fullmatch(colour) else "888888"
    red, green, blue = (int(known[at : at + 2], 16) for at in (0, 2, 4))
    # Perceived lightness by the weights of ITU-R BT.601.
    dark = (red * 299 + green * 587 + blue * 114) / 1000 < 150
    return f"--label:{red},{green},{blue};--on-label:{'#fff' if dark else '#1f2328'}"
