"""Whether a file holds tests is asked where none ran: who cannot tell does not say no."""

import pytest

from autonomous_loop.verify.syntax import holds_tests

HELPERS = "def helper():\n    return 1\n"
UNREADABLE = f"x = 0x{'f' * 100_000}\n"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tests/test_a.py", "def test_a():\n    assert f()\n"),
        ("tests/test_a.py", "class TestA(Base):\n    pass\n"),
        ("tests/test_a.py", "test_add = adding(1, 2)\n"),
        ("tests/test_a.py", UNREADABLE),
        ("a.test.js", "for (const n of names) test(n, () => {})\n"),
        ("a.test.js", "describe.each(names)('%s', () => {})\n"),
        ("a.test.jsx", "(\n"),
        ("tests/a.rs", "#[tokio::test]\nasync fn a() {}\n"),
        ("tests/a.rs", "macro_rules! make { ($n:ident) => { #[test] fn $n() {} } }\n"),
        ("ATest.java", "class ATest { @TestFactory Stream<DynamicTest> a() { return b(); } }\n"),
        ("tests/a.bats", "@test 'a' { true; }\n"),
    ],
)
def test_a_file_that_may_hold_tests_holds_some(path, source):
    assert holds_tests(path, source.encode())


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tests/test_a.py", HELPERS),
        ("tests/test_a.py", ""),
        ("tests/test_a.py", "# tests come later\n"),
        ("a.test.js", "export const digits = (text) => /\\d/.test(text)\n"),
        ("tests/a.rs", "fn helper() {}\n"),
        ("tests/a.bats", "\n"),
    ],
)
def test_helpers_and_empty_files_hold_none(path, source):
    assert not holds_tests(path, source.encode())


def test_a_file_that_is_not_there_holds_none():
    assert not holds_tests("tests/a.bats", None)
