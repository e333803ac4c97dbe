import pytest

from autonomous_loop.verify.results.report import ReportError, count, read_report


def report(inner):
    return f'<testsuites><testsuite name="pytest">{inner}</testsuite></testsuites>'.encode()


def test_ids_are_the_runner_s_own():
    cases = read_report(
        report(
            '<testcase classname="tests.sub.test_a" name="test_x[a.b::c]" file="tests/sub/test_a.py"/>'
            '<testcase classname="tests.sub.test_a.TestK.TestL" name="test_m" file="tests/sub/test_a.py"/>'
            '<testcase classname="" name="tests.test_b" file="tests/test_b.py">'
            "<error message='x'>E   ModuleNotFoundError: No module named 'new.part'</error></testcase>"
            '<testcase classname="suite" name="adds"/>'
        )
    )
    assert [case.id for case in cases] == [
        "tests/sub/test_a.py::test_x[a.b::c]",
        "tests/sub/test_a.py::TestK::TestL::test_m",
        "tests/test_b.py",
        "suite::adds",
    ]
    assert cases[2].missing_modules == ("new.part",)
    assert cases[2].import_fault


def test_an_inherited_test_belongs_to_the_file_of_its_class():
    inherited = report(
        '<testcase classname="tests.test_cache.CacheTest" name="test_insert" file="tests/__init__.py"/>'
        '<testcase classname="tests.test_cache" name="test_own" file="tests/test_cache.py"/>'
    )
    cases = read_report(inherited, ["tests/__init__.py", "tests/test_cache.py"])
    assert [case.id for case in cases] == [
        "tests/test_cache.py::CacheTest::test_insert",
        "tests/test_cache.py::test_own",
    ]
    assert {case.file for case in cases} == {"tests/test_cache.py"}


def test_each_outcome_is_counted_and_a_failing_entry_wins():
    passed = '<testcase classname="t" name="a" file="t.py"/>'
    cases = read_report(
        report(
            passed
            + '<testcase classname="t" name="a" file="t.py"><error message="failed on teardown"/></testcase>'
            + passed
            + '<testcase classname="t" name="b" file="t.py"><failure message="no"/></testcase>'
            + '<testcase classname="t" name="c" file="t.py"><skipped type="pytest.xfail"/></testcase>'
            + '<testcase classname="t" name="d" file="t.py"/>'
        )
    )
    assert [(case.id, case.outcome) for case in cases] == [
        ("t.py::a", "error"),
        ("t.py::b", "failed"),
        ("t.py::c", "skipped"),
        ("t.py::d", "passed"),
    ]
    counts = count(cases)
    assert (counts.passed, counts.failed, counts.errors, counts.skipped, counts.executed) == (1, 1, 1, 1, 3)


@pytest.mark.parametrize(
    ("text", "is_import_fault"),
    [
        ("E   ImportError: cannot import name 'x' from 'y'", True),
        ("E     File 'x.py', line 1\nE   SyntaxError: invalid syntax", True),
        ("E   AttributeError: module 'calc' has no attribute 'double'", True),
        ("E   AttributeError: 'int' object has no attribute 'double'", False),
        (">   raises(ImportError)\nE   Failed: DID NOT RAISE", False),
        ("E   assert 1 == 2", False),
    ],
)
def test_a_fault_of_import_is_told_by_the_exception_alone(text, is_import_fault):
    inner = f'<testcase classname="t" name="a" file="t.py"><failure message="x">{text}</failure></testcase>'
    (case,) = read_report(report(inner.replace("> ", "&gt; ")))
    assert case.import_fault is is_import_fault


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<html/>",
        b"<!DOCTYPE a><testsuites/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><testsuites><testcase name="&b;"/></testsuites>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><testsuites>&b;</testsuites>',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_not_plain_junit_is_refused(data):
    with pytest.raises(ReportError):
        read_report(data)


def test_a_report_that_pytest_s_own_failure_cut_short_is_none():
    internal = (
        '<testcase classname="pytest" name="internal"><error message="internal error">Traceback\n'
        "RuntimeError: it broke</error></testcase>"
    )
    with pytest.raises(ReportError, match="internal error, its own or a plugin's: RuntimeError: it broke"):
        read_report(
            report('<testcase classname="tests.test_a" name="test_x" file="tests/test_a.py"/>' + internal)
        )
    assert read_report(report('<testcase classname="pytest" name="internal"/>'))  # a test of that name


def test_suites_in_suites_without_end_are_no_report():
    with pytest.raises(ReportError, match="suites in suites"):
        read_report(b"<testsuite>" * 20_000 + b"</testsuite>" * 20_000)
