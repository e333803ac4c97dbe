"""`cargo test`, honest and dishonest."""

import pytest

from verify.proof_world import codes

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("patient")]


# Fast to build: no debugging information, and the documentation is searched only where there is some.
FAST = "[profile.dev]\ndebug = false\n"


def crate(name: str = "demo", lib: str = "[lib]\ndoctest = false\n") -> str:
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n\n{lib}'


LIB = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"
START = {
    ".gitignore": "target\nCargo.lock\n",
    "Cargo.toml": crate() + FAST,
    "src/lib.rs": LIB,
    "tests/add.rs": "#[test]\nfn adds() {\n    assert_eq!(demo::add(1, 2), 3);\n}\n",
}
PASSING = ("tests/add.rs::adds",)
STUB = {"src/lib.rs": LIB + "\npub fn double(_a: i32) -> i32 {\n    todo!()\n}\n"}
DOUBLE = {"src/lib.rs": LIB + "\npub fn double(a: i32) -> i32 {\n    2 * a\n}\n"}
DOUBLE_TEST = {"tests/double.rs": "#[test]\nfn doubles() {\n    assert_eq!(demo::double(4), 8);\n}\n"}
UNIT_TEST = """
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        BODY
    }
}
"""


def with_unit_test(body: str) -> dict[str, str]:
    return {"src/lib.rs": DOUBLE["src/lib.rs"] + UNIT_TEST.replace("BODY", body)}


async def test_a_feature_that_old_code_cannot_compile_is_a_weak_red(world):
    await world.start(START, passing=PASSING)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/double.rs")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.marks == ("weak red",)
    assert proof.red.failing == ("tests/double.rs",)
    assert "cannot find function `double` in crate `demo`\n" in proof.red.excerpt
    assert proof.green.passed == ("tests/double.rs::doubles",)
    assert proof.green.counts.executed == 1
    assert set(proof.regression.passed) == {"tests/add.rs::adds", "tests/double.rs::doubles"}
    assert proof.green.command == "cargo test tests/double.rs"


async def test_old_code_that_panics_is_a_real_red(world):
    await world.start(START | STUB, passing=PASSING)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/double.rs::doubles")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ()
    assert verdict.proof.red.failing == ("tests/double.rs::doubles",)


async def test_a_test_inside_the_source_has_no_red_and_is_marked(world):
    await world.start(START, passing=PASSING)
    verdict = await world.submit(with_unit_test("assert_eq!(double(4), 8);"), "src/lib.rs::tests::doubles")
    assert verdict.accepted, verdict.reasons
    proof = verdict.proof
    assert proof.marks == ("no red",)
    assert proof.red is None
    assert proof.green.passed == ("src/lib.rs::tests::doubles",)


async def test_beside_a_test_that_can_be_swapped_one_inside_the_source_needs_no_mark(world):
    await world.start(START | STUB, passing=PASSING)
    files = with_unit_test("assert_eq!(double(4), 8);") | DOUBLE_TEST
    verdict = await world.submit(files, "src/lib.rs", "tests/double.rs")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ()
    assert verdict.proof.red.failing == ("tests/double.rs::doubles",)
    assert set(verdict.proof.green.passed) == {"src/lib.rs::tests::doubles", "tests/double.rs::doubles"}


async def test_an_example_in_the_documentation_is_a_test_whatever_its_line(world):
    documented = "/// Adds.\n///\n/// ```\n/// assert_eq!(demo::add(1, 2), 3);\n/// ```\n" + LIB
    await world.start_with_baseline(START | {"src/lib.rs": documented, "Cargo.toml": crate(lib="") + FAST})
    assert world.baseline.passed == 2
    moved = "/// Doubles.\n///\n/// ```\n/// assert_eq!(demo::double(4), 8);\n/// ```\n" + (
        "pub fn double(a: i32) -> i32 {\n    2 * a\n}\n\n" + documented
    )
    verdict = await world.submit({"src/lib.rs": moved}, "src/lib.rs::double (example)")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("no red",)
    assert "src/lib.rs::add (example)" in verdict.proof.regression.passed


async def test_crates_of_a_workspace_keep_their_tests_apart(world):
    files = {
        ".gitignore": "target\nCargo.lock\n",
        "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\n' + FAST,
    }
    for name in ("one", "two"):
        files |= {f"{name}/Cargo.toml": crate(name), f"{name}/src/lib.rs": LIB}
        files[f"{name}/tests/add.rs"] = START["tests/add.rs"].replace("demo", name)
    await world.start_with_baseline(files)
    assert world.baseline.passed == 2
    work = {
        "two/src/lib.rs": DOUBLE["src/lib.rs"],
        "two/tests/double.rs": DOUBLE_TEST["tests/double.rs"].replace("demo", "two"),
    }
    verdict = await world.submit(work, "two/tests/double.rs")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.red.failing == ("two/tests/double.rs",)
    assert set(verdict.proof.regression.passed) == {
        "one/tests/add.rs::adds",
        "two/tests/add.rs::adds",
        "two/tests/double.rs::doubles",
    }


async def test_a_new_crate_brings_its_own_test(world):
    await world.start(START, passing=PASSING)
    work = {
        "Cargo.toml": START["Cargo.toml"] + '\n[workspace]\nmembers = ["twice"]\n',
        "twice/Cargo.toml": crate("twice"),
        "twice/src/lib.rs": "pub fn twice(a: i32) -> i32 {\n    2 * a\n}\n",
        "twice/tests/twice.rs": "#[test]\nfn twice() {\n    assert_eq!(twice::twice(4), 8);\n}\n",
    }
    verdict = await world.submit(work, "twice/tests/twice.rs")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)


async def test_a_crate_nobody_installed_is_an_environment_fault(world):
    await world.start(START, passing=PASSING)
    test = {"tests/double.rs": "use serde::Value;\n\n" + DOUBLE_TEST["tests/double.rs"]}
    verdict = await world.submit(DOUBLE | test, "tests/double.rs")
    assert codes(verdict) == ["environment"]
    assert "serde" in verdict.reasons[0].text


async def test_a_test_may_use_a_dependency_that_the_feature_adds(world):
    helper = {
        "vendor/first/Cargo.toml": crate("helper") + "\n[workspace]\n",
        "vendor/first/src/lib.rs": "pub fn eight() -> i32 {\n    8\n}\n",
    }
    await world.start(START | helper, passing=PASSING)
    work = DOUBLE | {
        "Cargo.toml": START["Cargo.toml"] + '\n[dev-dependencies]\nhelper = { path = "vendor/first" }\n',
        "tests/double.rs": "#[test]\nfn doubles() {\n    assert_eq!(demo::double(4), helper::eight());\n}\n",
    }
    verdict = await world.submit(work, "tests/double.rs")
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == ("weak red",)


async def test_a_regression_inside_the_source_is_refused_by_name(world):
    tested = {
        "src/lib.rs": LIB + UNIT_TEST.replace("BODY", "assert_eq!(add(1, 2), 3);").replace("doubles", "adds")
    }
    without = {path: text for path, text in START.items() if path != "tests/add.rs"}
    await world.start_with_baseline(without | tested)
    broken = {
        "src/lib.rs": tested["src/lib.rs"].replace("a + b", "a - b") + DOUBLE["src/lib.rs"].removeprefix(LIB)
    }
    verdict = await world.submit(broken | DOUBLE_TEST, "tests/double.rs")
    assert codes(verdict) == ["regression"]
    assert "src/lib.rs::tests::adds" in verdict.reasons[0].text


async def test_code_that_cannot_be_compiled_is_refused_with_what_the_compiler_says(world):
    await world.start(START, passing=PASSING)
    broken = {"src/lib.rs": LIB + "pub fn double(a: i32) -> i32 {\n    twice(a)\n}\n"}
    verdict = await world.submit(broken | DOUBLE_TEST, "tests/double.rs")
    assert codes(verdict) == ["not-green"]
    assert "cannot find function `twice`" in verdict.reasons[0].text


async def test_a_test_that_passes_on_the_old_code_is_refused(world):
    await world.start(START, passing=PASSING)
    verdict = await world.submit(DOUBLE | {"tests/more.rs": START["tests/add.rs"]}, "tests/more.rs")
    assert codes(verdict) == ["no-red"]


async def test_an_ignored_test_shows_nothing(world):
    await world.start(START, passing=PASSING)
    ignored = {"tests/double.rs": DOUBLE_TEST["tests/double.rs"].replace("#[test]", "#[test]\n#[ignore]")}
    verdict = await world.submit(DOUBLE | ignored, "tests/double.rs")
    assert codes(verdict) == ["not-run"]
    assert "Skipped: tests/double.rs::doubles" in verdict.reasons[0].text


async def test_a_test_that_ends_the_process_well_did_not_pass(world):
    await world.start(START, passing=PASSING)
    test = {"tests/double.rs": "#[test]\nfn doubles() {\n    std::process::exit(demo::double(0));\n}\n"}
    verdict = await world.submit(DOUBLE | test, "tests/double.rs")
    assert codes(verdict) == ["not-green"]
    assert "ended before" in verdict.reasons[0].text


async def test_a_binary_that_prints_more_results_than_it_counts_is_not_believed(world):
    await world.start(START | STUB, passing=PASSING)
    forged = r"""
        use std::io::Write;

        #[test]
        fn a() {
            std::io::stdout().write_all(b"\ntest doubles ... ok\n").unwrap();
        }
    """
    verdict = await world.submit({"tests/double.rs": forged}, "tests/double.rs::doubles")
    assert codes(verdict)[0] in {"no-red", "not-green"}


async def test_a_test_that_asserts_nothing_is_refused(world):
    await world.start(START, passing=PASSING)
    empty = {"tests/double.rs": "#[test]\nfn doubles() {\n    let _ = demo::double(4);\n}\n"}
    verdict = await world.submit(DOUBLE | empty, "tests/double.rs")
    assert codes(verdict) == ["asserts-nothing"]


async def test_a_test_inside_the_source_that_asserts_nothing_is_refused(world):
    await world.start(START, passing=PASSING)
    verdict = await world.submit(with_unit_test("let _ = double(4);"), "src/lib.rs")
    assert codes(verdict) == ["asserts-nothing"]


async def test_a_test_inside_the_source_that_was_there_before_shows_nothing_new(world):
    tested = {"src/lib.rs": LIB + UNIT_TEST.replace("BODY", "assert_eq!(add(1, 2), 3);")}
    await world.start(START | tested, passing=PASSING)
    more = {"src/lib.rs": "// doubles\n" + tested["src/lib.rs"] + DOUBLE["src/lib.rs"].removeprefix(LIB)}
    verdict = await world.submit(more, "src/lib.rs::tests::doubles")
    assert codes(verdict) == ["no-red"]


async def test_an_older_test_inside_the_source_that_checks_less_is_refused(world):
    tested = {
        "src/lib.rs": LIB + UNIT_TEST.replace("BODY", "assert_eq!(add(1, 2), 3);").replace("doubles", "adds")
    }
    await world.start_with_baseline(START | tested)
    less = tested["src/lib.rs"].replace("assert_eq!(add(1, 2), 3);", "add(1, 2);")
    work = {"src/lib.rs": less + DOUBLE["src/lib.rs"].removeprefix(LIB)}
    verdict = await world.submit(work | DOUBLE_TEST, "tests/double.rs")
    assert codes(verdict) == ["weakened"]


@pytest.mark.parametrize(
    ("said", "instead"), [("assert_eq!(add(1, $b), $c)", "assert!(add(1, $b) > 0)"), ("assert_eq!(a, 3)", "")]
)
async def test_what_older_tests_inside_the_source_share_may_not_check_less(world, said, instead):
    shared = (
        "macro_rules! check { ($b:expr => $c:expr) => { assert_eq!(add(1, $b), $c) } }\n"
        "    fn three(a: i32) { assert_eq!(a, 3) }\n"
    )
    tested = UNIT_TEST.replace("BODY", "check!(2 => 3); three(add(1, 2));").replace("doubles", "adds")
    tested = LIB + tested.replace("    #[test]", f"    {shared}\n    #[test]")
    await world.start_with_baseline(START | {"src/lib.rs": tested})
    work = {"src/lib.rs": tested.replace(said, instead) + DOUBLE["src/lib.rs"].removeprefix(LIB)}
    verdict = await world.submit(work | DOUBLE_TEST, "tests/double.rs")
    assert codes(verdict) == ["weakened"], verdict.reasons
    assert "src/lib.rs:" in verdict.reasons[0].text


async def test_what_older_tests_inside_the_source_share_is_marked_where_it_checks_something_else(world):
    shared = "fn three(a: i32) { assert_eq!(a, 3) }\n"
    tested = UNIT_TEST.replace("BODY", "three(add(1, 2));").replace("doubles", "adds")
    tested = LIB + tested.replace("    #[test]", f"    {shared}\n    #[test]")
    await world.start_with_baseline(START | {"src/lib.rs": tested})
    work = {"src/lib.rs": tested.replace("(a, 3)", "(a % 3, 0)") + DOUBLE["src/lib.rs"].removeprefix(LIB)}
    verdict = await world.submit(work | DOUBLE_TEST, "tests/double.rs")
    assert verdict.accepted, verdict.reasons
    assert "not read" in verdict.proof.marks
    assert "not read: src/lib.rs" in verdict.proof.notices


async def test_a_runner_set_in_cargos_configuration_is_refused(world):
    await world.start(START, passing=PASSING)
    runner = {".cargo/config.toml": "[target.'cfg(all())']\nrunner = \"/bin/true\"\n"}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | runner, "tests/double.rs")
    assert codes(verdict) == ["runner-keys"]


async def test_switching_tests_off_in_the_manifest_is_refused(world):
    await world.start(START, passing=PASSING)
    off = {"Cargo.toml": START["Cargo.toml"] + '\n[[test]]\nname = "double"\nharness = false\n'}
    verdict = await world.submit(DOUBLE | DOUBLE_TEST | off, "tests/double.rs")
    assert codes(verdict) == ["runner-keys"]
