"""The entries for other programs."""

import json
from collections.abc import Sequence

from guestbook.store import Entry


def as_json(entries: Sequence[Entry]) -> str:
    """The feed of these entries, which come in the order they were written; the feed turns it round."""
    return json.dumps(
        {"title": "Guestbook", "entries": [_item(entry) for entry in reversed(entries)]}, ensure_ascii=False
    )


def _item(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "name": entry.name,
        "message": entry.message,
        "written": entry.written.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
