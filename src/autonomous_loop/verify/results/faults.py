"""Recognises import faults in a failure, by the language of the failed test."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How a language reports things that could not be loaded.

    Attributes:
        imports: something of the project is missing or cannot be compiled.
        missing: a module does not exist at all; the first group is its name, as `third_party` compares it
            with the project's paths.
        raised: prefix of the lines that state the error itself, since quoted source lines prove nothing.
            None: all lines.
        interface: something of the project does not exist or is called differently, which shows when it is
            used.
    """

    imports: re.Pattern[str]
    missing: re.Pattern[str]
    raised: str | None = None
    interface: re.Pattern[str] | None = None


PYTHON = Language(
    imports=re.compile(
        r"\b(?:ModuleNotFoundError|ImportError|SyntaxError|IndentationError)\b"
        r"|AttributeError: module '[^']+' has no attribute"
    ),
    missing=re.compile(r"No module named '([^']+)'"),
    raised="E ",
    interface=re.compile(
        r"NameError: name '|AttributeError: (?:type object|'(?!NoneType)[\w.]+' object has no attribute)"
        r"|TypeError: .*(?:unexpected keyword argument|positional arguments? but|missing \d+ required)"
    ),
)
# The runner module (runners/go.py) condenses the compiler's many lines into one.
GO = Language(
    imports=re.compile(r"\[build failed\]"),
    missing=re.compile(r"no required module provides package ([^\s;]+)"),
    raised="\0",  # nothing but the message
)
RUST = Language(
    imports=re.compile(r"\[build failed\]"), missing=re.compile(r"missing crate `([^`]+)`"), raised="\0"
)
JVM = Language(
    imports=re.compile(
        r"COMPILATION ERROR|cannot find symbol|package \S+ does not exist|Unresolved reference"
        r"|java\.lang\.No(?:SuchMethod|SuchField|ClassDefFound)Error|java\.lang\.ClassNotFoundException"
    ),
    missing=re.compile(r"package (\S+) does not exist"),
)
# Messages of Node, vite, jest, TypeScript and esbuild. They must start a line, because a text that an
# assertion shows proves nothing. Invalid JSON is a SyntaxError too, but no fault in the code itself.
_SAID = r"^[ \t]*(?:Uncaught )?(?:\w*Error(?: \[\w+\])?: )*"
JAVASCRIPT = Language(
    imports=re.compile(
        _SAID + r"(?:Cannot find (?:module|package) '|Failed to resolve import \"|Failed to load url"
        r"|The requested module '[^']*' does not provide an export named|Named export '[^']*' not found"
        r"|Must use import to load ES Module|Jest encountered an unexpected token|Transform failed with"
        r"|Cannot use import statement outside a module|No matching export in"
        # A missing export: bundlers make it undefined.
        r"|\(0 ?, ?[\w$.]+\) is not a (?:function|constructor)$)"
        r"|^[ \t]*(?:Uncaught )?SyntaxError: (?!.*\bJSON\b)"
        r"|^.*\berror TS\d+: ",
        re.MULTILINE,
    ),
    # Excludes `./x`, `/x`, `@/x` and `#x`, which are the project's own.
    missing=re.compile(
        r"^.*?(?:Cannot find (?:module|package) '|Failed to resolve import \"|package \")"
        r"((?:@[^/'\"]+/)?[^./@#~'\"\s][^/'\"\s]*)",
        re.MULTILINE,
    ),
    interface=re.compile(
        _SAID + r"(?:[\w$.]+(?:\(\.\.\.\)[\w$.]*)* is not a (?:function|constructor)\b"
        r"|[\w$]+ is not defined$)",
        re.MULTILINE,
    ),
)
MOST_OF_LINE = 2_000
LANGUAGES = {
    ".py": PYTHON,
    ".go": GO,
    ".rs": RUST,
    ".java": JVM,
    ".kt": JVM,
    **dict.fromkeys((".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx"), JAVASCRIPT),
}


def language_of(file: str) -> Language:
    """Return the language by a test file's name; Python if the name says nothing."""
    return LANGUAGES.get(posixpath.splitext(file)[1], PYTHON)


def error_lines(file: str, message: str, text: str) -> str:
    """Return the lines that state the error itself."""
    raised = language_of(file).raised
    lines = text.splitlines()
    if raised is not None:
        lines = [line.removeprefix(raised).strip() for line in lines if line.startswith(raised)]
    # The error is at a line's start; a line that a test prints may have any length.
    return "\n".join(line[:MOST_OF_LINE] for line in [*message.splitlines(), *lines])


def is_import_fault(file: str, error: str) -> bool:
    """Return whether an error is an import or compilation error."""
    return bool(language_of(file).imports.search(error))


def is_interface_fault(file: str, error: str) -> bool:
    """Return whether an error says that something does not exist or takes other arguments."""
    pattern = language_of(file).interface
    return bool(pattern and pattern.search(error))


def missing_modules(file: str, error: str) -> tuple[str, ...]:
    """Return the modules that do not exist, named as in the language."""
    return tuple(dict.fromkeys(language_of(file).missing.findall(error)))
