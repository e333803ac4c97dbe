# ruff: noqa: E501 - sources of tests, one a line
"""What a test file holds outside of the tests that can be read one by one, and how it may not be loosened."""

import pytest

from autonomous_loop.verify.syntax import read_source, weakened

RUST = """
pub fn pair(a: u8) -> u8 { assert!(a > 0); a }
#[cfg(test)]
mod tests {
    macro_rules! check { ($s:expr => $w:expr) => { assert_eq!(pair($s), $w) } }
    fn same(a: u8) { assert_eq!(a, 1); }
    #[test]
    fn both() { check!(1 => 1); same(1); }
}
"""
LOOP = 'for (const n of ["a"]) test(n, () => {\n  expect(double(2)).toBe(4)\n})\n'
HELPER = "const check = (x) => { expect(x).toBe(4) }\ntest('a', () => { check(double(2)) })\n"
PYTHON = "def check(x):\n    assert x == 3\n\n\ndef test_a():\n    check(f())\n"
FIXTURE = "@pytest.fixture\ndef three():\n    assert f() == 3\n\n\ndef test_a(three):\n    assert three\n"
MAKER = "def make(n):\n    def test():\n        assert f(n) == 3\n    return test\n\n\ntest_a = make(1)\n"
GO = "package a\n\nfunc check(t *testing.T, a int) {\n\tif a != 4 {\n\t\tt.Fatal(a)\n\t}\n}\nfunc TestA(t *testing.T) { check(t, 4) }\n"
JAVA = "class ATest {\n void check(int a) { assertEquals(4, a); }\n @Test void a() { check(d(2)); } }\n"


def around(path, source):
    return read_source(path, source).around


def lost(path, old, new):
    was, now = around(path, old.encode()), around(path, new.encode())
    found = now.lost_since(was)
    return found.line if found else 0


@pytest.mark.parametrize(
    ("path", "old", "said", "instead", "line"),
    [
        ("src/lib.rs", RUST, "assert_eq!(pair($s), $w)", "assert!(pair($s) > 0)", 5),
        ("src/lib.rs", RUST, "assert_eq!(pair($s), $w)", "pair($s)", 5),
        ("src/lib.rs", RUST, "assert_eq!(a, 1);", "", 6),
        ("tests/a.test.js", LOOP, "toBe(4)", "toBeDefined()", 2),
        ("tests/a.test.js", LOOP, "expect(double(2)).toBe(4)", "double(2)", 2),
        ("tests/a.test.js", LOOP, "expect", "return\n expect", 2),
        ("tests/a.test.js", HELPER, "toBe(4)", "toBeTruthy()", 1),
        ("tests/test_a.py", PYTHON, "x == 3", "x", 1),
        ("tests/test_a.py", PYTHON, "assert x == 3", "pass", 1),
        ("tests/test_a.py", FIXTURE, "f() == 3", "f()", 2),
        ("tests/test_a.py", MAKER, "f(n) == 3", "f(n)", 1),
        ("a_test.go", GO, "a != 4", "a == 0", 5),
        ("a_test.go", GO, "t.Fatal(a)", "return", 5),
        ("ATest.java", JAVA, "assertEquals(4, a)", "assertNotNull(a)", 2),
        ("ATest.kt", JAVA, "assertEquals(4, a)", "assertNotNull(a)", 2),
    ],
)
def test_what_helps_tests_or_makes_them_may_not_say_less(path, old, said, instead, line):
    assert said in old
    assert lost(path, old, old.replace(said, instead)) == line
    assert lost(path, old, old) == 0


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("src/lib.rs", RUST, RUST.replace("assert!(a > 0);", "")),  # the code's own
        ("src/lib.rs", RUST, RUST.replace("check!(1 => 1);", "")),  # the test's own
        ("tests/test_a.py", PYTHON, PYTHON.replace("assert x == 3", "assert x == 3\n    assert x")),
        ("tests/test_a.py", PYTHON + "def unused():\n    assert 0\n", PYTHON),
        ("tests/a.test.js", LOOP, LOOP + "test('b', () => {})"),
        ("tests/a.test.js", LOOP, LOOP.replace('"a"', '"a", "b"')),
    ],
)
def test_other_changes_are_none_of_it(path, old, new):
    assert lost(path, old, new) == 0


@pytest.mark.parametrize(
    ("said", "instead", "altered"),
    [
        ("x == 3", "x == 3\n    assert x", False),
        ("assert", "x = 3\n    assert", True),
        ("x == 3", "x == 3\n    yield", True),
        ("def check", "async def check", True),
        ("def check", "@calm\ndef check", True),
        ("(x)", "(x=3)", True),
    ],
)
def test_what_stands_before_a_check_of_a_helper_decides_about_it_and_what_follows_does_not(
    said, instead, altered
):
    was, now = (
        around("tests/test_a.py", text.encode()) for text in (PYTHON, PYTHON.replace(said, instead, 1))
    )
    assert bool(now.altered_since(was)) == altered


@pytest.mark.parametrize(
    ("path", "text"), [("tests/a.bats", "a"), ("tests/test_a.py", "def"), ("a.test.js", "((")]
)
def test_what_cannot_be_read_says_so(path, text):
    assert around(path, text.encode()) is None


@pytest.mark.parametrize("path", ["tests/a.py", "a_test.go", "src/lib.rs", "A.java", "A.kt", "a.test.ts"])
def test_nothing_stands_in_an_empty_source(path):
    assert around(path, b"").strengths == ()


def test_what_stands_around_is_the_same_text_where_only_tests_were_added():
    def same(path, old, new):
        return around(path, old.encode()).text == around(path, new.encode()).text

    assert same("a.test.js", LOOP, LOOP + "\ntest('b', () => { expect(f()).toBe(1) })")
    assert not same("a.test.js", LOOP, LOOP.replace("double", "f"))
    assert same("src/lib.rs", RUST, RUST.replace("same(1)", "same(2)"))
    assert same("tests/test_a.py", PYTHON, PYTHON + "\n\ndef test_b():\n    pass\n")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("tests/a.rs", "#[test]\nfn a() { assert_eq!(d(2), 4); }", "#[test]\nfn a() { assert!(d(2) > 0); }"),
        ("tests/a.rs", "#[test]\nfn a() { assert_eq!(d(2), 4); }", "#[test]\nfn a() { assert_eq!(4, 4); }"),
        ("tests/a.rs", "#[test]\nfn a() { assert!(d(2)); }", "#[test]\nfn a() { assert!(d(2) || true); }"),
        ("tests/a.rs", "#[test]\nfn a() { assert!(d(2)); }", "#[test]\nfn a() { if false { assert!(d(2)); } }"),
        ("tests/a.rs", "#[test]\nfn a() { assert!(d(2)); }", "#[test]\nfn a() { let _x = || { assert!(d(2)); }; }"),
        ("a_test.go", "func TestA(t *testing.T) { if d(2) != 4 { t.Fatal(1) } }", "func TestA(t *testing.T) { if d(2) == 0 { t.Fatal(1) } }"),
        ("a_test.go", "func TestA(t *testing.T) { if d(2) != 4 { t.Fatal(1) } }", "func TestA(t *testing.T) { if false && d(2) != 4 { t.Fatal(1) } }"),
        ("a_test.go", "func TestA(t *testing.T) { if d(2) != 4 { t.Fatal(1) } }", "func TestA(t *testing.T) { if false { if d(2) != 4 { t.Fatal(1) } } }"),
        ("a_test.go", "func TestA(t *testing.T) { assert.Equal(t, 4, d(2)) }", "func TestA(t *testing.T) { assert.NotNil(t, d(2)) }"),
        ("ATest.java", "class A { @Test void a() { assertEquals(4, d(2)); } }", "class A { @Test void a() { assertNotNull(d(2)); } }"),
        ("ATest.java", "class A { @Test void a() { assertEquals(4, d(2)); } }", "class A { @Test void a() { assertTrue(d(2) > 0); } }"),
        ("ATest.java", "class A { @Test void a() { assertEquals(4, d(2)); } }", "class A { @Test void a() { if (false) { assertEquals(4, d(2)); } } }"),
        ("ATest.java", "class A { @Test void a() { assertEquals(4, d(2)); } }", "class A { @Test void a() { try { assertEquals(4, d(2)); } catch (Throwable e) { } } }"),
        ("ATest.java", "class A { @Test void a() { assertThat(d(2)).isEqualTo(4); } }", "class A { @Test void a() { assertThat(d(2)).isNotNull(); } }"),
        ("ATest.kt", "class A { @Test fun a() { assertEquals(4, d(2)) } }", "class A { @Test fun a() { assertTrue(true) } }"),
    ],
)  # fmt: skip
def test_a_looser_check_is_weaker_in_compiled_languages(path, old, new):
    assert weakened(path, old.encode(), new.encode()) == (["TestA"] if path.endswith(".go") else ["a"])
    assert weakened(path, old.encode(), old.encode()) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("tests/a.rs", "#[test]\nfn a() { assert!(d(2) == 4); }", "#[test]\nfn a() { assert_eq!(d(2), 4); }"),
        ("a_test.go", "func TestA(t *testing.T) { if d(2) != 4 { t.Fatal(1) } }", "func TestA(t *testing.T) { assert.Equal(t, 4, d(2)) }"),
        ("ATest.java", "class A { @Test void a() { assertTrue(d(2) == 4); } }", "class A { @Test void a() { assertEquals(4, d(2)); } }"),
        ("ATest.java", "class A { @Test void a() { assertEquals(4, d(2)); } }", "class A { @Test void a() { assertThat(d(2)).isEqualTo(4); } }"),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_not_weaker(path, old, new):
    assert weakened(path, old.encode(), new.encode()) == []
