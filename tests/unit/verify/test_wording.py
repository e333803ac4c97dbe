from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import EXCERPT, Wording, listed, without_canary

WORDING = Wording("/tmp/loop-x/hands/work", "/tmp/loop-x/hands/tmp")


def test_what_varies_from_run_to_run_is_left_out():
    one = "/tmp/loop-x/hands/work/a.py:3: <Foo object at 0x7f256de0c490> in 1.32s at http://127.0.0.1:43211/x"
    other = (
        "/tmp/loop-x/hands/work/a.py:3: <Foo object at 0x7f0000000000> in 0.98s at http://127.0.0.1:50000/x"
    )
    assert (
        WORDING.plain(one)
        == WORDING.plain(other)
        == ("a.py:3: <Foo object at 0x...> in <duration> at http://127.0.0.1:<port>/x")
    )
    assert WORDING.plain("cwd /tmp/loop-x/hands/work") == "cwd ."
    assert WORDING.plain("/tmp/loop-x/hands/tmp/pytest-of-hands/pytest-12/test_a0/db") == "<tmp>/test_a0/db"
    assert WORDING.plain("2026-01-02T03:04:05.123Z pid 77") == "<time> pid <n>"


def test_an_excerpt_is_the_end_in_whole_lines():
    text = "\n".join(f"line {number}" for number in range(10_000))
    tail = WORDING.tail(text)
    assert len(tail) <= EXCERPT
    assert tail.startswith("line ")
    assert tail.endswith("line 9999")


def test_failing_tests_are_shown_in_a_fixed_order_and_number():
    cases = [Case(f"t.py::{name}", "t.py", "failed", f"says {name}", "E   why") for name in "dcba"]
    shown = WORDING.failures([*cases, Case("t.py::ok", "t.py", "passed")], most=3)
    assert [line for line in shown.splitlines() if line.startswith("-")] == [
        "- t.py::a: says a",
        "- t.py::b: says b",
        "- t.py::c: says c",
    ]
    assert shown.endswith("... and 1 more")
    assert "ok" not in shown


def test_the_canary_is_not_in_what_people_read():
    output = """..F
=================================== FAILURES ===================================
____________________________ Testabc123.test_abc123 ____________________________
tests/test_abc123.py:6: in test_abc123
    self.fail("abc123")
E   AssertionError: abc123
_________________________________ test_mine ____________________________________
E   assert 1 == 2
=========================== short test summary info ============================
FAILED tests/test_abc123.py::Testabc123::test_abc123 - AssertionError: abc123
FAILED tests/test_mine.py::test_mine - assert 1 == 2
2 failed, 1 passed in 0.21s
"""
    shown = without_canary(output, "abc123")
    assert "abc123" not in shown
    assert "AssertionError" not in shown
    assert "2 failed" not in shown
    assert "E   assert 1 == 2" in shown
    assert "FAILED tests/test_mine.py::test_mine" in shown


def test_long_lists_of_ids_are_cut():
    assert listed(["b", "a"]) == "a, b"
    assert listed([str(one) for one in range(30)], most=2).endswith(" and 28 more")


def test_lines_made_to_be_tried_in_many_ways_are_read_in_one():
    """Each of these kept a pattern busy for longer than anybody waits."""
    assert without_canary("1" + " 11" * 5_000, "abc") == "1" + " 11" * 5_000
    text = "x" + "/a" * 50_000 + "/pytest-of-me/pytest-1/b" * 3 + "/pytest-of-x"
    assert Wording("/work", "/tmp/hands").plain(text) == "x<tmp><tmp><tmp>/b/pytest-of-x"
