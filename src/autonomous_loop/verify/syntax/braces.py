"""What languages with braces have in common: quiet text, blocks, early ends, what a check says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from autonomous_loop.verify.syntax.base import Around, Check, refuse_depth
from autonomous_loop.verify.syntax.python_checks import EQUAL, NONE, SOME, TRUE

Weigh = Callable[[str], Iterable[tuple[float, int]]]
"""How much each check of a quiet text says, and where it stands."""
# A comment or a text that nobody closes ends with the file: each is looked through once.
COMMENT = r"/\*.*?(?:\*/|\Z)"
# In a helper, what surely is an assertion: other words may mean anything there.
_SURE = re.compile(r"\.?\w*(?:assert|require|panic|fail|fatal|error|should|snapshot)", re.IGNORECASE)
_PARENTHESIS = re.compile(r"[()]")
_NEVER = re.compile(r"\b(?:if|while)\s*\(?\s*(?:false|!\s*true)\b[^{};]*\{")
_CONSTANT = re.compile(r"(?:true|false|null|nil|None|\d[\w.]*|[!\s,])*")
_ALWAYS = re.compile(r"\|\|\s*true\b|\btrue\s*\|\|")
_BRACE = re.compile(r"[{}]")
_LEAVES = re.compile(r"[{}]|(?<![\w.])return\s*(?:;|\n|\})")


def quiet(text: str, *silent: str) -> str:
    """The text with what these patterns match (comments, strings) blanked out; positions stay."""
    return re.sub("|".join(silent), lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def block_ends(text: str, starts: Iterable[int]) -> list[int]:
    """Where the blocks close that were opened just before each of `starts`, in order.

    Args:
        text: quiet.

    Raises:
        RecursionError: too many of them stand in one another, or are never closed.
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
    """A function's body up to where it always returns without a value.

    Args:
        body: quiet, without its braces.
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
    """What stands in the parentheses that were opened just before."""
    depth = 1
    for found in _PARENTHESIS.finditer(code, opened):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return code[opened : found.start()]
    return code[opened:]


def alive(body: str) -> str:
    """A function's body as far as it may be run, the rest blanked out: see `reached`, and `if false`."""
    body = reached(body).ljust(len(body))
    starts = [found.end() for found in _NEVER.finditer(body)]
    return without(body, zip(starts, block_ends(body, starts), strict=True)) if starts else body


def truth(condition: str) -> float:
    """How much it says that a condition holds; nothing where it always does."""
    if _CONSTANT.fullmatch(condition) or _ALWAYS.search(condition):
        return NONE
    if "||" in condition:
        return TRUE
    if "==" in condition or re.search(r"\.equals\(", condition):
        return EQUAL
    return SOME if re.search(r"!=|[<>]|\bmatches!|\.contains", condition) else TRUE


def same(arguments: str) -> bool:
    """Whether all that is compared is constants, or the first argument is the second."""
    parts = [one.strip() for one in arguments.split(",")]
    return bool(_CONSTANT.fullmatch(arguments)) or (len(parts) == 2 and parts[0] == parts[1] != "")


def around(
    text: str, code: str, tests: Sequence[tuple[int, int]], weigh: Weigh, helper: re.Pattern[str]
) -> Around:
    """What a file holds outside of its tests.

    Args:
        code: the text, quiet.
        tests: where they start and end.
        helper: finds functions by their names, up to the brace that opens them.
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
    """Lines that hold something, without their indentation."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def without(code: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with what stands between these places blanked out; lines stay."""
    made, at = list[str](), 0
    for start, end in spans:
        if start < at:
            continue  # it stands in the one before
        made += [code[at:start], re.sub(r"[^\n]", " ", code[start:end])]
        at = end
    return "".join([*made, code[at:]])
