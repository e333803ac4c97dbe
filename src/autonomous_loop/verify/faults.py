"""What a failure says of imports, by the language of the test that failed."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How a language reports what could not be loaded.

    Attributes:
        imports: something of the project is missing, or cannot be compiled.
        missing: a module that is not there at all; its first group is the name, as `third_party` compares it
            with the project's paths.
        raised: the lines of a failure that tell the error itself: source lines that are merely shown say
            nothing. None: all of them.
    """

    imports: re.Pattern[str]
    missing: re.Pattern[str]
    raised: str | None = None


PYTHON = Language(
    imports=re.compile(
        r"\b(?:ModuleNotFoundError|ImportError|SyntaxError|IndentationError)\b"
        r"|AttributeError: module '[^']+' has no attribute"
    ),
    missing=re.compile(r"No module named '([^']+)'"),
    raised="E ",
)
LANGUAGES = {".py": PYTHON}


def language_of(file: str) -> Language:
    """By a test file's name; Python's where it says nothing."""
    return LANGUAGES.get(posixpath.splitext(file)[1], PYTHON)


def error_lines(file: str, message: str, text: str) -> str:
    """The error itself."""
    raised = language_of(file).raised
    if raised is None:
        return f"{message}\n{text}"
    lines = [line.removeprefix(raised).strip() for line in text.splitlines() if line.startswith(raised)]
    return "\n".join([message, *lines])


def is_import_fault(file: str, error: str) -> bool:
    """Whether an error is one of import or compilation."""
    return bool(language_of(file).imports.search(error))


def missing_modules(file: str, error: str) -> tuple[str, ...]:
    """Modules that do not exist, as the language names them."""
    return tuple(language_of(file).missing.findall(error))
