"""`test.only` and its like, in what is read of a file."""

import pytest

from autonomous_loop.verify.rules.focused_tests import refuse_focus


def said(new, old="", path="test/add.test.js"):
    return [one.text.partition(": left so")[0] for one in refuse_focus(path, old.encode(), new.encode())]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('test.only("a", () => {});', "test.only"),
        ('it . only("a", () => {});', "it.only"),
        ('describe.only("a", () => {});', "describe.only"),
        ('test.describe.only("a", () => {});', "test.describe.only"),
        ('test.describe.parallel.only("a", () => {});', "test.describe.parallel.only"),
        ('test.only.each([1])("a", () => {});', "test.only"),
        ('it.concurrent.only.each`a`("a", () => {});', "it.concurrent.only"),
        ('describe.only.each`a`("a", () => {});', "describe.only"),
        ("it.only`a`;", "it.only"),
        ('fit("a", () => {});', "fit"),
        ('fdescribe("a", () => {});', "fdescribe"),
        ('test("a", { timeout: 3, only: true }, () => {});', "only: true"),
        ("test('a', { 'only': true }, () => {});", "only: true"),
    ],
)
def test_a_left_over_focus_is_named_with_its_line(line, named):
    source = f"// test.only is not for keeps, nor fit()\nconst x = 'it.only(';\n\n{line}\n"
    assert said(source) == [f"`{named}` at test/add.test.js:4"]


@pytest.mark.parametrize(
    "line",
    [
        '// test.only("a")',
        '/* describe.only("a") */',
        "const text = `it.only(1)`;",
        'query.only("a");',
        "fitted(1);",
        "box.fit(1);",
        "const options = { only: true };",
        'select("a", { fields: { only: true } });',
        'test("a", { only: false }, () => {});',
        "function fit(a) {}",
        "test.only;",
    ],
)
def test_other_words_are_left_alone(line):
    assert said(line) == []


def test_one_that_was_there_before_is_no_news_and_one_more_is():
    one = 'it.only("a", () => {});\n'
    assert said(one, one) == []
    assert said("\n" + one, one) == []
    assert said(one + one.replace('"a"', '"b"'), one) == [
        "`it.only` at test/add.test.js:1, `it.only` at test/add.test.js:2"
    ]


def test_other_languages_are_left_alone():
    assert said('it.only("a")', path="tests/test_a.py") == []
