"""Source code in colours, by Pygments; the style sheet says which."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup, escape
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename  # type: ignore[import-untyped]
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

PREFIX: Final = "hl-"
CLASSES: Final = frozenset(f"{PREFIX}{name}" for name in STANDARD_TYPES.values() if name)
MOST: Final = 200_000
"""Characters that are coloured; more is shown plain."""


def lines(text: str, path: str) -> list[Markup]:
    r"""A file's lines, coloured by the language its name says; plain where that is not known.

    There are always as many as `text.split("\n")` has, but for an empty last one.
    """
    rows = text.removesuffix("\n").split("\n")
    lexer = _lexer_of(path) if len(text) <= MOST else None
    if lexer is None:
        return [escape(row) for row in rows]
    coloured = highlight(text, lexer, HtmlFormatter(nowrap=True, classprefix=PREFIX))
    made = [Markup(row) for row in coloured.removesuffix("\n").split("\n")]  # noqa: S704 - escaped by Pygments
    # A lexer that changes the count of lines would put them beside the wrong numbers.
    return made if len(made) == len(rows) else [escape(row) for row in rows]


def block(text: str, language: str, _attributes: str = "") -> str:
    """A fenced block of Markdown as a whole `<pre>`."""
    code: str = escape(text)
    if language and len(text) <= MOST:
        try:
            lexer = get_lexer_by_name(language, stripnl=False)
            code = highlight(text, lexer, HtmlFormatter(nowrap=True, classprefix=PREFIX))
        except ClassNotFound:
            pass
    return f'<pre class="code"><code>{code}</code></pre>\n'


def _lexer_of(path: str) -> Any:  # noqa: ANN401 - Pygments has no types
    try:
        return get_lexer_for_filename(path.rsplit("/", 1)[-1], stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
