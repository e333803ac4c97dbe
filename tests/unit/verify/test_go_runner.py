import json

import pytest

from autonomous_loop.verify.results.report import ReportError
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.runners.go import Go
from verify.small_facts import FOLDERS, facts, seen

FILES = {
    "go.mod": "module example.com/demo\n",
    "a/a.go": "package a\n",
    "a/a_test.go": "package a\n\nfunc TestA(t *testing.T) {}\n",
    "a/more_test.go": "package a_test\n\nfunc TestMore(t *testing.T) {}\n",
    "b/tool.go": "//go:build ignore\n\npackage main\n",
    "b/b.go": "package bee\n",
    "b/b_test.go": "package bee_test\n",
    "inner/go.mod": "module example.com/inner\n",
    "inner/x_test.go": "package x\n",
    "testdata/go.mod": "module no\n",
    "vendor/v/v_test.go": "package v\n",
}
STEP = Step(Go(), "go test")


def events(*said: tuple[str, str, str]) -> bytes:
    """Package `a`'s: action, test, output."""
    lines = [
        json.dumps({"Action": action, "Package": "example.com/demo/a", "Test": test, "Output": output})
        for action, test, output in said
    ]
    return "\n".join(lines).encode()


def read(data: bytes, build: str = ""):
    reports = {"/t/go-events.json": data, "/t/go-build.txt": build.encode()}
    return Go().read(reports, facts(FILES), STEP)


def test_every_module_is_a_step_the_inner_first():
    assert [step.folder for step in Go().detect(facts(FILES))] == ["inner", ""]


def test_a_module_without_tests_is_left_out_where_others_have_some():
    tree = {"go.mod": "module x\n", "x.go": "package x\n", "tests/test_a.py": ""}
    assert Go().detect(facts(tree)) == []
    assert len(Go().detect(facts({"go.mod": "module x\n", "x.go": "package x\n"}))) == 1


def test_every_package_of_a_suite_has_a_canary_of_its_own():
    run = Go().invoke(STEP, [], facts(FILES), FOLDERS)
    assert [canary.path.partition("/")[0] for canary in run.canaries] == ["a", "b"]
    assert [canary.source.split(b"\n")[0] for canary in run.canaries] == [b"package a", b"package bee"]
    assert len({canary.word for canary in run.canaries}) == 2
    assert run.arguments == ["./..."]


def test_a_suite_of_some_packages_has_canaries_there_alone():
    run = Go().invoke(Step(Go(), "go test ./b/..."), [], facts(FILES), FOLDERS)
    assert [canary.path.partition("/")[0] for canary in run.canaries] == ["b"]
    assert "go test -json -count=1 ./b/..." in run.command


def test_files_take_the_place_of_the_packages_and_flags_stay():
    step = Step(Go(), "go test -race -failfast ./... -args x")
    run = Go().invoke(step, ["a/a_test.go", "a/more_test.go"], facts(FILES), FOLDERS)
    assert 'go test -json -count=1 "$@" -race   -args x' in run.command
    assert run.arguments == ["./a"]


@pytest.mark.parametrize(
    "flags",
    [
        "-bench . -run ./a",
        "-coverpkg ./... -o ./b/x.test",
        "-ldflags \"-X a=./b ./...\" -tags 'x ./...'",
        "-timeout 30s",
        "-race",
    ],
)
def test_the_word_after_a_flag_may_belong_to_it(flags):
    def told(files, packages):
        step = Step(Go(), f"go test {flags}{packages} -args ./a")
        return Go().invoke(step, files, facts(FILES), FOLDERS).command

    replaced = f'go test -json -count=1 "$@" {flags} -args ./a'
    assert replaced in told([], "")
    assert replaced in told(["a/a_test.go"], "")
    assert replaced in told(["a/a_test.go"], " ./b/...").replace("  ", " ")
    assert f"go test -json -count=1 {flags} ./b/... -args ./a" in told([], " ./b/...")


def test_a_verdict_that_only_the_toolchain_invents_is_none():
    said = read(events(("run", "TestA", ""), ("output", "TestA", "ok \tdemo\n"), ("pass", "TestA", "")))
    assert seen(said) == {"a/a_test.go::TestA": "error"}


def test_a_passing_test_that_the_end_of_its_package_makes_fail_has_passed():
    # Go 1.19 misses a verdict that follows output without an end of line.
    said = read(
        events(
            ("output", "TestA", "no end--- PASS: TestA (0.00s)\n"),
            ("output", "TestMore", "--- FAIL: TestMore (0.00s)\n"),
            ("fail", "TestMore", ""),
            ("fail", "TestA", ""),
        )
    )
    assert seen(said) == {"a/a_test.go::TestA": "passed", "a/more_test.go::TestMore": "failed"}


def test_a_verdict_that_a_failing_test_prints_does_not_count():
    said = [("output", "TestA", f"--- {verdict}: TestA (0.00s)\n") for verdict in ("PASS", "SKIP", "FAIL")]
    assert seen(read(events(*said))) == {"a/a_test.go::TestA": "failed"}


def test_a_package_that_ends_before_its_first_test_fails_in_each_of_its_files():
    data = json.dumps({"Action": "fail", "Package": "example.com/demo/a"}).encode()
    assert seen(read(data)) == {"a/a_test.go": "error", "a/more_test.go": "error"}


@pytest.mark.parametrize("as_json", [False, True], ids=["go 1.19", "go 1.24"])
def test_a_build_that_fails_is_told_with_its_own_error(as_json):
    said = "# example.com/demo/a [example.com/demo/a.test]\na/a_test.go:3:1: undefined: Double\n"
    end = "FAIL\texample.com/demo/a [build failed]\n"
    other = "# example.com/demo/b\nb/b.go:1:1: something else\n"
    if as_json:
        output = [{"Action": "build-output", "Output": f"{line}\n"} for line in (other + said).splitlines()]
        output.append({"Action": "output", "Package": "example.com/demo/a", "Output": end})
        cases = read("\n".join(map(json.dumps, output)).encode())
    else:
        cases = read(end.encode(), other + said)
    assert seen(cases) == {"a/a_test.go": "error", "a/more_test.go": "error"}
    assert cases[0].message == "[build failed] a/a_test.go:3:1: undefined: Double"
    assert cases[0].import_fault
    assert not cases[0].missing_modules


def test_the_canary_of_a_package_that_cannot_be_built_fails_with_it():
    data = b"planted: a/0x_test.go\nFAIL\texample.com/demo/a [build failed]\n"
    assert "a/0x_test.go" in seen(read(data))


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ("a/x.go:3:1: no required module provides package github.com/x/y; to add it:", "github.com/x/y"),
        ("a/x.go:3:1: no required module provides package example.com/demo/new; to add it:", ""),
        ("a/x.go:3:1: package example.com/demo/new is not in GOROOT (/usr/lib/go)", ""),
        ("a/x.go:3:1: package other/y is not in std (/usr/lib/go)", "other/y"),
        ('go: github.com/x/y@v1.2.3: Get "https://proxy": dial tcp', "github.com/x/y"),
    ],
)
def test_only_packages_of_others_are_missing_modules(said, missing):
    cases = read(b"FAIL\texample.com/demo/a [setup failed]\n", f"# example.com/demo/a\n{said}\n")
    assert cases[0].import_fault
    assert cases[0].missing_modules == ((missing,) if missing else ())


def test_a_run_that_said_nothing_is_no_report():
    with pytest.raises(ReportError, match=r"go\.mod file not found"):
        read(b"", "go: go.mod file not found in current directory\n")
