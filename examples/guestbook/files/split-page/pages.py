"""Turns entries into HTML. Whatever visitors wrote is escaped here."""

from collections.abc import Sequence
from html import escape

from guestbook.store import MESSAGE_LIMIT, Entry

WELCOME = "<p>Thank you for stopping by. Leave a few words, if you like.</p>\n"


def front(entries: Sequence[Entry], *, name: str = "", message: str = "", error: str = "") -> str:
    """The page with the form and the entries; after a mistake, with what was wrong and what was typed."""
    return _layout("Guestbook", _form(name, message, error) + _entries(entries), welcome=WELCOME)


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


def _entries(entries: Sequence[Entry]) -> str:
    if not entries:
        return '<p class="empty">Nobody has written yet. Be the first!</p>\n'
    return '<ol class="entries">\n' + "".join(_entry(entry) for entry in entries) + "</ol>\n"


def _entry(entry: Entry) -> str:
    hue = sum(entry.name.encode()) % 6
    when = f"{entry.written.day} {entry.written:%B %Y, %H:%M} UTC"
    return f"""\
<li class="entry" id="entry-{entry.id}">
<span class="avatar hue-{hue}" aria-hidden="true">{escape(entry.name[:1].upper())}</span>
<h2 class="name">{escape(entry.name)}</h2>
<time datetime="{entry.written.isoformat()}">{when}</time>
<p class="message">{escape(entry.message)}</p>
</li>
"""
