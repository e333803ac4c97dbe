import pytest

from autonomous_loop.verify.syntax import bodies, texts

SOURCES = {
    "t.py": "class TestA:\n    def test_a(self):\n        'It is so.'\n        assert f() == 3  # three\n",
    "a_test.go": "func TestA(t *testing.T) {\n\tif f() != 3 {\n\t\tt.Fatal()\n\t}\n}\n",
    "ATest.java": "class ATest {\n  @Test void a() {\n    assertEquals(3, f());\n  }\n}\n",
    "a.test.js": 'test("a", () => {\n  expect(f()).toBe(3)\n})\n',
}
NAMES = (("test_a(", "test_b("), ("TestA(", "TestB("), (" a()", " b()"), ('"a"', '"b"'))


@pytest.mark.parametrize("path", SOURCES)
def test_the_words_of_a_test_are_told_from_others_in_each_language_that_is_read(path):
    source = SOURCES[path].encode()
    was = texts(path, source)
    assert set(was) == set(bodies(path, source)) != set()
    assert texts(path, b"\n\n" + source) == was
    assert texts(path, source.replace(b"3", b"4")) != was


@pytest.mark.parametrize("path", SOURCES)
def test_a_name_is_no_part_of_the_words(path):
    renamed = SOURCES[path]
    for old, new in NAMES:
        renamed = renamed.replace(old, new)
    was, now = texts(path, SOURCES[path].encode()), texts(path, renamed.encode())
    assert list(was) != list(now)
    assert list(was.values()) == list(now.values())


def test_the_head_holds_arguments_and_decorators_but_no_rows():
    old = b"@pytest.mark.parametrize('a', [1, 2])\n@calm\ndef test_a(a): assert f(a)"
    new = b"@pytest.mark.parametrize('a', [1, 2, 3])\n@calm\ndef test_a(a):\n    assert f(a)"
    assert texts("t.py", old) == texts("t.py", new)
    assert texts("t.py", old) != texts("t.py", old.replace(b"@calm\n", b""))
    assert texts("t.py", old) != texts("t.py", old.replace(b"test_a(a)", b"test_a(a, b=1)"))


@pytest.mark.parametrize(
    ("path", "source"), [("t.py", b"def test_a(:"), ("t.txt", b"x"), ("a.test.js", b"test('a', (")]
)
def test_what_cannot_be_read_has_no_words(path, source):
    assert texts(path, source) == {}
    assert texts(path, None) == {}
