"""What the source of a test says in Go, Rust and Java."""

from textwrap import dedent

import pytest

from autonomous_loop.verify.syntax import asserts_nothing, bodies, examples, weakened


def of(path: str, text: str):
    return {name: (body.checks, body.excuses) for name, body in bodies(path, dedent(text).encode()).items()}


def test_checks_and_excuses_of_go_are_counted_in_code_alone():
    found = of(
        "x_test.go",
        """
        package x

        // TestNothing says t.Fatal("}") only in words.
        func TestNothing(t *testing.T) { _ = "t.Fatal()" }

        func TestTwo(t *testing.T) {
        \tif Double(1) != 2 {
        \t\tt.Errorf("} is no end: %d", Double(1))
        \t}
        \trequire.Equal(t, 4, Double(2))
        }

        func TestLater(t *testing.T) {
        \tt.Skip("later")
        \tt.Fatal()
        }

        func ExampleDouble() {
        \tfmt.Println(Double(2))
        \t// Output: 4
        }

        func helper() { t.Fatal() }
        """,
    )
    assert found == {"TestNothing": (0, 0), "TestTwo": (2, 0), "TestLater": (1, 1), "ExampleDouble": (1, 0)}


def test_a_build_tag_excuses_every_test_of_a_go_file():
    test = "package x\n\nfunc TestA(t *testing.T) { t.Fatal() }\n"
    assert weakened("x_test.go", test.encode(), f"//go:build slow\n\n{test}".encode()) == ["TestA"]


def test_what_stands_behind_an_early_return_checks_nothing():
    early = b"func TestA(t *testing.T) {\n\tif cond {\n\t\treturn\n\t}\n\treturn\n\tt.Fatal()\n}\n"
    assert asserts_nothing("x_test.go", early, "x_test.go::TestA")
    assert not asserts_nothing("x_test.go", early.replace(b"\treturn\n\tt.", b"\tt."), "x_test.go::TestA")
    assert asserts_nothing("x_test.go", early, "x_test.go::TestA/part")


RUST = """
pub fn add(a: i32) -> i32 { assert!(a > 0); a }

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() { assert_eq!(1, 1); }

    #[test]
    fn empty() { let _ = add(1); }

    #[test]
    #[ignore = "slow"]
    fn ignored() { assert_eq!(add(1), 1, "quoted }"); }

    #[test]
    #[should_panic(expected = "x")]
    fn panics() { add(0); }

    mod deeper {
        #[tokio::test]
        async fn raw() { let s = r#"assert!("}")"#; assert!(s.len() > 'a' as usize); }

        #[test]
        fn lifetimes<'a>() -> Result<(), String> { try_it()?; Ok(()) }
    }
}
"""


def test_tests_inside_a_rust_source_are_named_by_their_modules():
    assert of("src/lib.rs", RUST) == {
        "tests::empty": (0, 0),
        "tests::ignored": (1, 1),
        "tests::panics": (1, 1),
        "tests::deeper::raw": (1, 0),
        "tests::deeper::lifetimes": (1, 0),
    }


def test_an_ignored_rust_test_is_weaker_than_it_was():
    plain = RUST.replace('    #[ignore = "slow"]\n', "")
    assert weakened("src/lib.rs", plain.encode(), RUST.encode()) == ["tests::ignored"]
    assert not weakened("src/lib.rs", plain.encode(), plain.encode())


def test_documentation_of_rust_is_told_from_comments():
    assert examples("src/lib.rs", b"// no\n/// yes\n    //! inner\nfn a() {}\n") == ("/// yes", "//! inner")
    assert examples("x.py", b"/// no\n") == ()


def test_checks_and_excuses_of_java():
    found = of(
        "FooTest.java",
        """
        class FooTest {
            @Test void empty() { Foo.bar(); /* assertTrue */ }
            @Test @DisplayName("a (b)") void one() { assertEquals("}", Foo.bar()); }
            @Test(expected = IllegalStateException.class) public void thrown() { Foo.bar(); }
            @Disabled @Test void off() { assertTrue(true); }
            @Nested class Inner {
                @ParameterizedTest @ValueSource(ints = {1, 2})
                void many(int a) { assumeTrue(a > 1); assertThat(a); }
            }
            void assertAll() { fail(); }
        }
        """,
    )
    assert found == {"empty": (0, 0), "one": (1, 0), "thrown": (1, 0), "off": (1, 1), "many": (1, 1)}


@pytest.mark.parametrize("path", ["x_test.go", "src/lib.rs", "FooTest.java"])
def test_a_source_that_ends_in_the_middle_is_read_as_far_as_it_goes(path):
    for text in (b"", b"\xff\xfe{", b"func TestA(t *testing.T) {", b"#[test]\nfn a() {", b"@Test void a() {"):
        bodies(path, text)
