"""What reading sources costs: 10,000 lines of each language, a quarter of them beside it, and hostile text.

Seconds of this process's CPU, so that a busy machine changes little; the ratio of the two sizes says whether
the time grows with the file alone (4) or faster.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

from autonomous_loop.verify.results.report import ReportError, read_report
from autonomous_loop.verify.results.wording import Wording, without_canary
from autonomous_loop.verify.secret_scan import secret_kinds
from autonomous_loop.verify.syntax.source_file import look_at

LINES = 10_000
TESTS: Mapping[str, str] = {
    ".py": """def test_{n}(page, monkeypatch):
    x = a.find('b').c()
    y = x if x else [{n}, 2]
    assert f(x) == y
    with pytest.raises(ValueError):
        check(x, y)


""",
    ".js": """describe('d{n}', () => {{
  it('t {n}', async ({{ page }}) => {{
    const x = /a[/]b/.test(`${{n}}`);
    // says nothing
    expect(await f(x, {n})).toBe('y');
  }});
}});

""",
    ".go": """func Test{n}(t *testing.T) {{
    got := f({n})
    if got != "x" {{
        t.Errorf(`no %s`, got)
    }}
}}

""",
    ".rs": """#[test]
#[cfg(feature = "a")]
fn t{n}() {{
    let x = f({n}); // y
    assert_eq!(x, 'y');
}}

""",
    ".java": """    @Test
    @DisplayName("x")
    void t{n}() throws Exception {{
        var x = f({n});
        assertEquals(x, 'y');
    }}

""",
}
CODE = "def f{n}(a, b=None):\n    x{n} = a\n    y{n} = x{n} if b is None else b\n    return y{n}\n"
# Repeated over and over, each sent a reader to its file's end and back for every one of them.
HOSTILE: Mapping[str, tuple[str, str]] = {
    "hooks": (".py", "pytest_runtest_x = collect_ignore = y\n"),
    "Rust's attributes": (".rs", "#[a["),
    "Rust's functions": (".rs", "fn a "),
    "Java's annotations": (".java", "@A "),
    "Java's comments": (".java", "/* "),
}


def measured(lines: int = LINES) -> list[dict[str, Any]]:
    """A row for each language and each hostile text."""
    said = Wording("/work", "/tmp")
    reads: dict[str, Callable[[int], object]] = {
        **{f"tests, {kind}": _tests(kind, text) for kind, text in TESTS.items()},
        "code, .py": lambda count: look_at(".py", _text(CODE, count // 4)),
        "secrets": lambda count: secret_kinds([f"    x{n} = 'a{n}'" for n in range(count)]),
        "JUnit report, tests": lambda count: read_report(_report(count)),
        **{f"hostile: {name}": _hostile(kind, text) for name, (kind, text) in HOSTILE.items()},
        "hostile: suites in suites": _nested,
        "hostile: an output's path": lambda count: said.plain("/a" * count + "/pytest-of-x"),
        "hostile: an output's counts": lambda count: without_canary("1" + " 11" * count, "x"),
    }
    return [_row(name, read, lines) for name, read in reads.items()]


def _row(name: str, read: Callable[[int], object], lines: int) -> dict[str, Any]:
    least = {count: min(_seconds(read, count) for _ in range(3)) for count in (lines // 4, lines)}
    return {
        "name": name,
        "quarter_s": round(least[lines // 4], 3),
        "whole_s": round(least[lines], 3),
        "ratio": round(least[lines] / max(least[lines // 4], 0.001), 1),
    }


def _seconds(read: Callable[[int], object], count: int) -> float:
    gc.collect()
    gc.disable()  # as in the process that reads
    began = time.process_time()
    read(count)
    ended = time.process_time()
    gc.enable()
    return ended - began


def _text(template: str, count: int) -> bytes:
    return "".join(template.format(n=n) for n in range(count)).encode()


def _tests(kind: str, template: str) -> Callable[[int], object]:
    def read(lines: int) -> None:
        tests = lines // template.count("\n")
        found = look_at(kind, _text(template, tests))
        if len(found.bodies) != tests:
            raise SystemExit(f"{kind}: {len(found.bodies)} tests of {tests} were read")

    return read


def _hostile(kind: str, text: str) -> Callable[[int], object]:
    return lambda count: look_at(kind, (text * count).encode())


def _report(count: int) -> bytes:
    case = '<testcase file="tests/test_a.py" classname="tests.test_a" name="test_{}" time="0.1"/>'
    return f"<testsuite>{''.join(case.format(n) for n in range(count))}</testsuite>".encode()


def _nested(count: int) -> None:
    try:
        read_report(b"<testsuite>" * count + b"</testsuite>" * count)
    except ReportError:
        return
