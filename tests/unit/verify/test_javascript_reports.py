"""Reports and errors as the real runners wrote them."""

import json

import pytest

from autonomous_loop.verify.comparison import third_party
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.verify.results.report import ReportError
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.runners.javascript_reports import make_case, unloadable
from autonomous_loop.verify.runners.jest import Jest
from autonomous_loop.verify.runners.mocha import Mocha
from autonomous_loop.verify.runners.node_test import NodeTest
from autonomous_loop.verify.runners.playwright import Playwright
from autonomous_loop.verify.runners.vitest import Vitest


class FakeTrees:
    """Paths and texts of one tree."""

    def __init__(self, files):
        self._files = files

    def paths(self, tree):
        return sorted(self._files)

    def read(self, tree, path):
        text = self._files.get(path)
        return None if text is None else text.encode()


def facts_of(files):
    return TreeFacts(FakeTrees(files)).of("tree")


def read(runner, report, files, folder=""):
    data = report if isinstance(report, bytes) else json.dumps(report).encode()
    step = Step(runner, runner.command, folder)
    return {case.id: case for case in runner.read({"report": data}, facts_of(files), step)}


def assertion(title, status="passed", *above, said=()):
    return {"ancestorTitles": list(above), "title": title, "status": status, "failureMessages": list(said)}


def of_jest(*files):
    return {
        "testResults": [
            {
                "name": f"/hands/work/{name}",
                "status": status,
                "message": message,
                "assertionResults": list(tests),
            }
            for name, status, message, tests in files
        ]
    }


def test_a_report_of_jest_gives_cases_by_file_and_titles():
    tests = [
        assertion("adds", "passed", "calc"),
        assertion("adds", "failed", "calc", said=["Error: twice\n    at x"]),
        assertion("waits", "pending"),
        assertion("later", "todo"),
        assertion("of 1", "passed"),
    ]
    source = "describe('calc', () => { it('adds') }); it.each([1])('of %i', () => {});"
    cases = read(Jest(), of_jest(("tests/a.test.js", "failed", "", tests)), {"tests/a.test.js": source})
    assert {one: case.outcome for one, case in cases.items()} == {
        "tests/a.test.js::calc::adds": "failed",
        "tests/a.test.js::waits": "skipped",
        "tests/a.test.js::later": "skipped",
        "tests/a.test.js::of \N{HORIZONTAL ELLIPSIS}[of 1]": "passed",
    }
    assert cases["tests/a.test.js::calc::adds"].message == "Error: twice"


def test_a_file_that_older_vitests_name_by_nothing_is_no_suite():
    source = "it('adds'); describe('', () => { it('waits') });"
    report = of_jest(
        ("a.test.js", "passed", "", [assertion("adds", "passed", ""), assertion("waits", "passed", "")])
    )
    assert list(read(Vitest(), report, {"a.test.js": source})) == ["a.test.js::adds", "a.test.js::::waits"]


def test_files_of_a_package_are_told_as_its_command_sees_them():
    report = of_jest(
        ("packages/a/tests/a.test.js", "passed", "", [assertion("adds")]),
        ("packages/a/tests/word.test.js", "failed", "", [assertion("word", "failed")]),
    )
    files = {"packages/a/tests/a.test.js": "", "tests/a.test.js": ""}
    assert list(read(Vitest("packages/a"), report, files, "packages/a")) == [
        "tests/a.test.js::adds",
        "tests/word.test.js::word",
    ]
    assert next(iter(read(Vitest(), report, files))) == "packages/a/tests/a.test.js::adds"


def test_a_test_that_is_expected_to_fail_shows_nothing():
    files = {"a.test.js": "it.failing('a', () => {}); it('b', () => {});"}
    cases = read(Jest(), of_jest(("a.test.js", "passed", "", [assertion("a"), assertion("b")])), files)
    assert [case.outcome for case in cases.values()] == ["skipped", "passed"]


JEST_NO_MODULE = (
    "  \u25cf Test suite failed to run\n\n    Cannot find module '../src/nope' from 'tests/b.test.js'\n\n"
    "    \x1b[0m\x1b[31m\x1b[1m>\x1b[22m\x1b[39m\x1b[90m1 |\x1b[m t \"Cannot find module 'left-behind'\";\n"
    "     \x1b[90m   |\x1b[39m           ^\n\n      at Resolver._throwModNotFoundError (x.js:1:1)\n"
)


def test_a_file_that_cannot_be_loaded_is_a_case_of_its_own():
    cases = read(Jest(), of_jest(("b.test.js", "failed", JEST_NO_MODULE, [])), {"b.test.js": ""})
    (case,) = cases.values()
    assert (case.id, case.outcome, case.import_fault) == ("b.test.js", "error", True)
    assert case.message == "Cannot find module '../src/nope' from 'tests/b.test.js'"
    assert case.missing_modules == ()


@pytest.mark.parametrize(
    ("said", "imports", "missing"),
    [
        ("Cannot find module '../src/nope' imported from /project/tests/b.test.js", True, ()),
        ("Cannot find package 'lodash/fp' imported from /project/tests/c.test.js", True, ("lodash",)),
        ("Error: Cannot find package '@nobody/left/sub' imported from /x\n at y", True, ("@nobody/left",)),
        ("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'a.b' imported from /x", True, ("a.b",)),
        ("Error: Cannot find module '@/src/alias'\nRequire stack:\n- /x.js", True, ()),
        ('Error: Failed to resolve import "lodash" from "c.test.ts". Does it exist?', True, ("lodash",)),
        ("SyntaxError: The requested module './calc.js' does not provide an export named 'double'", True, ()),
        ("SyntaxError: Unexpected token ')'", True, ()),
        ("src/a.ts(1,10): error TS2305: Module '\"./x\"' has no exported member 'y'.", True, ()),
        ("src/a.ts(1,10): error TS2307: Cannot find module 'lodash' or its declarations.", True, ("lodash",)),
        ("Transform failed with 1 error:\n\n[PARSE_ERROR] Unexpected token", True, ()),
        ("Jest encountered an unexpected token\n\nJest failed to parse a file.", True, ()),
        ("TypeError: (0 , __vite_ssr_import_1__.miss) is not a function\n    at x", True, ()),
        ("TypeError: stack.peek is not a function\n    at x", False, ()),
        ("SyntaxError: Unexpected token } in JSON at position 3", False, ()),
        ("SyntaxError: Unexpected end of JSON input", False, ()),
        ("AssertionError: expected 'Cannot find module \\'x\\'' to be ''", False, ()),
        ("Error: expect(received).toBe(expected)\n\nExpected: 4\nReceived: 3", False, ()),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_told_from_what_is_wrong(said, imports, missing):
    case = make_case("tests/a.test.ts", "a", "failed", said)
    assert (case.import_fault, case.missing_modules) == (imports, missing)


def test_what_is_not_there_when_it_is_used_is_a_fault_of_the_interface():
    said = ["TypeError: stack.peek is not a function\n at x", "ReferenceError: double is not defined\n at x"]
    assert all(make_case("a.test.js", "a", "failed", one).interface_fault for one in said)
    assert not make_case("a.test.js", "a", "failed", "TypeError: x is null").interface_fault


def test_a_package_of_the_project_itself_is_not_third_party():
    paths = ["packages/core/index.js", "package.json"]
    assert third_party(["@calc/core", "@calc/other", "core"], paths) == ["@calc/other"]


def test_a_compiler_that_ends_the_run_says_why():
    output = (
        "\x1b[1m> tsc\x1b[0m\nsrc/a.ts(1,10): error TS2305: Module '\"./x\"' has no exported member 'y'.\n"
    )
    assert unloadable(output) == "src/a.ts(1,10): error TS2305: Module '\"./x\"' has no exported member 'y'."
    assert unloadable("vitest: command not found") == ""


def node_event(name, *above, **keys):
    event = {
        "file": "/hands/work/tests/a.test.js", "names": [*above, name], "passed": True, "suite": False,
        "excused": False, "failure": "", "error": "", "output": "",
    }  # fmt: skip
    return json.dumps({**event, **keys}).encode() + b"\n"


def test_a_file_of_node_that_only_ended_well_is_no_test():
    alone = node_event("/hands/work/tests/a.test.js")
    assert read(NodeTest(), alone, {"tests/a.test.js": ""}) == {}
    failing = {"passed": False, "failure": "testCodeFailure", "error": "test failed"}
    output = "node:internal\nError [ERR_MODULE_NOT_FOUND]: Cannot find package 'left' imported from x\n  at y"
    (case,) = read(
        NodeTest(),
        node_event("/hands/work/tests/a.test.js", **failing, output=output),
        {"tests/a.test.js": ""},
    ).values()
    assert (case.id, case.outcome, case.missing_modules) == ("tests/a.test.js", "error", ("left",))


def test_a_suite_of_node_stands_for_nothing_but_its_tests():
    report = (
        node_event("works", "suite")
        + node_event("suite", suite=True)
        + node_event("parent", passed=False, failure="subtestsFailed")
        + node_event("later", excused=True, passed=False, failure="testCodeFailure")
    )
    cases = read(NodeTest(), report, {"tests/a.test.js": ""})
    assert {one: case.outcome for one, case in cases.items()} == {
        "tests/a.test.js::suite::works": "passed",
        "tests/a.test.js::later": "skipped",
    }


def of_playwright(*tests, errors=()):
    specs = [
        {"title": title, "file": "a.spec.ts", "tests": [{
            "projectName": project, "expectedStatus": expected, "status": verdict,
            "results": [{"status": status, "errors": [{"message": "Error: no"}]}],
        }]}
        for title, project, status, expected, verdict in tests
    ]  # fmt: skip
    suites = [{"title": "a.spec.ts", "file": "a.spec.ts", "line": 0, "suites": [
        {"title": "outer", "file": "a.spec.ts", "line": 2, "specs": specs}
    ]}] if specs else []  # fmt: skip
    return {"config": {"rootDir": "/hands/work/e2e"}, "suites": suites, "errors": list(errors)}


def test_a_report_of_playwright_names_the_browser_behind_the_title():
    report = of_playwright(
        ("works", "chromium", "passed", "passed", "expected"),
        ("works", "firefox", "failed", "passed", "unexpected"),
        ("inverted", "chromium", "failed", "failed", "expected"),
        ("skipped", "chromium", "skipped", "skipped", "skipped"),
    )
    cases = read(Playwright(), report, {"e2e/a.spec.ts": ""})
    assert {one: case.outcome for one, case in cases.items()} == {
        "e2e/a.spec.ts::outer::works[chromium]": "passed",
        "e2e/a.spec.ts::outer::works[firefox]": "failed",
        "e2e/a.spec.ts::outer::inverted[chromium]": "skipped",
        "e2e/a.spec.ts::outer::skipped[chromium]": "skipped",
    }


def test_playwright_runs_nothing_where_one_file_cannot_be_loaded():
    report = of_playwright(errors=[{"message": "Error: Cannot find module '../nope'"}])
    with pytest.raises(ReportError, match=r"Cannot find module '\.\./nope'"):
        read(Playwright(), report, {"e2e/a.spec.ts": ""})


def test_a_run_of_mocha_that_ended_early_is_no_report():
    one = node_event("works", "suite")
    assert list(read(Mocha(), one + b'{"end":true}\n', {"tests/a.test.js": ""})) == [
        "tests/a.test.js::suite::works"
    ]
    with pytest.raises(ReportError, match="ended before its tests did"):
        read(Mocha(), one, {"tests/a.test.js": ""})


@pytest.mark.parametrize("runner", [Vitest(), Jest(), Playwright(), NodeTest(), Mocha()])
@pytest.mark.parametrize("report", [b"", b"{", b"[]", b'{"testResults": [1]}', b'"x"', b"[" * 100_000])
def test_another_shape_is_an_error(runner, report):
    if isinstance(runner, NodeTest) and report == b"":
        assert read(runner, report, {}) == {}
        return
    with pytest.raises(ReportError):
        read(runner, report, {})
