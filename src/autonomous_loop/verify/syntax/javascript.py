"""Reads the tests of a JavaScript or TypeScript file without running it.

The reader is simple. It knows comments, strings, templates and regular expressions well enough to skip them,
and finds calls of `test`, `it` and `describe` whose first argument is a text. It follows no variables: tests
made in loops or helpers, or with a computed name, are not seen (and get the benefit of the doubt). A `/`
after `)` counts as a division, and text between JSX tags as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autonomous_loop.verify.syntax.base import Around, Check, TestBody, refuse_depth
from autonomous_loop.verify.syntax.javascript_never_runs import Reach, arguments, reach, truth
from autonomous_loop.verify.syntax.javascript_tokens import Token
from autonomous_loop.verify.syntax.python_checks import EQUAL, NONE, SOME, TRUE

# Its file name endings.
KINDS = ("js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx")
# In a name, stands for a part that is known only at run time: `adds %i`, `adds ${a}`.
UNKNOWN = "\N{HORIZONTAL ELLIPSIS}"
_TESTS = frozenset({"test", "it", "specify", "xit", "xtest", "fit", "ftest"})
_SUITES = frozenset({"describe", "suite", "context", "xdescribe", "fdescribe"})
_CONTEXTS = frozenset({"t", "ctx", "context"})
_EXCUSES = frozenset({"skip", "todo", "fixme", "fail", "fails", "failing", "skipIf", "runIf"})
_INVERTED = frozenset({"fail", "fails", "failing"})
_PLAIN = frozenset(
    {"only", "each", "for", "concurrent", "sequential", "serial", "parallel", "slow", "describe"}
)
_CALLED_TWICE = frozenset({"each", "for", "skipIf", "runIf"})
_EXCUSING_HEADS = frozenset({"test", "it", "describe", "t", "ctx", "context", "this", "info", "testInfo"})
_CHECKS = re.compile(
    r"assert|expect|check|verify|fail|match|should|snapshot|compare|ensure|throws|rejects|plan"
    r"|(?:strict|deep|not)?equals?$|^(?:is|ok|same|like|true|false|truthy|falsy|pass)$",
    re.IGNORECASE,
)
# Outside of tests, only these are certainly assertions.
_SURE = re.compile(r"assert|expect|fail|should|throws|rejects", re.IGNORECASE)
_EQUALS = re.compile(
    r"(?:to)?(?:Be|be|is|same|Equals?|equals?|StrictEqual|eql|strictEqual|deepEqual|deepStrictEqual|deepEquals?"
    r"|HaveLength|HaveCount|HaveText|HaveValue|HaveTitle|HaveURL|HaveBeenCalledWith|BeNull|BeUndefined|Throw"
    r"|MatchSnapshot|MatchInlineSnapshot|MatchAriaSnapshot)|throws|rejects|fail"
)
_TRUTHS = re.compile(
    r"toBe(?:Truthy|Falsy|Defined)|ok|assert|exists?|truthy|falsy|true|false|pass|doesNotThrow"
)
_PARAMETER = re.compile(r"%[sdifjoOpc#$]|\$[A-Za-z_#][\w.]*")


@dataclass(frozen=True, slots=True)
class _Call:
    """`test.skip.each(...)("name", ...)`: the names of the chain, and the place of its last arguments."""

    names: tuple[str, ...]
    opened: int
    closed: int


@dataclass(frozen=True, slots=True)
class _Scope:
    names: tuple[str, ...] = ()
    excuses: int = 0
    only: bool = False


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    checks: tuple[float, ...]
    excuses: int
    inverted: bool
    only: bool
    fixtures: frozenset[str]
    place: tuple[int, int]
    title: int


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of a file as written, in file order."""

    __test__ = False

    found: tuple[_Test, ...] = ()

    @property
    def bodies(self) -> dict[str, TestBody]:
        """The tests by `describe::name`."""
        focused = any(one.only for one in self.found)
        made: dict[str, TestBody] = {}
        for one in self.found:
            # If some tests are focused, the others are excused.
            known = made.get(one.name, TestBody(0, 0))
            strengths = known.strengths + one.checks
            excuses = known.excuses + one.excuses + (focused and not one.only)
            made[one.name] = TestBody(len(strengths), excuses, strengths=strengths)
        return made


def read(text: str, words: Sequence[Token], closing: dict[int, int]) -> tuple[Tests, Around]:
    """Return the tests of a file, and the rest: helpers, and tests with unknown titles.

    Args:
        words: the text's words.
        closing: see `pairs`.
    """
    reader = _Reader(words, closing)
    tests = Tests(tuple(reader.tests(0, len(words), _Scope())))
    lines = text.split("\n")
    checks, said, at = list[Check](), list[str](), 0
    for start, end in [*(one.place for one in tests.found), (len(words), len(words))]:
        for strength, line in reader.weighed(at, start, _SURE):
            checks.append(Check(strength, line, lines[line - 1].strip()))
        said += [one.text for one in words[at:start] if one.text != ";"]
        at = max(at, end)
    return tests, Around(tuple(checks), " ".join(said))


def as_name(title: str) -> str:
    """Return a test's or suite's title as in an id, where brackets hold parameters."""
    return title.replace("[", "(").replace("]", ")")


class Titles:
    """Maps the names that tests have when they run to their names in the source.

    Args:
        written: the tests of the file.
    """

    def __init__(self, written: Tests) -> None:
        self._tests = {one.name: one for one in written.found}
        # Names with a part known only at run time, by the part before it, each with its place in the file.
        self._made: dict[str, list[tuple[int, list[str]]]] = {}
        self._names = list(self._tests)
        for at, name in enumerate(self._names):
            if UNKNOWN in name:
                first, *rest = name.split(UNKNOWN)
                self._made.setdefault(first, []).append((at, rest))

    def id_of(self, names: Sequence[str]) -> str:
        """Return the id's part after the file; for `it.each`, the title as written and `[as it ran]`."""
        ran = "::".join(map(as_name, names))
        written = self._written(ran)
        if written is None or written == ran:
            return ran
        varies = UNKNOWN in "::".join(written.split("::")[: len(names) - 1])
        return f"{written}[{ran if varies else as_name(names[-1])}]"

    def is_inverted(self, names: Sequence[str]) -> bool:
        """Return whether a test counts as passed when it fails."""
        written = self._written("::".join(map(as_name, names)))
        return written is not None and self._tests[written].inverted

    def fixtures(self, name: str) -> frozenset[str] | None:
        """Return what a test destructures from its first argument and uses; None: the test was not found.

        Args:
            name: as returned by `id_of`, without brackets.
        """
        found = self._tests.get(name)
        return found.fixtures if found else None

    def _written(self, ran: str) -> str | None:
        if ran in self._tests:
            return ran
        starts = (ran[:end] for end in range(len(ran) + 1)) if self._made else ()
        fitting = (
            at
            for start in starts
            for at, rest in self._made.get(start, ())
            if _goes_on(ran, len(start), rest)
        )
        first = min(fitting, default=None)
        return None if first is None else self._names[first]


def _goes_on(text: str, at: int, parts: Sequence[str]) -> bool:
    """Return whether these parts follow in order, with anything between them, and the last ends the text."""
    *inner, last = parts
    for part in inner:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) >= at


class _Reader:
    """Walks the calls of a file.

    Attributes:
        words: the file's words.
    """

    def __init__(self, found: Sequence[Token], closing: dict[int, int]) -> None:
        self.words = found
        self._closing = closing
        self._reach = reach(found, closing)

    def tests(self, start: int, end: int, scope: _Scope) -> Iterator[_Test]:
        """Yield the tests between two tokens."""
        refuse_depth(len(scope.names))
        scope = replace(scope, excuses=scope.excuses + self._excuses_in(start, end))
        at = start
        while at < end:
            call = self._call(at)
            if call is None:
                at += 1
                continue
            names = call.names
            is_test = names[0] in _TESTS and "describe" not in names
            is_subtest = len(names) == 2 and names[0] in _CONTEXTS and names[1] in _TESTS
            is_suite = names[0] in _SUITES or (names[0] in _TESTS and "describe" in names)
            name = self._name(call)
            if name is None or not (is_subtest or ((is_test or is_suite) and self._plain(names))):
                at += 1
                continue
            excuses = scope.excuses + self._excuses_of(call)
            inner = _Scope(
                (*scope.names, name),
                excuses,
                scope.only or "only" in names or names[0] in {"fit", "ftest", "fdescribe"},
            )
            if is_suite and not is_subtest:
                yield from self.tests(call.opened + 1, call.closed, inner)
            else:
                yield from self._test(call, inner, (at, call.closed + 1))
            at = call.closed + 1

    def _test(self, call: _Call, scope: _Scope, place: tuple[int, int]) -> Iterator[_Test]:
        children = list(self.tests(call.opened + 1, call.closed, scope))
        excuses = scope.excuses + self._excuses_in(call.opened + 1, call.closed)
        inverted = bool(_INVERTED.intersection(call.names)) or "fails" in self._options(call)
        checks = tuple(strength for strength, _ in self.weighed(call.opened + 1, call.closed))
        fixtures = self._fixtures(call)
        name, title = "::".join(scope.names), call.opened + 1
        yield _Test(name, checks, excuses, inverted, scope.only, fixtures, place, title)
        yield from children

    def _call(self, at: int) -> _Call | None:
        """Return the call whose chain starts at a token."""
        found = self.words
        if found[at].kind != "name" or (at and found[at - 1].text in {".", "?.", "function"}):
            return None
        names, at = [found[at].text], at + 1
        called = False
        while at < len(found):
            text = found[at].text if found[at].kind == "punctuation" else ""
            if text in {".", "?."} and at + 1 < len(found) and found[at + 1].kind == "name":
                names.append(found[at + 1].text)
                called, at = False, at + 2
            elif text == "(" and at in self._closing:
                if called or names[-1] not in _CALLED_TWICE:
                    return _Call(tuple(names), at, self._closing[at])
                called, at = True, self._closing[at] + 1
            elif found[at].kind == "template" and names[-1] == "each":
                called, at = True, at + 1
            else:
                return None
        return None

    def _plain(self, names: Sequence[str]) -> bool:
        return all(name in _EXCUSES or name in _PLAIN for name in names[1:])

    def _name(self, call: _Call) -> str | None:
        """Return the known part of the title: of `"adds " + name` the first part. None: no part is known."""
        said, at = list[str](), call.opened + 1
        while at < call.closed:
            word = self.words[at]
            if word.kind == "punctuation" and word.text == ",":
                break
            if word.kind == "template":
                said.append(re.sub(r"\$\{.*?\}", UNKNOWN, word.text, flags=re.DOTALL))
            elif word.kind == "string":
                said.append(word.text)
            elif word.kind != "punctuation" or word.text != "+":
                said.append(UNKNOWN)
            at = self._closing.get(at, at) + 1
        text = re.sub(f"{UNKNOWN}+", UNKNOWN, "".join(said))
        if self.words[call.opened + 1].kind not in {"string", "template"} and not text.strip(UNKNOWN):
            return None
        return as_name(_PARAMETER.sub(UNKNOWN, text) if {"each", "for"} & set(call.names) else text)

    def _options(self, call: _Call) -> set[str]:
        """Return the keys of an options object among a test's arguments that are not `false`."""
        found, keys = self.words, set[str]()
        at = call.opened + 1
        while at < call.closed:
            if at in self._closing and (found[at - 1].text, found[at].text) == (",", "{"):
                for inner in range(at + 1, self._closing[at] - 1):
                    if found[inner + 1].text == ":" and found[inner + 2].text != "false":
                        keys.add(found[inner].text)
            at = self._closing.get(at, at) + 1
        return keys

    def _fixtures(self, call: _Call) -> frozenset[str]:
        """Return the names in `async ({ page }) => ...` that are used afterwards."""
        words = self.words[call.opened + 1 : call.closed]
        starts = [
            at
            for at in range(1, len(words))
            if words[at].kind == "punctuation" and (words[at - 1].text, words[at].text) == ("(", "{")
        ]
        if not starts:
            return frozenset()
        end = self._closing[call.opened + 1 + starts[0]] - call.opened - 1
        later = {word.text for word in words[end:] if word.kind == "name"}
        return frozenset(word.text for word in words[starts[0] : end] if word.text in later)

    def _excuses_of(self, call: _Call) -> int:
        said = sum(name in _EXCUSES for name in call.names) + (call.names[0] in {"xit", "xtest", "xdescribe"})
        return said + len(self._options(call) & {"skip", "todo", "fails"})

    def _excuses_in(self, start: int, end: int) -> int:
        """Count calls such as `t.skip()` and `test.fixme(condition)`, except in nested tests."""
        count, at = 0, start
        while at < end:
            call = self._call(at)
            if call is not None and call.names[0] in _TESTS | _SUITES and self._name(call) is not None:
                at = call.closed + 1
                continue
            if (
                call is not None
                and call.names[0] in _EXCUSING_HEADS
                and call.names[-1] in _EXCUSES - {"skipIf", "runIf"}
            ):
                count += len(call.names) > 1
            at += 1
        return count

    def weighed(self, start: int, end: int, checks: re.Pattern[str] = _CHECKS) -> Iterator[tuple[float, int]]:
        """Yield how much each check says, and its line, in text order."""
        at = start
        while at < end:
            call = self._call(at)
            if call is not None and any(checks.search(name) for name in call.names):
                strength = _reached(self._strength(call), self._reach[at], call.names[-1])
                if strength:
                    yield strength, self.words[at].line
                # Of `expect(await check(x))` only the outer check counts.
                at = call.closed if call.names in {("expect",), ("assert",)} else call.opened
            elif call is not None and "should" in (words := self._matcher(call.closed + 1)[0]):
                strength = _reached(_worth(words), self._reach[at], words[-1])
                if strength:
                    yield strength, self.words[at].line
            at += 1

    def _strength(self, call: _Call) -> float:
        """Return 0 for `expect(true).toBe(true)`, `assert(1)` and an `expect(x)` with nothing after it."""
        last = call.names[-1]
        if last in _EXCUSES | {"setTimeout", "slow"} and call.names[0] in _EXCUSING_HEADS:
            return NONE
        constant = self._is_constant(call.opened, call.closed)
        if last == "expect" or call.names == ("expect", "soft"):
            words, after = self._matcher(call.closed + 1)
            ended = self._closing.get(after, after)
            constant = constant and (ended == after + 1 or self._is_constant(after, ended))
            return NONE if constant or not words else _worth(words)
        said = bool(_CHECKS.search(call.names[0])) or call.names[0] in _CONTEXTS
        return NONE if constant and said and last not in {"fail", "plan"} else _worth(call.names)

    def _is_constant(self, opened: int, closed: int) -> bool:
        """Return whether there are arguments, all of them constants."""
        inner = self.words[opened + 1 : closed]
        plain = all(
            one.kind in {"string", "number"} or one.text in {"true", "false", "null", "undefined", ",", "!"}
            for one in inner
        )
        parts = arguments(self.words, self._closing, opened + 1, closed) if not plain else ()
        decided = (truth(self.words, self._closing, *one) is not None for one in parts)
        return bool(inner) and (plain or all(decided))

    def _matcher(self, at: int) -> tuple[list[str], int]:
        """Return the names after `expect(x)`, such as `.not.toBe`, and where they end."""
        found, words = self.words, list[str]()
        while at + 1 < len(found) and found[at].text == "." and found[at + 1].kind == "name":
            words.append(found[at + 1].text)
            at += 2
        return words, at


def _reached(strength: float, how: Reach, name: str) -> float:
    """Weigh a check by its place; `if (wrong) fail()` is as good as an assertion."""
    if how is Reach.NEVER:
        return NONE
    if how is Reach.ALWAYS or name == "fail":
        return strength
    return min(strength / 2, TRUE)


def _worth(names: Sequence[str]) -> float:
    if any(name in {"not", "notOk", "isNot"} or name.startswith("not") for name in names):
        return TRUE
    last = names[-1]
    if _EQUALS.fullmatch(last):
        return EQUAL
    return TRUE if _TRUTHS.fullmatch(last) else SOME
