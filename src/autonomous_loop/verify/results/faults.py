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
        interface: something of the project is not there, or is called otherwise, as it shows when it is used.
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
# The runner says in one line what the compiler says in many (runners/go.py).
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
# By Node, vite, jest, TypeScript and esbuild. At the start of a line: what an assertion shows of a text says
# nothing. JSON that cannot be parsed is a SyntaxError too, and no fault of the code's own text.
_SAID = r"^[ \t]*(?:Uncaught )?(?:\w*Error(?: \[\w+\])?: )*"
JAVASCRIPT = Language(
    imports=re.compile(
        _SAID + r"(?:Cannot find (?:module|package) '|Failed to resolve import \"|Failed to load url"
        r"|The requested module '[^']*' does not provide an export named|Named export '[^']*' not found"
        r"|Must use import to load ES Module|Jest encountered an unexpected token|Transform failed with"
        r"|Cannot use import statement outside a module|No matching export in"
        # An export that is not there: bundlers make it undefined.
        r"|\(0 ?, ?[\w$.]+\) is not a (?:function|constructor)$)"
        r"|^[ \t]*(?:Uncaught )?SyntaxError: (?!.*\bJSON\b)"
        r"|^.*\berror TS\d+: ",
        re.MULTILINE,
    ),
    # Not `./x`, `/x`, `@/x` or `#x`, which are the project's own.
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
    """By a test file's name; Python's where it says nothing."""
    return LANGUAGES.get(posixpath.splitext(file)[1], PYTHON)


def error_lines(file: str, message: str, text: str) -> str:
    """The error itself."""
    raised = language_of(file).raised
    lines = text.splitlines()
    if raised is not None:
        lines = [line.removeprefix(raised).strip() for line in lines if line.startswith(raised)]
    # What is wrong stands at a line's start; what a test prints may be a line of any length.
    return "\n".join(line[:MOST_OF_LINE] for line in [*message.splitlines(), *lines])


def is_import_fault(file: str, error: str) -> bool:
    """Whether an error is one of import or compilation."""
    return bool(language_of(file).imports.search(error))


def is_interface_fault(file: str, error: str) -> bool:
    """Whether an error says that something is not there, or takes other arguments."""
    pattern = language_of(file).interface
    return bool(pattern and pattern.search(error))


def missing_modules(file: str, error: str) -> tuple[str, ...]:
    """Modules that do not exist, as the language names them."""
    return tuple(dict.fromkeys(language_of(file).missing.findall(error)))
