"""The words of JavaScript's tests, so that one that nobody touched, or that was only renamed, is told."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.verify.syntax.javascript import Tests
from autonomous_loop.verify.syntax.javascript_tokens import Token


def texts(tests: Tests, words: Sequence[Token]) -> dict[str, tuple[str, ...]]:
    """Tests by `describe::name`: nothing, then the words of each call but for its title and its end.

    Args:
        words: of the file.
    """
    made: dict[str, list[str]] = {}
    known: dict[str, str] = {}  # each word is kept once
    for one in tests.found:
        start, end = one.place
        said = [
            f"{word.kind} {word.text}"
            for word in (*words[start : one.title], *words[one.title + 1 : end - 1])
        ]
        if said[-1] == "punctuation }":
            said.pop()
        made.setdefault(one.name, [""]).extend(known.setdefault(word, word) for word in said)
    return {name: tuple(said) for name, said in made.items()}
