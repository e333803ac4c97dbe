"""Turns entries into HTML. Whatever visitors wrote is escaped here."""

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from guestbook.store import MESSAGE_LIMIT, Entry

WELCOME = "<p>Thank you for stopping by. Leave a few words, if you like.</p>\n"


def front(
    entries: Sequence[Entry],
    *,
    total: int | None = None,
    number: int = 1,
    last: int = 1,
    query: str = "",
    name: str = "",
    message: str = "",
    error: str = "",
) -> str:
    """The page with the form and the entries; after a mistake, with what was wrong and what was typed.

    The entries are page `number` of `last`; `total` counts all there are, and these are all if it is left out.
    After a search they are those with `query` in them, which is marked.
    """
    count = _count(len(entries) if total is None else total, query)
    pager = _pager(number, last, query)
    main = _form(name, message, error) + _search(query) + count + _entries(entries, query) + pager
    return _layout("Guestbook", main, welcome=WELCOME)


def not_found() -> str:
    """The page for an address that leads nowhere."""
    main = '<p class="empty">There is no such page. <a href="/">Back to the guestbook</a></p>\n'
    return _layout("Not found - Guestbook", main)


def _layout(title: str, main: str, *, welcome: str = "") -> str:
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<h1><a href="/">Guestbook</a></h1>
{welcome}</header>
<main>
{main}</main>
<footer>Made with Python, and nothing else.</footer>
</body>
</html>
"""


def _form(name: str, message: str, error: str) -> str:
    alert = f'<p class="error" role="alert">{escape(error)}</p>\n' if error else ""
    return f"""\
<form class="sign" method="post" action="/entries">
{alert}<label>Your name <input name="name" value="{escape(name)}" autocomplete="name"></label>
<label>Your message, up to {MESSAGE_LIMIT} characters \
<textarea name="message" rows="3" maxlength="{MESSAGE_LIMIT}">
{escape(message)}</textarea></label>
<button>Sign the guestbook</button>
</form>
"""


def _search(query: str) -> str:
    return f"""\
<form class="search" role="search" action="/">
<input type="search" name="q" value="{escape(query)}" placeholder="Search" aria-label="Search">
<button>Search</button>
</form>
"""


def _count(total: int, query: str) -> str:
    if not total and not query:
        return ""
    found = f" with “{escape(query)}”" if query else ""
    return f'<p class="count">{total} {"entry" if total == 1 else "entries"}{found}</p>\n'


def _pager(number: int, last: int, query: str) -> str:
    newer = _page_link("Newer", number - 1, query) if number > 1 else ""
    older = _page_link("Older", number + 1, query) if number < last else ""
    return f'<nav class="pager">{newer}{older}</nav>\n' if newer or older else ""


def _page_link(text: str, number: int, query: str) -> str:
    address = "/?" + urlencode({"q": query, "page": number} if query else {"page": number})
    return f'<a href="{escape(address)}">{text}</a>'


def _entries(entries: Sequence[Entry], query: str) -> str:
    if not entries and query:
        return '<p class="empty">Nothing was found. <a href="/">Show all entries</a></p>\n'
    if not entries:
        return '<p class="empty">Nobody has written yet. Be the first!</p>\n'
    return '<ol class="entries">\n' + "".join(_entry(entry, query) for entry in entries) + "</ol>\n"


def _entry(entry: Entry, query: str) -> str:
    hue = sum(entry.name.encode()) % 6
    when = f"{entry.written.day} {entry.written:%B %Y, %H:%M} UTC"
    return f"""\
<li class="entry" id="entry-{entry.id}">
<span class="avatar hue-{hue}" aria-hidden="true">{escape(entry.name[:1].upper())}</span>
<h2 class="name">{_marked(entry.name, query)}</h2>
<time datetime="{entry.written.isoformat()}">{when}</time>
<p class="message">{_marked(entry.message, query)}</p>
</li>
"""


def _marked(text: str, query: str) -> str:
    if not query:
        return escape(text)
    # The finds stand at the odd places. Escaping comes last, so that nothing is found inside "&amp;".
    parts = re.split(f"({re.escape(query)})", text, flags=re.IGNORECASE)
    return "".join(f"<mark>{escape(part)}</mark>" if i % 2 else escape(part) for i, part in enumerate(parts))
