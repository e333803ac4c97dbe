import json

import pytest

from autonomous_loop.verify.results.report import ReportError
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.runners.cargo import Cargo
from verify.small_facts import FOLDERS, facts, seen

PACKAGE = '[package]\nname = "demo"\nedition = "2021"\n'
FILES = {
    "Cargo.toml": PACKAGE,
    "src/lib.rs": "mod shapes;\n/// ```\n/// ```\n",
    "src/main.rs": "",
    "src/shapes/mod.rs": "",
    "tests/add.rs": "",
    "tests/big/main.rs": "",
}
STEP = Step(Cargo(), "cargo test")


def artifact(path: str, name: str, kind: str = "test", *, doctest: bool = False) -> str:
    target = {"kind": [kind], "name": "demo", "src_path": f"/w/{path}", "doctest": doctest}
    return json.dumps({"reason": "compiler-artifact", "target": target, "executable": f"/w/target/{name}"})


BUILT = "\n".join(
    [
        "loop-where:/w",
        artifact("src/lib.rs", "demo-1", "lib", doctest=True),
        artifact("tests/add.rs", "add-2"),
    ]
)


def read(text: str, files: dict[str, str] = FILES):
    return Cargo().read({"/t/cargo.txt": f"{BUILT}\n{text}".encode()}, facts(files), STEP)


def invoked(files: list[str], command: str = "cargo test", tree: dict[str, str] = FILES):
    return Cargo().invoke(Step(Cargo(), command), files, facts(tree), FOLDERS)


def test_a_workspace_is_one_step_and_a_crate_it_leaves_out_another():
    tree = {
        "Cargo.toml": '[workspace]\nmembers = ["a"]\nexclude = ["apart"]\n',
        "a/Cargo.toml": PACKAGE,
        "apart/Cargo.toml": PACKAGE,
        "target/package/Cargo.toml": PACKAGE,
    }
    steps = {step.folder: step.command for step in Cargo().detect(facts(tree))}
    assert steps == {"apart": "cargo test", "": "cargo test --workspace"}


def test_each_file_runs_by_its_own_target_and_the_canary_by_its():
    run = invoked(["tests/add.rs", "tests/big/helper.rs", "src/lib.rs"])
    options = list(zip(run.arguments[1::3], run.arguments[2::3], strict=True))
    word = run.canaries[0].word
    assert options == [
        ("--test=add", "tests/add.rs"),
        ("--test=big", "tests/big/helper.rs"),
        ("--lib", "src/lib.rs"),
        ("--doc", "src/lib.rs"),
        ("--bins", "src/lib.rs"),
        (f"--test={word}", f"tests/{word}.rs"),
    ]


def test_what_would_mix_up_the_output_is_left_out_of_the_command():
    run = invoked(["tests/add.rs"], "cargo test -q --workspace --features x -- --nocapture")
    assert '--manifest-path "$1" "$2"   --features x -- \n' in run.command


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("--color always -- --format terse --test-threads 1", "-- --test-threads 1"),
        ("--workspace --exclude demo -F x", "-F x"),
        ("-p demo --test add -j 2", "-j 2"),
        ("--manifest-path=a/Cargo.toml --lib --target-dir t", "--target-dir t"),
        ("--all-targets -- --skip --lib", "-- --skip --lib"),
    ],
)
def test_what_the_loop_says_of_each_target_is_left_out_with_its_value(options, kept):
    run = invoked(["tests/add.rs"], f"cargo test {options}")
    (told,) = [line for line in run.command.splitlines() if "--manifest-path" in line]
    assert told.partition('"$2"')[2].split() == kept.split()


def test_a_whole_run_keeps_what_says_which_crates():
    run = invoked([], "cargo test --workspace --exclude demo --color=always")
    assert "--workspace --exclude demo" in run.command
    assert "--color" not in run.command


def test_a_crate_that_finds_no_tests_by_itself_has_no_canary():
    assert invoked([], tree=FILES | {"Cargo.toml": PACKAGE + "autotests = false\n"}).canaries == []
    old = '[package]\nname = "demo"\n\n[[test]]\nname = "add"\n'
    assert invoked([], tree=FILES | {"Cargo.toml": old}).canaries == []


def test_results_are_read_between_whatever_tests_print():
    cases = read(
        "     Running unittests src/lib.rs (target/debug/deps/demo-1)\n\nrunning 3 tests\n"
        "rawtest shapes::tests::area ... FAILED\ntest boom - should panic ... ok\n"
        "test later ... ignored, slow\n"
        "\nfailures:\n\n---- shapes::tests::area stdout ----\ntest forged ... ok\n"
        "thread 'x' panicked at src/shapes/mod.rs:4:1:\nassertion failed\n\n\n"
        "failures:\n    shapes::tests::area\n\n"
        "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n"
    )
    assert seen(cases) == {
        "src/shapes/mod.rs::tests::area": "failed",
        "src/lib.rs::boom": "passed",
        "src/lib.rs::later": "skipped",
    }
    assert cases[0].message == "thread 'x' panicked at src/shapes/mod.rs:4:1: assertion failed"


@pytest.mark.parametrize(
    "end",
    [
        "",
        "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
        "   Doc-tests demo\n\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored;\n",
    ],
    ids=["breaks off", "other counts", "another binary"],
)
def test_a_binary_whose_counts_are_missing_or_wrong_has_failed(end):
    cases = read(
        f"     Running tests/add.rs (target/debug/deps/add-2)\n\nrunning 2 tests\ntest a ... ok\n{end}"
    )
    assert seen(cases) == {"tests/add.rs": "error", "tests/add.rs::a": "passed"}


def test_examples_of_the_documentation_keep_their_names_when_lines_move():
    def named(first: int, second: int):
        return seen(
            read(
                "   Doc-tests demo\n\nrunning 3 tests\n"
                f"test src/lib.rs - add (line {second}) ... FAILED\n"
                f"test src/lib.rs - add (line {first}) ... ok\n"
                "test src/lib.rs - (line 1) ... ok\n\n"
                "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
            )
        )

    assert named(3, 12) == named(30, 120)
    assert named(3, 12) == {
        "src/lib.rs::(example)": "passed",
        "src/lib.rs::add (example)": "passed",
        "src/lib.rs::add (example 2)": "failed",
    }


def broken(path: str, rendered: str) -> str:
    message = {"level": "error", "rendered": rendered}
    return json.dumps(
        {"reason": "compiler-message", "target": {"src_path": f"/w/{path}"}, "message": message}
    )


def test_a_target_that_cannot_be_compiled_fails_where_it_was_asked_for():
    error = "error[E0425]: cannot find function `double` in crate `demo`\n --> tests/add.rs:2:5\n"
    cases = read(
        f"loop-asked:tests/add.rs\n{broken('tests/add.rs', error)}\nerror: could not compile `demo`\n"
    )
    assert seen(cases) == {"tests/add.rs": "error"}
    assert cases[0].import_fault
    assert cases[0].message == "[build failed] error[E0425]: cannot find function `double` in crate `demo`"


def test_in_a_whole_run_one_target_that_cannot_be_compiled_stops_all_and_the_canary():
    cases = read(
        f"loop-planted:tests/x.rs\n{broken('tests/add.rs', 'error: no')}\nerror: could not compile\n"
    )
    assert seen(cases) == dict.fromkeys(
        ["tests/x.rs", "tests/add.rs", "src/lib.rs", "src/main.rs", "src/shapes/mod.rs"], "error"
    )
    assert [case.id for case in cases if case.import_fault] == ["tests/add.rs"]


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ("error[E0432]: unresolved import `serde`", "serde"),
        ("error[E0433]: failed to resolve: use of undeclared crate or module `shapes`", ""),
        ("error[E0432]: unresolved import `demo::twice`", ""),
        ("error[E0432]: unresolved import `demo`", ""),
        ("error[E0463]: can't find crate for `rand`", "rand"),
    ],
)
def test_only_crates_of_others_are_missing(said, missing):
    cases = read(f"loop-asked:tests/add.rs\n{broken('tests/add.rs', said)}\n")
    assert cases[0].missing_modules == ((missing,) if missing else ())


def test_a_dependency_that_cargo_cannot_find_is_missing_too():
    cases = read("loop-asked:tests/add.rs\nerror: no matching package named `serde` found\n")
    assert cases[0].missing_modules == ("serde",)


def test_a_run_that_shows_no_test_is_no_report():
    with pytest.raises(ReportError, match="failed to parse manifest"):
        read("error: failed to parse manifest at `/w/Cargo.toml`\n")
