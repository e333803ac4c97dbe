"""How often sources are read, counted: time is for benchmarks."""

import ast
from collections import Counter

import pytest

from autonomous_loop.verify.syntax import (
    asserts_nothing,
    awareness,
    bodies,
    controls,
    read_ahead,
    read_source,
    reading,
    stand_ins,
    titles,
    weakened,
)
from autonomous_loop.verify.syntax.javascript import _Reader

MANY = 300
PYTHON = "".join(
    f"def test_f{n}(a, b=None):\n    x{n} = a\n    assert x{n} == b\n" for n in range(MANY)
).encode()


@pytest.fixture(autouse=True)
def nothing_known():
    reading.forget()


@pytest.fixture
def done(monkeypatch):
    """How often each of these was called."""
    counted = Counter()

    def count(owner, name):
        real = getattr(owner, name)

        def counting(*arguments, **options):
            counted[name] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(owner, name, counting)

    for name in ("parse", "unparse", "dump", "walk"):
        count(ast, name)
    count(_Reader, "_call")
    return counted


def test_a_file_is_parsed_once_whatever_is_asked_of_it_and_for_however_many_tests(done):
    loose = PYTHON.replace(b"x0 == b", b"x0")
    assert weakened("tests/test_a.py", PYTHON, loose) == ["test_f0"]
    for name in bodies("tests/test_a.py", PYTHON):
        assert not asserts_nothing("tests/test_a.py", PYTHON, f"tests/test_a.py::{name}")
        assert stand_ins("tests/test_a.py", PYTHON, f"tests/test_a.py::{name}") == []
    assert controls("tests/test_a.py", PYTHON) == awareness("tests/test_a.py", PYTHON) == ()
    assert done["parse"] == 2


def test_a_conftest_is_told_from_another_file_with_its_content():
    source = b"from other import *\n"
    assert controls("tests/helpers.py", source) == ()
    assert [one.name for one in controls("tests/conftest.py", source)] == ["from other import *"]


@pytest.mark.parametrize(
    "line",
    [
        "x{n} = y",
        "def f{n}(): x = y",
        "def pytest_runtest_f{n}(): pass",
        "pytest_runtest_f{n} = y",
        "collect_ignore = [y]",
        "from m import pytest_runtest_f{n}",
        "x{n} = a.b.c.find(y)",
        "def test_f{n}(monkeypatch): monkeypatch.setattr(m, 'a', m.b(1))",
        "def test_f{n}(): check(a).b(c).d(e)",
    ],
)
def test_the_work_of_reading_python_grows_with_the_file_and_no_faster(done, line):
    """Four times the lines: four times the work, whatever stands in them."""
    work = []
    for lines in (50, 200):
        done.clear()
        read_source("a.py", "".join(f"{line.format(n=n)}\n" for n in range(lines)).encode())
        work.append(sum(done.values()))
    assert work[1] <= 4.2 * work[0], work


def test_one_long_import_is_read_once_too(done):
    work = []
    for names in (50, 200):
        done.clear()
        listed = ", ".join(f"pytest_runtest_f{n}" for n in range(names))
        assert len(read_source("a.py", f"from m import {listed}".encode()).controls) == names
        work.append(sum(done.values()))
    assert work[0] == work[1]


@pytest.mark.parametrize(
    "test",
    [
        "it('t{n}', () => {{ expect(f({n})).toBe({n}); }});",
        "describe('d{n}', () => {{ it('t', () => {{ assert(check(f({n}))); }}); }});",
        "it.each([[{n}, 2]])('t{n} %i', (a, b) => {{ expect(a).toBe(b); }});",
    ],
)
def test_the_work_of_reading_javascript_grows_with_the_file_and_no_faster(done, test):
    work = []
    for tests in (50, 200):
        done.clear()
        source = "\n".join(test.format(n=n) for n in range(tests)).encode()
        assert len(bodies("a.test.js", source)) == tests
        work.append(done["_call"])
    assert work[1] <= 4.2 * work[0], work


def test_a_name_of_a_table_is_found_without_trying_each_of_them(monkeypatch):
    """Names that run are told by how they begin; of two that fit, the first in the file is meant."""
    from autonomous_loop.verify.syntax import javascript  # noqa: PLC0415

    tried = []
    real = javascript._goes_on
    monkeypatch.setattr(javascript, "_goes_on", lambda *given: tried.append(1) or real(*given))
    source = "".join(f"it.each([1])('t{n} %i end', () => {{}});" for n in range(MANY))
    found = titles("a.test.js", (source + "it.each([1])('t7 %s', () => {});").encode())
    varies = "\N{HORIZONTAL ELLIPSIS}"
    for n in range(MANY):
        assert found.id_of([f"t{n} 1 end"]) == f"t{n} {varies} end[t{n} 1 end]"
    assert found.id_of(["t7 1"]) == f"t7 {varies}[t7 1]"
    assert found.id_of(["t7 end"]) == f"t7 {varies}[t7 end]"
    assert len(tried) <= MANY + 5


async def test_what_was_read_ahead_is_not_read_again_and_not_here(done):
    files = [
        ("a.py", PYTHON),
        ("b.py", PYTHON),
        ("a.md", PYTHON),
        ("gone.py", None),
        ("a.test.js", b"it('a')"),
    ]
    await read_ahead(files)
    assert done["parse"] == done["_call"] == 0
    assert len(bodies("a.py", PYTHON)) == len(bodies("b.py", PYTHON)) == MANY
    assert list(bodies("a.test.js", b"it('a')")) == ["a"]
    assert done["parse"] == done["_call"] == 0


@pytest.mark.parametrize(
    ("path", "source", "why"),
    [
        ("a.py", b"-" * 100_000 + b"1", "nested too deeply"),
        ("a.py", b"def test_a():\n    assert f() == 'a'" + b" + 'b'" * 20_000, "nested too deeply"),
        ("conftest.py", b"collect_ignore = 0x" + b"f" * 200_000, "ValueError"),
        ("a.test.js", b"it('a', () => {" * 2_000 + b"})" * 2_000, "nested too deeply"),
        ("a.rs", b"mod a {" * 2_000, "nested too deeply"),
    ],
)
async def test_what_is_more_than_a_reader_bears_is_said_to_be_unread(path, source, why):
    assert why in read_source(path, source).unread
    assert bodies(path, source) == {}
    reading.forget()
    await read_ahead([(path, source)])
    assert why in read_source(path, source).unread


async def test_a_long_chain_or_sum_is_no_hostility():
    source = b"def test_a():\n    assert f() == 'a'" + b" + 'b'" * 900 + b"\n    check" + b".f()" * 900
    await read_ahead([("a.py", source)])
    assert bodies("a.py", source)["test_a"].checks == 901


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.py", b"def f(:"),
        ("a.py", b"(" * 100_000),
        ("a.py", b"x = 1\0"),
        ("a.py", b"# coding: no-such\n"),
        ("a.test.js", b"("),
    ],
)
def test_what_is_no_text_of_its_language_is_at_fault(path, source):
    found = read_source(path, source)
    assert found.fault
    assert not found.unread


async def test_large_sources_are_read_side_by_side_and_none_is_taken_for_another(monkeypatch):
    asked = []
    real = reading.apart

    async def apart(calls):
        asked.append(len(calls))
        return await real(calls)

    monkeypatch.setattr(reading, "apart", apart)
    monkeypatch.setattr(reading, "SIDE_BY_SIDE", 10)
    sources = {f"tests/test_{n}.py": f"def test_{n}():\n    assert {n}\n".encode() for n in range(3)}
    await read_ahead(sources.items())
    assert sorted(asked) == [1, 2]
    monkeypatch.setattr(reading, "attempt", None)  # nothing is read here any more
    for n, (path, source) in enumerate(sources.items()):
        assert list(read_source(path, source).bodies) == [f"test_{n}"]
