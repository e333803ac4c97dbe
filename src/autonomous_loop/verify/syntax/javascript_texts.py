"""Returns the words of JavaScript tests, so that untouched and merely renamed tests are recognised."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.verify.syntax.javascript import Tests
from autonomous_loop.verify.syntax.javascript_tokens import Token


def texts(tests: Tests, words: Sequence[Token]) -> dict[str, tuple[str, ...]]:
    """Return tests by `describe::name`: an empty head, then each call's words without its title and end.

    Args:
        words: the file's words.
    """
    made: dict[str, list[str]] = {}
    known: dict[str, str] = {}  # keeps each word only once
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
