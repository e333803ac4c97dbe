"""What languages with braces have in common: quiet text, blocks, early ends, what a check says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from autonomous_loop.verify.sources.base import Around, Check
from autonomous_loop.verify.sources.python_checks import EQUAL, NONE, SOME, TRUE

Weigh = Callable[[str], Iterable[tuple[float, int]]]
"""How much each check of a quiet text says, and where it stands."""
_PARENTHESIS = re.compile(r"[()]")
_NEVER = re.compile(r"\b(?:if|while)\s*\(?\s*(?:false|!\s*true)\b[^{};]*\{")
_CONSTANT = re.compile(r"(?:true|false|null|nil|None|\d[\w.]*|[!\s,])*")
_ALWAYS = re.compile(r"\|\|\s*true\b|\btrue\s*\|\|")
_BRACE = re.compile(r"[{}]")
_LEAVES = re.compile(r"[{}]|(?<![\w.])return\s*(?:;|\n|\})")


def quiet(text: str, *silent: str) -> str:
    """The text with what these patterns match (comments, strings) blanked out; positions stay."""
    return re.sub("|".join(silent), lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def block_end(text: str, start: int) -> int:
    """Where the block that was opened just before `start` closes.

    Args:
        text: quiet.
    """
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(text)


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
    at = 0
    while found := _NEVER.search(body, at):
        end = block_end(body, found.end())
        body = body[: found.end()] + " " * (end - found.end()) + body[end:]
        at = end
    return body


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
    kept, named = _without(code, tests), Counter(re.findall(r"\w+", code))
    unused = [
        (found.start(), block_end(kept, found.end()))
        for found in helper.finditer(kept)
        if named[found["name"]] < 2
    ]
    kept = alive(kept)
    lines, checks, line, seen = text.split("\n"), [], 0, 0
    for strength, at in weigh(kept):
        line, seen = line + code.count("\n", seen, at), at
        used = not any(start <= at < end for start, end in unused)
        checks.append(Check(strength, line + 1, lines[line].strip(), used))
    return Around(tuple(checks), " ".join(_without(text, tests).split()))


def _without(code: str, spans: Iterable[tuple[int, int]]) -> str:
    made, at = list[str](), 0
    for start, end in spans:
        if start < at:
            continue  # it stands in the one before
        made += [code[at:start], re.sub(r"[^\n]", " ", code[start:end])]
        at = end
    return "".join([*made, code[at:]])
