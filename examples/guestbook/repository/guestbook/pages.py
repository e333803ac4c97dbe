"""Turns entries into HTML. Whatever visitors wrote is escaped here."""

from collections.abc import Sequence
from html import escape

from guestbook.store import Entry


def front(entries: Sequence[Entry], *, name: str = "", message: str = "", error: str = "") -> str:
    """The page with the form and the entries; after a mistake, with what was wrong and what was typed."""
    html = "<!doctype html>\n"
    html += '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    html += '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    html += "<title>Guestbook</title>\n"
    html += '<link rel="stylesheet" href="/style.css">\n'
    html += "</head>\n<body>\n<header>\n"
    html += '<h1><a href="/">Guestbook</a></h1>\n'
    html += "<p>Thank you for stopping by. Leave a few words, if you like.</p>\n"
    html += "</header>\n<main>\n"
    html += '<form class="sign" method="post" action="/entries">\n'
    if error:
        html += f'<p class="error" role="alert">{escape(error)}</p>\n'
    html += f'<label>Your name <input name="name" value="{escape(name)}" autocomplete="name"></label>\n'
    html += f'<label>Your message <textarea name="message" rows="3">\n{escape(message)}</textarea></label>\n'
    html += "<button>Sign the guestbook</button>\n"
    html += "</form>\n"
    if entries:
        html += '<ol class="entries">\n'
        for entry in entries:
            html += f'<li class="entry" id="entry-{entry.id}">\n'
            html += f'<span class="avatar hue-{sum(entry.name.encode()) % 6}" aria-hidden="true">'
            html += f"{escape(entry.name[:1].upper())}</span>\n"
            html += f'<h2 class="name">{escape(entry.name)}</h2>\n'
            html += f'<time datetime="{entry.written.isoformat()}">'
            html += f"{entry.written.day} {entry.written:%B %Y, %H:%M} UTC</time>\n"
            html += f'<p class="message">{escape(entry.message)}</p>\n'
            html += "</li>\n"
        html += "</ol>\n"
    else:
        html += '<p class="empty">Nobody has written yet. Be the first!</p>\n'
    html += "</main>\n<footer>Made with Python, and nothing else.</footer>\n</body>\n</html>\n"
    return html


def not_found() -> str:
    """The page for an address that leads nowhere."""
    html = "<!doctype html>\n"
    html += '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    html += '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    html += "<title>Not found - Guestbook</title>\n"
    html += '<link rel="stylesheet" href="/style.css">\n'
    html += "</head>\n<body>\n<header>\n"
    html += '<h1><a href="/">Guestbook</a></h1>\n'
    html += "</header>\n<main>\n"
    html += '<p class="empty">There is no such page. <a href="/">Back to the guestbook</a></p>\n'
    html += "</main>\n<footer>Made with Python, and nothing else.</footer>\n</body>\n</html>\n"
    return html
