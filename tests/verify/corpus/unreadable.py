"""Work that its judge cannot read: too deep, too large, too slow, or no text of its language."""

from verify.corpus.base import GOOD, Trick, conftest

# An interpreter takes it; whoever wants to write it out again gives up.
NUMBER = f"collect_ignore = 0x{'f' * 100_000}\n"
CHECK = ("gate._contents:unreadable",)


def unread(name, path, source, why):
    return Trick(
        name, GOOD | {path: source}, code="unreadable", says=f"{path} could not be read: {why}", checks=CHECK
    )


TRICKS = [
    unread("signs without end", "deep.py", f"x = {'-' * 100_000}1\n", "it "),
    unread("a sum without end", "deep.py", f"x = 1{' + 1' * 50_000}\n", "it "),
    unread("a number that is not written out", "docs/conftest.py", NUMBER, "ValueError"),
    unread(
        "tests in tests without end",
        "tests/a.test.js",
        "it('a', () => {" * 2_000 + "})" * 2_000,
        "it is nested",
    ),
    Trick(
        "a conftest that is no Python",
        GOOD | conftest("def f(:\n", folder="docs"),
        code="unreadable",
        says="docs/conftest.py cannot be parsed",
        checks=("runner_guard._python:unreadable",),
    ),
    Trick(
        "an older test that nobody can read",
        GOOD,
        tests=("tests/test_double.py", "tests/test_old.py"),
        start={"tests/test_old.py": f"{NUMBER}\n\ndef test_old():\n    pass\n"},
        code="unreadable",
        says="tests/test_old.py (ValueError",
        checks=("proving._read:unreadable", "proving.run>_read"),
    ),
]
