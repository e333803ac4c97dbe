"""Finds parts of a JavaScript file that never run, or run only sometimes.

One pass goes over the words, statement by statement, as far as this needs. It finds code after a `return`, a
condition decided in advance, a failure that `catch` swallows, and a function that nobody calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum, IntFlag

from autonomous_loop.verify.syntax.javascript_tokens import BEFORE_VALUE, Token


class Reach(IntEnum):
    """How surely code runs and its failure is noticed."""

    NEVER = 0
    SOMETIMES = 1
    ALWAYS = 2


class _Exit(IntFlag):
    """How a statement ends: it always jumps away, or it may leave the test or loop without a failure."""

    NONE = 0
    LEAVES = 1
    MAY_RETURN = 2
    MAY_BREAK = 4


_DECLARED = frozenset({"const", "let", "var"})
_JUMPS = {
    "return": _Exit.LEAVES | _Exit.MAY_RETURN,
    "throw": _Exit.LEAVES,
    "break": _Exit.LEAVES | _Exit.MAY_BREAK,
    "continue": _Exit.LEAVES | _Exit.MAY_BREAK,
}
_KNOWN = {"true": True, "false": False, "null": False, "undefined": False, "NaN": False}
_JOINING = frozenset({"in", "of", "instanceof", "as", "satisfies", "extends", "implements"})


def reach(found: Sequence[Token], closing: Mapping[int, int]) -> list[Reach]:
    """Return how surely each word is reached.

    Args:
        found: a file's words.
        closing: its brackets, as returned by `pairs`.
    """
    walk = _Walk(found, closing)
    walk.block(0, len(found), Reach.ALWAYS)
    return walk.reached


def truth(found: Sequence[Token], closing: Mapping[int, int], start: int, end: int) -> bool | None:
    """Return the value of an expression that is decided in advance, or None."""
    for operator, decides in (("|", True), ("&", False)):
        parts = list(_parts(found, closing, start, end, operator))
        if len(parts) > 1:
            known = [truth(found, closing, *part) for part in parts]
            if decides in known:
                return decides
            return not decides if None not in known else None
    if end - start > 1 and found[start].text == "!" and found[start].kind == "punctuation":
        inner = truth(found, closing, start + 1, end) if found[start + 1].text != "=" else None
        return None if inner is None else not inner
    if found[start].text == "(" and closing.get(start) == end - 1:
        return truth(found, closing, start + 1, end - 1)
    if [one.text for one in found[start:end]] == ["void", "0"]:
        return False
    return _of_word(found[start]) if end - start == 1 else None


def _of_word(word: Token) -> bool | None:
    if word.kind == "string":
        return bool(word.text)
    if word.kind == "number":
        return bool(word.text.strip("0._xbon"))
    return _KNOWN.get(word.text) if word.kind == "name" else None


def _parts(
    found: Sequence[Token], closing: Mapping[int, int], start: int, end: int, operator: str
) -> Iterator[tuple[int, int]]:
    """Yield the parts that `||`, `&&` or commas separate."""
    begin = at = start
    length = 1 if operator == "," else 2
    while at < end:
        if all(_is_mark(found, at + more, operator) for more in range(length)):
            if at > begin:
                yield begin, at
            begin = at = at + length
        else:
            at = closing.get(at, at) + 1
    if end > begin:
        yield begin, end


def arguments(
    found: Sequence[Token], closing: Mapping[int, int], start: int, end: int
) -> list[tuple[int, int]]:
    """Return the position of each argument between two brackets."""
    return list(_parts(found, closing, start, end, ","))


def _is_mark(found: Sequence[Token], at: int, text: str) -> bool:
    return at < len(found) and found[at].kind == "punctuation" and found[at].text == text


class _Walk:
    """Walks the statements of a file.

    Attributes:
        reached: how surely each word is reached.
    """

    def __init__(self, found: Sequence[Token], closing: Mapping[int, int]) -> None:
        self._found = found
        self._closing = closing
        self._used = Counter(one.text for one in found if one.kind == "name")
        self.reached = [Reach.ALWAYS] * len(found)

    def block(self, start: int, end: int, most: Reach) -> _Exit:
        """Walk consecutive statements."""
        at, now, exits = start, most, _Exit.NONE
        while at < end:
            if self._text(at) in {"case", "default"}:  # reached by its own value, whatever comes before
                now, exits = most, exits & ~_Exit.LEAVES
                at = self._label_end(at, end)
                continue
            at, left = self._statement(at, end, now, most)
            exits |= left
            if left & _Exit.LEAVES:
                now = Reach.NEVER
            elif left & (_Exit.MAY_RETURN | _Exit.MAY_BREAK):
                now = min(now, Reach.SOMETIMES)
        return exits

    def _statement(self, at: int, end: int, most: Reach, around: Reach = Reach.NEVER) -> tuple[int, _Exit]:
        """Walk one statement; return where the next one starts and how this one ends.

        Args:
            around: how surely its block is reached; a function declared anywhere in the block is as
                reachable.
        """
        word = self._text(at)
        opened = at + 1 + (word == "for" and self._text(at + 1) == "await")
        if self._is(at, "{"):
            return self._closing[at] + 1, self.block(at + 1, self._closing[at], most)
        if word in {"if", "while", "for", "with", "switch"} and self._is(opened, "("):
            made = {"if": self._if, "switch": self._switch}.get(word, self._loop)
            return made(opened, end, most)
        if word in {"try", "do"} and self._is(at + 1, "{"):
            if word == "try":
                return self._try(at + 1, end, most)
            left = self.block(at + 2, self._closing[at + 1], most)
            return self._closing[at + 1] + 1, _beyond_loop(left, sure=True)
        if word in _JUMPS and not self._is(at + 1, ":"):
            return self._jump(at, end, most)
        stop = self._end(at, end)
        named = self._function(at, stop)
        if named:
            inside = sum(one.text == named and one.kind == "name" for one in self._found[at:stop])
            most = max(most, around) if self._text(at) not in _DECLARED else most
            most = most if self._used[named] > inside else Reach.NEVER
        elif self._is_thrown_away(at, stop):
            most = Reach.NEVER
        self._expression(at, stop, most)
        return stop, _Exit.NONE

    def _if(self, opened: int, end: int, most: Reach) -> tuple[int, _Exit]:
        closed = self._closing[opened]
        known = truth(self._found, self._closing, opened + 1, closed) if closed > opened + 1 else None
        self._expression(opened + 1, closed, most)
        inner = {None: min(most, Reach.SOMETIMES), True: most, False: Reach.NEVER}
        at, then = self._statement(closed + 1, end, inner[known]) if closed + 1 < end else (end, _Exit.NONE)
        other = _Exit.NONE
        if at < end and self._text(at) == "else":
            at, other = self._statement(at + 1, end, inner[None if known is None else not known])
        if known is not None:
            return at, then if known else other
        return at, (then | other) & ~_Exit.LEAVES | (then & other & _Exit.LEAVES)

    def _loop(self, opened: int, end: int, most: Reach) -> tuple[int, _Exit]:
        closed = self._closing[opened]
        self._expression(opened + 1, closed, most)
        texts = [one.text for one in self._found[max(opened, closed - 3) : closed]]
        head = next((part for part in self._heads(opened + 1, closed)), None)
        nothing = texts == ["of", "[", "]"] or (
            head is not None and truth(self._found, self._closing, *head) is False
        )
        if closed + 1 >= end:
            return end, _Exit.NONE
        at, left = self._statement(closed + 1, end, Reach.NEVER if nothing else most)
        return at, _beyond_loop(left)

    def _heads(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the condition of `while (...)`, or the second part of `for (;...;)`."""
        marks = [at for at in range(start, end) if self._is(at, ";")]
        first, last = (marks[0] + 1, marks[1]) if len(marks) == 2 else (start, end)
        if last > first:
            yield first, last

    def _switch(self, opened: int, end: int, most: Reach) -> tuple[int, _Exit]:
        at = self._closing[opened] + 1
        self._expression(opened + 1, at - 1, most)
        if at >= end or not self._is(at, "{"):
            return at, _Exit.NONE
        left = self.block(at + 1, self._closing[at], min(most, Reach.SOMETIMES))
        return self._closing[at] + 1, _beyond_loop(left)

    def _try(self, opened: int, end: int, most: Reach) -> tuple[int, _Exit]:
        at = self._closing[opened] + 1
        tried, forgiven, exits = (opened + 1, self._closing[opened]), False, _Exit.NONE
        if self._text(at) == "catch":
            at += 1
            at = self._closing[at] + 1 if self._is(at, "(") else at
            caught = (at + 1, self._closing.get(at, at))
            forgiven = self._forgives(*caught)
            exits |= self.block(*caught, min(most, Reach.SOMETIMES)) & ~_Exit.LEAVES
            at = caught[1] + 1
        if self._text(at) == "finally" and self._is(at + 1, "{"):
            left = self.block(at + 2, self._closing[at + 1], most)
            forgiven = forgiven or bool(left & (_Exit.MAY_RETURN | _Exit.MAY_BREAK))
            exits |= left
            at = self._closing[at + 1] + 1
        exits |= self.block(*tried, Reach.NEVER if forgiven else most) & ~_Exit.LEAVES
        return at, exits

    def _jump(self, at: int, end: int, most: Reach) -> tuple[int, _Exit]:
        left = _JUMPS[self._text(at)]
        after = at + 1
        bare = after >= end or self._is(after, ";") or self._found[after].line > self._found[at].line
        if not bare:
            after = self._end(after, end)
            self._expression(at + 1, after, most)
        return after + (after < end and self._is(after, ";")), left

    def _expression(self, start: int, end: int, most: Reach) -> None:
        """Walk the words of an expression and the content of its brackets."""
        at = begin = start
        now = most
        while at < end:
            text = self._found[at].text if self._found[at].kind == "punctuation" else ""
            self.reached[at] = now
            if at in self._closing:
                closed = self._closing[at]
                self._inside(at, closed, begin, Reach.NEVER if self._is_over_nothing(at) else now)
                at = closed + 1
                continue
            if text in {"&", "|", "?"} and (text == "?" or self._is(at + 1, text)):
                known = truth(self._found, self._closing, begin, at) if at > begin else None
                now = _beside(text, known, now)
                at += text != "?"
                begin = at + 1
            elif text in {",", ";", "="}:
                begin, now = at + 1, most
            at += 1

    def _inside(self, opened: int, closed: int, begin: int, most: Reach) -> None:
        if self._is(opened, "{"):
            self.block(opened + 1, closed, most)
            return
        self._expression(opened + 1, closed, most)
        caught = self._text(opened - 1) == "catch" and self._is(opened - 2, ".")
        if caught and self._has_function(opened + 1, closed) and self._forgives(opened + 1, closed):
            self.reached[begin:opened] = [Reach.NEVER] * (opened - begin)

    def _has_function(self, start: int, end: int) -> bool:
        return any(self._text(at) == "function" or self._is_arrow(at) for at in range(start, end))

    def _forgives(self, start: int, end: int) -> bool:
        """Return whether a failure caught here is neither thrown again nor checked."""
        return not any(
            one.kind == "name"
            and (one.text in {"throw", "expect", "assert", "done", "reject"} or "fail" in one.text.lower())
            for one in self._found[start:end]
        )

    def _function(self, at: int, stop: int) -> str:
        """Return the name under which a statement declares or stores a function."""
        if self._text(at) == "async" and self._text(at + 1) == "function":
            at += 1
        if self._text(at) == "function":
            return self._text(at + 1 + self._is(at + 1, "*"))
        if self._text(at) not in _DECLARED or not self._is(at + 2, "="):
            return ""
        begin = at + 3 + (self._text(at + 3) == "async")
        return self._text(at + 1) if begin < stop and self._makes_function(begin) else ""

    def _makes_function(self, at: int) -> bool:
        after = self._closing[at] + 1 if self._is(at, "(") else at + 1
        return self._text(at) == "function" or self._is_arrow(after)

    def _is_thrown_away(self, at: int, stop: int) -> bool:
        """Return whether this is `(() => ...)` that nobody calls."""
        at += self._text(at) == "void"
        if not self._is(at, "(") or self._closing[at] + 1 < stop - self._is(stop - 1, ";"):
            return False
        return self._makes_function(at + 1 + (self._text(at + 1) == "async"))

    def _is_over_nothing(self, at: int) -> bool:
        """Return whether these are the arguments of `[].forEach(...)`."""
        texts = [one.text for one in self._found[max(0, at - 4) : at]]
        receiver = texts[:3] == ["[", "]", "."] and self._is(at, "(")
        return receiver and not (at > 4 and self._ends_value(at - 5))

    def _end(self, at: int, end: int) -> int:
        """Return where a statement ends: after its semicolon, or where the next line starts another."""
        start = at
        while at < end:
            if self._is(at, ";"):
                return at + 1
            fresh = at > start and self._found[at].line > self._found[at - 1].line
            if fresh and self._ends_value(at - 1) and self._starts(at):
                return at
            at = self._closing.get(at, at) + 1
        return end

    def _ends_value(self, at: int) -> bool:
        word = self._found[at]
        if word.kind == "punctuation":
            return word.text in {")", "]", "}"} or (word.text in {"+", "-"} and self._is(at - 1, word.text))
        return word.text not in BEFORE_VALUE

    def _starts(self, at: int) -> bool:
        word = self._found[at]
        return word.text not in _JOINING if word.kind == "name" else word.kind in {"string", "number"}

    def _label_end(self, at: int, end: int) -> int:
        while at < end and not self._is(at, ":"):
            at = self._closing.get(at, at) + 1
        return at + 1

    def _is_arrow(self, at: int) -> bool:
        return self._is(at, "=") and self._is(at + 1, ">")

    def _is(self, at: int, text: str) -> bool:
        return at >= 0 and _is_mark(self._found, at, text)

    def _text(self, at: int) -> str:
        """Return the name at a position; "" for anything else."""
        there = 0 <= at < len(self._found) and self._found[at].kind == "name"
        return self._found[at].text if there else ""


def _beyond_loop(left: _Exit, *, sure: bool = False) -> _Exit:
    """Return how a loop ends whose body ends this way."""
    kept = left & _Exit.MAY_RETURN
    return kept | (left & _Exit.LEAVES if sure and not left & _Exit.MAY_BREAK else _Exit.NONE)


def _beside(operator: str, known: object, now: Reach) -> Reach:
    """Return how surely the right side of `&&`, `||`, `?` or `??` is reached."""
    if known is None or operator == "?":
        return min(now, Reach.SOMETIMES)
    return Reach.NEVER if known == (operator == "|") else now
