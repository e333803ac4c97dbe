"""`go test`, honest and dishonest."""

import pytest

from verify.proof_world import codes

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("patient")]

GO_MOD = "module example.com/demo\n\ngo 1.19\n"
CALC = "package calc\n\nfunc Add(a, b int) int { return a + b }\n"
CALC_TEST = """
    package calc

    import "testing"

    func TestAdd(t *testing.T) {
    \tif Add(1, 2) != 3 {
    \t\tt.Fatal("not three")
    \t}
    }
"""
START = {"go.mod": GO_MOD, "calc/calc.go": CALC, "calc/calc_test.go": CALC_TEST}
PASSING = ("calc/calc_test.go::TestAdd",)
DOUBLE = {"calc/double.go": "package calc\n\nfunc Double(a int) int { return 2 * a }\n"}
STUB = {"calc/double.go": 'package calc\n\nfunc Double(a int) int { panic("to do") }\n'}
DOUBLE_TEST = {
    "calc/double_test.go": """
        package calc

        import "testing"

        func TestDouble(t *testing.T) {
        \tfor name, pair := range map[string][2]int{"two": {1, 2}, "minus four": {-2, -4}} {
        \t\tt.Run(name, func(t *testing.T) {
        \t\t\tif got := Double(pair[0]); got != pair[1] {
        \t\t\t\tt.Errorf("got %d", got)
        \t\t\t}
        \t\t})
        \t}
        }
    """
}


def go_file(body: str, *, package: str = "calc", imports: str = '"testing"') -> str:
    return f"package {package}\n\nimport (\n{imports}\n)\n\n{body}\n"


async def test_a_feature_that_old_code_cannot_compile_is_a_weak_red_with_every_subtest_counted(world):
    await world.start(START, passing=PASSING)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "calc/double_test.go")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.marks == ("weak red",)
    assert proof.red.failing == ("calc/double_test.go",)
    assert "undefined: Double" in proof.red.excerpt
    assert set(proof.green.passed) == {
        "calc/double_test.go::TestDouble",
        "calc/double_test.go::TestDouble/two",
        "calc/double_test.go::TestDouble/minus_four",
    }
    assert set(proof.regression.passed) == {*proof.green.passed, *PASSING}
    assert proof.green.command == "go test calc/double_test.go"
    assert "canary" not in proof.green.excerpt


async def test_old_code_that_panics_is_a_real_red_though_it_ends_the_whole_package(world):
    await world.start(START | STUB, passing=PASSING)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "calc/double_test.go::TestDouble")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ()
    assert "calc/double_test.go::TestDouble" in verdict.proof.red.failing
    assert len(verdict.proof.green.passed) == 3  # its subtests are its own
    assert "panic: to do" in verdict.proof.red.excerpt


async def test_modules_in_folders_each_run_their_own_tests(world):
    files = {f"{folder}/{path}": text for folder in ("one", "two") for path, text in START.items()}
    await world.start_with_baseline(files)
    assert world.baseline.passed == 2
    work = {f"two/{path}": text for path, text in (DOUBLE | DOUBLE_TEST).items()}
    verdict = await world.submit(work, "two/calc/double_test.go")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.red.failing == ("two/calc/double_test.go",)
    assert {"one/calc/calc_test.go::TestAdd", "two/calc/calc_test.go::TestAdd"} < set(
        verdict.proof.regression.passed
    )


async def test_a_module_without_any_test_gets_its_first(world):
    await world.start({"go.mod": GO_MOD, "calc/calc.go": CALC}, passing=())
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "calc/double_test.go")
    assert verdict.accepted, verdict.reasons


async def test_a_package_of_this_module_that_is_new_is_no_missing_dependency(world):
    await world.start(START, passing=PASSING)
    body = "func TestTwice(t *testing.T) {\n\tif twice.Of(2) != 4 {\n\t\tt.Fatal()\n\t}\n}"
    files = {
        "twice/twice.go": "package twice\n\nfunc Of(a int) int { return 2 * a }\n",
        "calc/twice_test.go": go_file(
            body, package="calc_test", imports='"testing"\n"example.com/demo/twice"'
        ),
    }
    verdict = await world.submit(files, "calc/twice_test.go")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)


async def test_a_module_nobody_installed_is_an_environment_fault(world):
    await world.start(START, passing=PASSING)
    body = "func TestTwice(t *testing.T) { other.Use(t, Double(2)) }"
    imports = '"testing"\n"github.com/someone/other"'
    files = DOUBLE | {"calc/twice_test.go": go_file(body, imports=imports)}
    verdict = await world.submit(files, "calc/twice_test.go")
    assert codes(verdict) == ["environment"]
    assert "github.com/someone/other" in verdict.reasons[0].text


async def test_output_without_an_end_of_line_hides_no_verdict(world):
    await world.start(START | STUB, passing=PASSING)
    body = 'func TestDouble(t *testing.T) {\n\tfmt.Print("now")\n\tif Double(2) != 4 {\n\t\tt.Fatal()\n\t}\n}'
    files = DOUBLE | {"calc/double_test.go": go_file(body, imports='"fmt"\n"testing"')}
    verdict = await world.submit(files, "calc/double_test.go")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.green.passed == ("calc/double_test.go::TestDouble",)


async def test_an_example_is_a_test(world):
    await world.start(START, passing=PASSING)
    body = "func ExampleDouble() {\n\tfmt.Println(Double(2))\n\t// Output: 4\n}"
    files = DOUBLE | {"calc/double_test.go": go_file(body, imports='"fmt"')}
    verdict = await world.submit(files, "calc/double_test.go")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.green.passed == ("calc/double_test.go::ExampleDouble",)


async def test_a_command_of_the_project_keeps_its_flags_and_its_folder(world, configured):
    configured(test_command="cd back && go test -failfast -short ./...")
    await world.start_with_baseline({f"back/{path}": text for path, text in START.items()})
    work = {f"back/{path}": text for path, text in (DOUBLE | DOUBLE_TEST).items()}
    verdict = await world.submit(work, "back/calc/double_test.go")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.green.command == "cd back && go test -failfast -short ./... calc/double_test.go"


async def test_a_renamed_subtest_is_no_removed_one(world):
    await world.start(START | DOUBLE | DOUBLE_TEST, passing=())
    await world.verifier.baseline(world.checkpoint)
    text = DOUBLE_TEST["calc/double_test.go"].replace("minus four", "negative")
    half = "func TestHalf(t *testing.T) {\n\tif Half(4) != 2 {\n\t\tt.Fatal()\n\t}\n}"
    files = {
        "calc/double_test.go": text,
        "calc/half.go": "package calc\n\nfunc Half(a int) int { return a / 2 }\n",
        "calc/half_test.go": go_file(half),
    }
    verdict = await world.submit(files, "calc/half_test.go")
    assert verdict.accepted, verdict.reasons


async def test_a_regression_is_refused_by_name(world):
    await world.start(START, passing=PASSING)
    broken = {"calc/calc.go": CALC.replace("a + b", "a - b")}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | broken, "calc/double_test.go")
    assert codes(verdict) == ["regression"]
    assert "TestAdd" in verdict.reasons[0].text


async def test_a_test_that_passes_on_the_old_code_is_refused(world):
    await world.start(START, passing=PASSING)
    more = {"calc/more_test.go": CALC_TEST.replace("TestAdd", "TestMore")}
    verdict = await world.submit(DOUBLE | more, "calc/more_test.go")
    assert codes(verdict) == ["no-red"]


async def test_a_test_main_that_ends_well_without_running_anything_is_refused(world):
    await world.start(START | STUB, passing=PASSING)
    main = {
        "calc/main_test.go": go_file("func TestMain(m *testing.M) { os.Exit(0) }", imports='"os"\n"testing"')
    }
    verdict = await world.submit(DOUBLE_TEST | main, "calc/double_test.go")
    assert codes(verdict) == ["canary"]


async def test_a_skipped_test_shows_nothing(world):
    await world.start(START, passing=PASSING)
    body = 'func TestDouble(t *testing.T) {\n\tt.Skip("later")\n\tif Double(2) != 4 {\n\t\tt.Fatal()\n\t}\n}'
    verdict = await world.submit(DOUBLE | {"calc/double_test.go": go_file(body)}, "calc/double_test.go")
    assert codes(verdict) == ["not-run"]


async def test_a_test_whose_every_part_is_skipped_shows_nothing(world):
    await world.start(START, passing=PASSING)
    body = (
        'func TestDouble(t *testing.T) {\n\tt.Run("two", func(t *testing.T) {\n\t\tt.SkipNow()\n'
        "\t\tif Double(2) != 4 {\n\t\t\tt.Fatal()\n\t\t}\n\t})\n}"
    )
    verdict = await world.submit(DOUBLE | {"calc/double_test.go": go_file(body)}, "calc/double_test.go")
    assert codes(verdict) == ["not-run"]


async def test_a_test_that_ends_the_process_well_did_not_pass(world):
    await world.start(START, passing=PASSING)
    body = "func TestDouble(t *testing.T) {\n\tsyscall.Exit(0)\n\tif Double(2) != 5 {\n\t\tt.Fatal()\n\t}\n}"
    files = STUB | {"calc/double_test.go": go_file(body, imports='"syscall"\n"testing"')}
    verdict = await world.submit(files, "calc/double_test.go")
    assert codes(verdict) == ["not-green"]
    assert "ended before" in verdict.reasons[0].text


async def test_a_test_file_that_is_never_built_shows_nothing(world):
    await world.start(START, passing=PASSING)
    text = "//go:build never\n\n" + go_file("func TestDouble(t *testing.T) { t.Fatal(Double(2)) }")
    verdict = await world.submit(DOUBLE | {"calc/double_test.go": text}, "calc/double_test.go")
    assert codes(verdict) in (["no-red"], ["not-run"])


async def test_a_build_tag_on_an_older_test_loses_it(world):
    await world.start(START, passing=PASSING)
    hidden = {"calc/calc_test.go": "//go:build never\n\n" + go_file("func TestAdd(t *testing.T) {}")}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | hidden, "calc/double_test.go")
    assert codes(verdict) == ["test-removed"]


async def test_a_test_that_asserts_nothing_is_refused(world):
    await world.start(START, passing=PASSING)
    body = "func TestDouble(t *testing.T) { _ = Double(2) }"
    verdict = await world.submit(DOUBLE | {"calc/double_test.go": go_file(body)}, "calc/double_test.go")
    assert codes(verdict) == ["asserts-nothing"]


async def test_an_older_test_that_checks_less_is_refused(world):
    await world.start(START, passing=PASSING)
    less = {"calc/calc_test.go": go_file("func TestAdd(t *testing.T) { _ = Add(1, 2) }")}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | less, "calc/double_test.go")
    assert codes(verdict) == ["weakened"]


async def test_a_command_that_selects_tests_shows_nothing(world, configured):
    configured(test_command="go test -run TestDouble ./...")
    await world.start(START, passing=PASSING)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "calc/double_test.go")
    assert codes(verdict) == ["canary"]


async def test_a_wrapper_left_in_the_environment_of_go_runs_nothing(world):
    await world.start(START | STUB, passing=PASSING)
    try:
        await world.sandbox.run(["go", "env", "-w", "GOFLAGS=-exec=/bin/true"], timeout_s=20)
        verdict = await world.submit(DOUBLE | DOUBLE_TEST, "calc/double_test.go")
    finally:
        await world.sandbox.run(["go", "env", "-u", "GOFLAGS"], timeout_s=20)
    assert verdict.accepted, verdict.reasons
