"""The common part of languages with braces: quiet text, blocks, early ends, weights of checks.

Quiet text is source text whose comments and strings are blanked out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from autonomous_loop.verify.syntax.base import Around, Check, refuse_depth
from autonomous_loop.verify.syntax.python_checks import EQUAL, NONE, SOME, TRUE

Weigh = Callable[[str], Iterable[tuple[float, int]]]
"""Returns how much each check in a quiet text says, and its position."""
# An unclosed comment or text ends with the file, so each is scanned only once.
COMMENT = r"/\*.*?(?:\*/|\Z)"
# In a helper, only these are certainly assertions; other words may mean anything.
_SURE = re.compile(r"\.?\w*(?:assert|require|panic|fail|fatal|error|should|snapshot)", re.IGNORECASE)
_PARENTHESIS = re.compile(r"[()]")
_NEVER = re.compile(r"\b(?:if|while)\s*\(?\s*(?:false|!\s*true)\b[^{};]*\{")
_CONSTANT = re.compile(r"(?:true|false|null|nil|None|\d[\w.]*|[!\s,])*")
_ALWAYS = re.compile(r"\|\|\s*true\b|\btrue\s*\|\|")
_BRACE = re.compile(r"[{}]")
_LEAVES = re.compile(r"[{}]|(?<![\w.])return\s*(?:;|\n|\})")


def quiet(text: str, *silent: str) -> str:
    """Blank out what these patterns match (comments, strings); positions stay the same."""
    return re.sub("|".join(silent), lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def block_ends(text: str, starts: Iterable[int]) -> list[int]:
    """Return the closing positions of the blocks that open just before each of `starts`, in order.

    Args:
        text: quiet text.

    Raises:
        RecursionError: too many blocks are nested or never closed.
    """
    closing: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.end())
        elif opened:
            closing[opened.pop()] = brace.start()
    ends: list[int] = []
    around: list[int] = []
    for start in starts:
        while around and around[-1] <= start:
            around.pop()
        around.append(closing.get(start, len(text)))
        refuse_depth(len(around))
        ends.append(around[-1])
    return ends


def reached(body: str) -> str:
    """Return a function's body up to the point where it always returns without a value.

    Args:
        body: quiet text, without its braces.
    """
    depth = 0
    for found in _LEAVES.finditer(body):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        elif depth == 0:
            return body[: found.start()]
        else:
            depth -= found[0].endswith("}")
    return body


def inside(code: str, opened: int) -> str:
    """Return the content of the parentheses that open just before."""
    depth = 1
    for found in _PARENTHESIS.finditer(code, opened):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return code[opened : found.start()]
    return code[opened:]


def alive(body: str) -> str:
    """Blank out what can never run in a function's body: after the end (see `reached`), and `if false`."""
    body = reached(body).ljust(len(body))
    starts = [found.end() for found in _NEVER.finditer(body)]
    return without(body, zip(starts, block_ends(body, starts), strict=True)) if starts else body


def truth(condition: str) -> float:
    """Return how much it says that a condition holds; nothing if it always does."""
    if _CONSTANT.fullmatch(condition) or _ALWAYS.search(condition):
        return NONE
    if "||" in condition:
        return TRUE
    if "==" in condition or re.search(r"\.equals\(", condition):
        return EQUAL
    return SOME if re.search(r"!=|[<>]|\bmatches!|\.contains", condition) else TRUE


def same(arguments: str) -> bool:
    """Return whether only constants are compared, or the first argument with itself."""
    parts = [one.strip() for one in arguments.split(",")]
    return bool(_CONSTANT.fullmatch(arguments)) or (len(parts) == 2 and parts[0] == parts[1] != "")


def around(
    text: str, code: str, tests: Sequence[tuple[int, int]], weigh: Weigh, helper: re.Pattern[str]
) -> Around:
    """Return the part of a file outside its tests.

    Args:
        code: the quiet text.
        tests: their start and end positions.
        helper: finds functions by name, up to their opening brace.
    """
    kept, named = without(code, tests), Counter(re.findall(r"\w+", code))
    helpers = list(helper.finditer(kept))
    ends = block_ends(kept, (one.end() for one in helpers))
    unused = [
        (found.start(), end) for found, end in zip(helpers, ends, strict=True) if named[found["name"]] < 2
    ]
    kept = alive(kept)
    lines, checks, line, seen = text.split("\n"), [], 0, 0
    for strength, at in weigh(kept):
        if not _SURE.match(kept, at):
            continue
        line, seen = line + code.count("\n", seen, at), at
        used = not any(start <= at < end for start, end in unused)
        checks.append(Check(strength, line + 1, lines[line].strip(), used))
    return Around(tuple(checks), " ".join(without(text, tests).split()))


def lines_of(text: str) -> list[str]:
    """Return the non-empty lines without indentation."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def without(code: str, spans: Iterable[tuple[int, int]]) -> str:
    """Blank out the text between these positions; lines stay the same."""
    made, at = list[str](), 0
    for start, end in spans:
        if start < at:
            continue  # it is inside the one before
        made += [code[at:start], re.sub(r"[^\n]", " ", code[start:end])]
        at = end
    return "".join([*made, code[at:]])
